import assert from 'node:assert/strict';
import pg from 'pg';
import type { Engine } from '../../../daemon/engine/engine.ts';
import { defaultAgentLimits } from '../../../daemon/postgres/agentSql/agentSession.ts';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import { writeMarker } from '../../../daemon/registry/marker.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { patientLimits } from '../../support/patientLimits.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { refused, resolved } from '../../support/resolutionAssertions.ts';
import { addressOf } from '../../support/serverAddress.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy.ts';
import { cli } from '../../unit/cli/fakeCli.ts';

const registryStates = ['fine', 'closed', 'locked', 'cold', 'forbidden', 'read-only'] as const;
type RegistryState = (typeof registryStates)[number];

/** What a database says of itself, or where it is. */
const markers = ['mine', 'another project', 'another registry', 'none', 'renamed', 'dropped'] as const;
type MarkerState = (typeof markers)[number];

const commands = ['exec', 'env', 'describe', 'query'] as const;
type Command = (typeof commands)[number];

/** While the server answers; `runs` in a database that has just said that it is the project's. */
const expected: Record<RegistryState, Record<MarkerState, 'runs' | NonNullable<Resolution['error']>['code']>> = {
  fine: {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    // The registry knows whose it is, and marks it first.
    none: 'runs',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
  closed: {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    none: 'MARKER_MISSING',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
  locked: {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    none: 'MARKER_MISSING',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
  cold: {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    none: 'MARKER_MISSING',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
  forbidden: {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    none: 'MARKER_MISSING',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
  'read-only': {
    mine: 'runs',
    'another project': 'DATABASE_FOREIGN',
    'another registry': 'DATABASE_FOREIGN',
    none: 'MARKER_MISSING',
    renamed: 'DATABASE_MISSING',
    dropped: 'DATABASE_MISSING',
  },
};

describe('what is handed over (X1)', function () {
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

  for (const registryState of registryStates) {
    describe(`while the registry is ${registryState}`, () => {
      let fixture: RegistryFixture;
      let proxy: TcpProxy;
      let engine: Engine;
      let role: string;
      let locker: pg.Client | null = null;
      const limits = { ...patientLimits };
      const agentLimits = { ...defaultAgentLimits, connectMs: patientLimits.writeMs };
      const projects = new Map<MarkerState, { folder: string; project: Project }>();

      before(async () => {
        fixture = await registryFixture(server);
        proxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
        const made = await fixture.role('createdb createrole');
        role = made.name;
        const url = new URL(fixture.url(made));
        url.port = String(proxy.port);
        engine = await fixture.engine({ address: addressOf(url.href), limits, agentLimits });
        for (const [index, marker] of markers.entries()) {
          const folder = await fixture.folder();
          await fixture.config(folder, { version: '1.0', project: { name: `p${String(index)} ${registryState}` } });
          const project = resolved(await engine.resolve({ directory: folder }));
          // Makes the role that agents ask as, which a server that takes no writes could not.
          await engine.queryDatabase({ directory: folder, sql: 'select 1' });
          projects.set(marker, { folder, project });
          await spoil(marker, project);
        }
      });
      after(async () => {
        await fixture.close();
        await proxy.close();
      });

      async function spoil(marker: MarkerState, project: Project): Promise<void> {
        const { databaseName, id, name } = project;
        const comment = async (registry: string, projectId: string): Promise<void> => {
          const written = writeMarker(
            { registry, projectId, name, createdAt: project.createdAt, schemaVersion: null, forgottenAt: null },
            null,
          );
          await server.sql(`comment on database "${databaseName}" is ${pg.escapeLiteral(written)}`);
        };
        if (marker === 'another project') await comment(fixture.registry, '00000000-0000-4000-8000-00000000000a');
        if (marker === 'another registry') await comment('elsewhere', id);
        if (marker === 'none') await server.sql(`comment on database "${databaseName}" is null`);
        if (marker === 'renamed') await server.sql(`alter database "${databaseName}" rename to "${databaseName}_old"`);
        if (marker === 'dropped') await server.sql(`drop database "${databaseName}" with (force)`);
      }

      async function enter(): Promise<void> {
        if (registryState === 'closed')
          await server.sql(`alter database "${fixture.registry}" allow_connections false`);
        if (registryState === 'read-only')
          await server.sql(`alter database "${fixture.registry}" set default_transaction_read_only = on`);
        if (registryState === 'forbidden')
          await server.sql(`revoke select on public.projects from "${role}"`, fixture.registry);
        if (registryState === 'locked') {
          const url = new URL(server.url);
          url.pathname = `/${fixture.registry}`;
          locker = new pg.Client({ connectionString: url.href });
          locker.on('error', () => undefined);
          await locker.connect();
          await locker.query('begin; lock table public.projects in access exclusive mode');
        }
        if (registryState === 'locked' || registryState === 'cold') limits.lookMs = 1000;
        // What is connected has been so for ever; these states are about who comes.
        proxy.cut();
        await proxy.empty();
        if (registryState === 'cold') proxy.slow(3000);
      }

      async function leave(): Promise<void> {
        proxy.slow(0);
        Object.assign(limits, patientLimits);
        await locker?.end();
        locker = null;
        if (registryState === 'closed') await server.sql(`alter database "${fixture.registry}" allow_connections true`);
        if (registryState === 'read-only')
          await server.sql(`alter database "${fixture.registry}" reset default_transaction_read_only`);
        if (registryState === 'forbidden')
          await server.sql(`grant select on public.projects to "${role}"`, fixture.registry);
      }

      /** What became of one command: `runs`, or the code of its refusal. */
      async function outcomeOf(command: Command, marker: MarkerState): Promise<string> {
        const { folder, project } = projects.get(marker) ?? assert.fail();
        if (command === 'describe' || command === 'query') {
          const sql = 'select current_database()::text, inet_server_port()';
          const answer =
            command === 'query'
              ? await engine.queryDatabase({ directory: folder, sql })
              : await engine.describeDatabase({ directory: folder });
          const given = 'result' in answer ? answer.result : answer.description;
          if (given === null) return codeOf(answer.resolution);
          assert.equal(answer.resolution.outcome, 'resolved');
          if ('rows' in given) assert.deepEqual(given.rows, [[project.databaseName, server.port]]);
          else assert.equal(given.databaseName, project.databaseName);
          return 'runs';
        }
        // A command closes what it opened; this one is asked again.
        const kept: Engine = { ...engine, close: () => Promise.resolve() };
        const progress = { hasRun: false };
        const app = async (environment: Record<string, string | undefined>): Promise<void> => {
          progress.hasRun = true;
          await asApp(environment, project, command);
        };
        const context = {
          cwd: folder,
          run: async (_command: string, _args: readonly string[], environment: Record<string, string | undefined>) => {
            await app(environment);
            return 0;
          },
        };
        const asked = await cli(command === 'exec' ? ['exec', '--json', '--', 'app'] : ['env', '--json'], {
          api: kept,
          context,
        });
        if (command === 'env' && asked.status === 0) await app(JSON.parse(asked.stdout) as Record<string, string>);
        if (progress.hasRun) {
          assert.equal(asked.status, 0, asked.stderr);
          return 'runs';
        }
        const answer = JSON.parse(asked.stdout) as Resolution;
        const code = codeOf(answer);
        assert.equal(asked.status, code === 'REGISTRY_UNREACHABLE' ? 3 : 1, asked.stdout);
        return code;
      }

      /** Works in the database as a command does that takes the variables for what they say. */
      async function asApp(
        environment: Record<string, string | undefined>,
        project: Project,
        command: Command,
      ): Promise<void> {
        const { DATABASE_URL: url, PGHOST, PGPORT, PGDATABASE } = environment;
        assert.deepEqual([PGHOST, PGPORT, PGDATABASE], ['127.0.0.1', String(proxy.port), project.databaseName]);
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        try {
          const { rows } = await client.query(
            `select current_database()::text as database, inet_server_port() as port`,
          );
          assert.deepEqual(rows, [{ database: project.databaseName, port: server.port }]);
          await client.query(`create table ran_${command} (id int)`);
        } finally {
          await client.end();
        }
      }

      /** The traces that commands left, in any database of the server. */
      async function traces(): Promise<string[]> {
        const databases = await server.sql(
          `select datname::text as name from pg_database where datname like 'cb\\_proj\\_%' and datallowconn`,
        );
        const found: string[] = [];
        for (const { name } of databases) {
          const tables = await server.sql(
            `select relname::text as table from pg_class where relname like 'ran\\_%' and relkind = 'r'`,
            String(name),
          );
          found.push(...tables.map(({ table }) => `${String(name)} ${String(table)}`));
        }
        const mine = [...projects.values()].map(({ project }) => project.databaseName);
        return found.filter((line) => mine.some((name) => line.startsWith(name))).sort();
      }

      async function outcomes(): Promise<Record<string, Record<string, string>>> {
        const cells = markers.flatMap((marker) => commands.map((command) => ({ marker, command })));
        const all = await Promise.all(cells.map(({ marker, command }) => outcomeOf(command, marker)));
        const table: Record<string, Record<string, string>> = {};
        for (const [index, { marker, command }] of cells.entries()) (table[marker] ??= {})[command] = all[index] ?? '';
        return table;
      }

      function everywhere(outcome: (marker: MarkerState) => string): Record<string, Record<string, string>> {
        return Object.fromEntries(
          markers.map((marker) => [marker, Object.fromEntries(commands.map((command) => [command, outcome(marker)]))]),
        );
      }

      it('is nothing while the server is down, whatever is remembered', async () => {
        await enter();
        await server.stop('immediate');
        const table = await outcomes().finally(() => server.start());
        await leave();
        assert.deepEqual(
          table,
          everywhere(() => 'REGISTRY_UNREACHABLE'),
        );
        assert.deepEqual(await traces(), []);
      });

      it('is nothing while the server is paused', async () => {
        await enter();
        await server.pause();
        Object.assign(limits, { lookMs: 1000, writeMs: 1500 });
        agentLimits.connectMs = 1500;
        const table = await outcomes().finally(() => {
          server.resume();
        });
        agentLimits.connectMs = patientLimits.writeMs;
        await leave();
        assert.deepEqual(
          table,
          everywhere(() => 'REGISTRY_UNREACHABLE'),
        );
        assert.deepEqual(await traces(), []);
      });

      it('is what the database itself says is the project’s, and nothing else', async () => {
        await enter();
        const table = await outcomes().finally(leave);
        assert.deepEqual(
          table,
          everywhere((marker) => expected[registryState][marker]),
        );
        const running = markers.filter((marker) => expected[registryState][marker] === 'runs');
        const databases = running.map((marker) => projects.get(marker)?.project.databaseName ?? '');
        assert.deepEqual(await traces(), databases.flatMap((name) => [`${name} ran_env`, `${name} ran_exec`]).sort());
      });
    });
  }
});

function codeOf(resolution: Resolution): string {
  const code = resolution.error?.code ?? assert.fail(JSON.stringify(resolution));
  refused(resolution, code);
  return code;
}
