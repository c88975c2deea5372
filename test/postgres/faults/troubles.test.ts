import assert from 'node:assert/strict';
import pg from 'pg';
import type { Engine } from '../../../daemon/engine/engine.ts';
import type { ErrorCode } from '../../../daemon/protocol/codes.ts';
import type { Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { patientLimits } from '../../support/patientLimits.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { resolved } from '../../support/resolutionAssertions.ts';
import { addressOf } from '../../support/serverAddress.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy.ts';

interface World {
  fixture: RegistryFixture;
  server: OwnServer;
  role: string;
}

type Outcome = ErrorCode | 'fresh' | 'stale' | 'answered' | 'pending';

interface Trouble {
  title: string;
  /** Makes it so; what it returns makes the server well again. */
  begin(world: World): Promise<() => Promise<unknown>>;
  known: Outcome;
  unknown: Outcome;
  list: Outcome;
  drift: Outcome;
  adopt: Outcome;
  /** The reason, wherever it is said. */
  words: RegExp;
}

const lock = async ({ fixture, server }: World): Promise<() => Promise<unknown>> => {
  const client = await sessionOf(server, fixture.registry);
  await client.query('begin; lock table public.projects in access exclusive mode');
  return () => client.end();
};

const troubles: readonly Trouble[] = [
  {
    title: 'locked by another session',
    begin: lock,
    ...{ known: 'stale', unknown: 'REGISTRY_BUSY', list: 'REGISTRY_BUSY', drift: 'REGISTRY_BUSY' },
    adopt: 'REGISTRY_BUSY',
    words: /^Waited [\d.]+ s for the registry on .* \(locked by another session\)/,
  },
  {
    title: 'locked, for a role with a statement_timeout',
    begin: async (world) => {
      await world.server.sql(`alter role "${world.role}" set statement_timeout = '100ms'`);
      return lock(world);
    },
    ...{ known: 'stale', unknown: 'REGISTRY_BUSY', list: 'REGISTRY_BUSY', drift: 'REGISTRY_BUSY' },
    adopt: 'REGISTRY_BUSY',
    words: /^registry statement was cancelled \(57014\)/,
  },
  {
    title: 'locked, for a role with a lock_timeout',
    begin: async (world) => {
      await world.server.sql(`alter role "${world.role}" set lock_timeout = '100ms'`);
      return lock(world);
    },
    ...{ known: 'stale', unknown: 'REGISTRY_BUSY', list: 'REGISTRY_BUSY', drift: 'REGISTRY_BUSY' },
    adopt: 'REGISTRY_BUSY',
    words: /^registry table is locked \(55P03\)/,
  },
  {
    title: 'full: no connection is free',
    begin: async ({ server, fixture }) => {
      const other = await fixture.role('');
      const url = new URL(server.url);
      Object.assign(url, { username: other.name, password: other.password });
      const clients: pg.Client[] = [];
      for (;;) {
        const client = new pg.Client({ connectionString: url.href });
        client.on('error', () => undefined);
        const error: unknown = await client.connect().then(
          () => null,
          (reason: unknown) => reason,
        );
        if (error === null) clients.push(client);
        else {
          assert.equal((error as { code?: string }).code, '53300');
          break;
        }
      }
      return () => Promise.all(clients.map((client) => client.end()));
    },
    ...{ known: 'stale', unknown: 'SERVER_FULL', list: 'SERVER_FULL', drift: 'SERVER_FULL', adopt: 'SERVER_FULL' },
    words: /takes no more connections .*53300/,
  },
  {
    title: 'read-only for this role',
    begin: async ({ server, role }) => {
      await server.sql(`alter role "${role}" set default_transaction_read_only = on`);
      return () => Promise.resolve();
    },
    ...{ known: 'fresh', unknown: 'REGISTRY_READ_ONLY', list: 'answered', drift: 'answered' },
    adopt: 'REGISTRY_READ_ONLY',
    words: /read[- ]only/,
  },
  {
    title: 'forbidden: the table may not be read',
    begin: async ({ fixture, server, role }) => {
      await server.sql(`revoke all on public.projects from "${role}"`, fixture.registry);
      return () => Promise.resolve();
    },
    // Databases can still be made, so what is new is kept here until the registry takes it.
    ...{ known: 'stale', unknown: 'pending', list: 'REGISTRY_FORBIDDEN', drift: 'REGISTRY_FORBIDDEN' },
    adopt: 'REGISTRY_FORBIDDEN',
    words: /may not read the table projects/,
  },
  {
    title: 'closed: the database takes no connections',
    begin: async ({ fixture, server }) => {
      await server.sql(`alter database "${fixture.registry}" allow_connections false`);
      return () => server.sql(`alter database "${fixture.registry}" allow_connections true`);
    },
    ...{ known: 'stale', unknown: 'REGISTRY_FORBIDDEN', list: 'REGISTRY_FORBIDDEN', drift: 'REGISTRY_FORBIDDEN' },
    adopt: 'REGISTRY_FORBIDDEN',
    words: /\(55000\)/,
  },
  {
    title: 'there with another password',
    begin: async ({ server, role }) => {
      await server.sql(`alter role "${role}" password 'another'`);
      return () => Promise.resolve();
    },
    ...{ known: 'CREDENTIALS_REQUIRED', unknown: 'CREDENTIALS_REQUIRED', list: 'CREDENTIALS_REQUIRED' },
    ...{ drift: 'CREDENTIALS_REQUIRED', adopt: 'CREDENTIALS_REQUIRED' },
    words: /\(28P01\)/,
  },
  {
    title: 'down',
    begin: async ({ server }) => {
      await server.stop('immediate');
      return () => server.start();
    },
    ...{ known: 'stale', unknown: 'REGISTRY_UNREACHABLE', list: 'REGISTRY_UNREACHABLE' },
    ...{ drift: 'REGISTRY_UNREACHABLE', adopt: 'REGISTRY_UNREACHABLE' },
    words: /does not answer \(the server closed the connection\)/,
  },
  {
    title: 'paused',
    begin: async ({ server }) => {
      await server.pause();
      return () => {
        server.resume();
        return Promise.resolve();
      };
    },
    ...{ known: 'stale', unknown: 'REGISTRY_UNREACHABLE', list: 'REGISTRY_UNREACHABLE' },
    ...{ drift: 'REGISTRY_UNREACHABLE', adopt: 'REGISTRY_UNREACHABLE' },
    words: /did not answer within|timeout after/,
  },
];

async function sessionOf(server: OwnServer, database: string): Promise<pg.Client> {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('a registry that is in trouble (X6)', function () {
  this.timeout(120_000);
  let server: OwnServer;

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start();
  });
  after(async () => {
    // Not there where nothing was run.
    await (server as OwnServer | undefined)?.close();
  });

  for (const { title, begin, words, ...expected } of troubles) {
    it(`${title}: has a code and words of its own, the same from every command`, async () => {
      const fixture = await registryFixture(server);
      const proxy: TcpProxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
      try {
        const { name: role, password } = await fixture.role('createdb createrole');
        const url = new URL(fixture.url({ name: role, password }));
        url.port = String(proxy.port);
        const limits = { ...patientLimits };
        const engine = await fixture.engine({ address: addressOf(url.href), limits });
        const [known, unknown] = [await workspace(fixture, 'known'), await workspace(fixture, 'unknown')];
        resolved(await engine.resolve({ directory: known }));
        await server.sql('create database cb_proj_left_00000001').catch(() => undefined);
        // Settings of a role count for who comes, and what is connected holds a place.
        proxy.cut();
        while ((await server.sql(`select from pg_stat_activity where usename = '${role}'`)).length > 0);
        const end = await begin({ fixture, server, role });
        Object.assign(limits, { lookMs: 1000, writeMs: 2000, provisionMs: 3000 });
        const said: string[] = [];
        const outcomes = await outcomesOf(engine, known, unknown, said).finally(end);
        Object.assign(limits, patientLimits);
        assert.deepEqual(outcomes, expected, said.join('\n'));
        for (const text of said) assert.match(text, words);
        if (expected.list !== 'REGISTRY_UNREACHABLE')
          for (const text of said) assert.doesNotMatch(text, /does not answer|did not answer/);
      } finally {
        await fixture.close();
        await proxy.close();
      }
    });
  }
});

async function workspace(fixture: RegistryFixture, name: string): Promise<string> {
  const folder = await fixture.folder();
  await fixture.config(folder, { version: '1.0', project: { name } });
  return folder;
}

/** @param said collects the reasons that were given */
async function outcomesOf(
  engine: Engine,
  known: string,
  unknown: string,
  said: string[],
): Promise<Record<'known' | 'unknown' | 'list' | 'drift' | 'adopt', Outcome>> {
  const look = async (directory: string): Promise<Outcome> => {
    const answer: Resolution = await engine.resolve({ directory });
    if (answer.error) {
      said.push(answer.error.message);
      assert.notEqual(answer.error.hint, '');
      return answer.error.code;
    }
    if (answer.sync?.state === 'pending') return 'pending';
    if (!answer.stale) return 'fresh';
    said.push((answer.warnings[0]?.message ?? '').replace(/^from memory: |^.*queries will fail \((.*)\)$/, '$1'));
    return 'stale';
  };
  const ask = async (question: Promise<unknown>): Promise<Outcome> => {
    const error: unknown = await question.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error === null) return 'answered';
    assert.ok(error instanceof RegistrarError, 'an error of ours');
    said.push(error.message);
    return error.code;
  };
  return {
    known: await look(known),
    unknown: await look(unknown),
    list: await ask(engine.listProjects({})),
    drift: await ask(engine.drift()),
    adopt: await ask(engine.adoptDatabase({ database: 'cb_proj_left_00000001', name: 'left' })),
  };
}
