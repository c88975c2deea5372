import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../../daemon/engine/engine.ts';
import { defaultLimits, type Limits } from '../../../daemon/postgres/registry/registryDatabase.ts';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { backOff } from '../../support/backOff.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { patientLimits } from '../../support/patientLimits.ts';
import { path, registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { recordLog } from '../../support/recordedLog.ts';
import { assertAgreement, creations, refused, resolved, warningCodes } from '../../support/resolutionAssertions.ts';
import { addressOf } from '../../support/serverAddress.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy.ts';

/** No answer is late by this; it only keeps a call that hangs from being reported as a time-out of the whole test. */
const hangMs = 40_000;

describe('a PostgreSQL that does not answer', function () {
  this.timeout(60_000);
  let server: OwnServer;
  let fixture: RegistryFixture;
  let proxy: TcpProxy;
  /** Those of engines that meet a silent server: patient until it falls silent, and again when it answers. */
  let limits: Limits;

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start();
    fixture = await registryFixture(server);
    proxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
  });
  beforeEach(() => {
    limits = { ...patientLimits };
  });
  afterEach(() => {
    fixture.spy.onStatement = null;
    proxy.resume();
  });
  after(async () => {
    // Not there where nothing was run.
    await (fixture as RegistryFixture | undefined)?.close();
    await (proxy as TcpProxy | undefined)?.close();
    await (server as OwnServer | undefined)?.close();
  });

  const found = ['explicit skipped', 'config matched', 'identity matched'];
  const recalled = ['explicit skipped', 'config matched', 'identity skipped'];

  async function workspace(project: { name: string; id?: string }): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  }

  function urlAt(port: number): string {
    const url = new URL(fixture.url());
    url.port = String(port);
    return url.href;
  }

  /** Everything that a refused call must leave as it was. */
  async function world(stateFolder: string, folders: string[]): Promise<unknown> {
    return {
      rows: await fixture.sql('select * from projects order by id'),
      databases: await server.sql(`select datname from pg_database order by 1`),
      outbox: await readdir(join(stateFolder, 'outbox')),
      configs: await Promise.all(folders.map((folder) => readFile(join(folder, '.codebase-mcp/config.json'), 'utf8'))),
    };
  }

  /** Resolves until the answer is not from memory any more. */
  async function fresh(engine: Engine, params: { directory?: string; project?: string }): Promise<Resolution> {
    const deadline = performance.now() + hangMs;
    for (;;) {
      const answer = await engine.resolve(params);
      if (answer.outcome === 'resolved' && !answer.stale) return answer;
      assert.ok(performance.now() < deadline, JSON.stringify(answer));
    }
  }

  const timedOut = /did not answer within 1000 ms \(timeout\)/;
  const faults = [
    {
      title: 'stopped in an instant',
      port: () => server.port,
      begin: () => server.stop('immediate'),
      end: () => server.start(),
      reason: /refused|closed the connection|terminat/,
    },
    {
      title: 'hung',
      port: () => fixture.spy.port,
      begin: () => server.pause(),
      end: async () => {
        server.resume();
        return Promise.resolve();
      },
      reason: timedOut,
    },
    {
      title: 'behind a network that drops packets',
      port: () => proxy.port,
      begin: async () => {
        proxy.pause();
        return Promise.resolve();
      },
      end: async () => {
        proxy.resume();
        return Promise.resolve();
      },
      reason: timedOut,
    },
    {
      title: 'behind a network that cuts',
      port: () => proxy.port,
      begin: async () => {
        proxy.refuse();
        return Promise.resolve();
      },
      end: async () => {
        proxy.resume();
        return Promise.resolve();
      },
      reason: /closed the connection|terminat|ECONNRESET/i,
    },
  ];

  for (const { title, port, begin, end, reason } of faults) {
    it(`S4: ${title}: known projects from memory, everything else refused, nothing made, no call hangs, recovery by itself`, async () => {
      const stateFolder = await fixture.stateFolder();
      const engine = await fixture.engine({ stateFolder, limits, address: addressOf(urlAt(port())) });
      const name = `kept ${title}`;
      const known = await workspace({ name });
      const project = resolved(await engine.resolve({ directory: known }));
      const stranger = await workspace({ name: `stranger ${title}` });
      const withId = await workspace({ name: `brought ${title}`, id: '0b0e7a52-5f3e-4a8c-9c56-000000000001' });
      const bare = await fixture.folder();
      const before = await world(stateFolder, [known, stranger, withId]);
      fixture.spy.take();

      await begin();
      // Who is refused has no need to hurry, and a stall is not to be taken for the fault.
      if (reason === timedOut) Object.assign(limits, defaultLimits);
      try {
        const ways = [{ directory: known }, { project: project.id }, { project: name }];
        const answers = await Promise.all(
          ways.map((way, index) => settles(`known ${String(index)}`, engine.resolve(way))),
        );
        for (const answer of answers) assertStale(answer, project, reason);
        assert.deepEqual(path(await settles('again', engine.resolve({ directory: known }))), recalled);
        // What is remembered is for looking: nobody can be asked whose the database is.
        const { resolution, environment } = await settles('connection', engine.connection({ directory: known }));
        refused(resolution, 'REGISTRY_UNREACHABLE');
        assert.equal(environment, null);

        const unknown = [
          { directory: stranger },
          { directory: withId },
          { project: `stranger ${title}` },
          { project: '0b0e7a52-5f3e-4a8c-9c56-000000000001' },
          { project: '0b0e7a52' },
        ];
        const refusals = unknown.map(async (params) => {
          const answer = await settles(JSON.stringify(params), engine.resolve(params));
          assert.match(refused(answer, 'REGISTRY_UNREACHABLE').message, /not known here, so nothing was made/);
        });
        const commands: Record<string, Promise<unknown>> = {
          list: engine.listProjects({}),
          show: engine.showProject({ project: name }),
          create: engine.createProject({ name: `created ${title}` }),
          'create in a folder': engine.createProject({ name: `created in ${title}`, directory: bare }),
          rename: engine.updateProject({ project: project.id, name: `renamed ${title}` }),
          forget: engine.forgetProject({ project: project.id }),
          adopt: engine.adoptDatabase({ database: project.databaseName }),
          use: engine.useProject({ project: project.id, directory: bare }),
        };
        await Promise.all([
          ...refusals,
          ...Object.entries(commands).map(([command, called]) => assertUnreachable(command, called)),
          settles('sync', engine.syncNow()),
        ]);
        const closing = await fixture.engine({ limits, address: addressOf(urlAt(port())) });
        const last = settles('a resolve while closing', closing.resolve({ directory: stranger }));
        await settles('close', closing.close());
        await last;
      } finally {
        Object.assign(limits, patientLimits);
        await end();
      }

      const again = await fresh(engine, { directory: known });
      assert.equal(resolved(again).id, project.id);
      assert.deepEqual(path(again), found);
      assert.deepEqual(again.warnings, []);
      assert.deepEqual(creations(fixture.spy.take()), []);
      assert.deepEqual(await world(stateFolder, [known, stranger, withId]), before);
      assert.deepEqual(await readdir(bare), ['.git']);

      const made = await engine.resolve({ directory: stranger });
      assert.equal(made.created, true);
      await assertAgreement(fixture, resolved(made), stranger);
    });
  }

  it('S4: restarted between two resolves: nobody notices', async () => {
    for (const mode of ['fast', 'immediate'] as const) {
      const engine = await fixture.engine();
      const folder = await workspace({ name: `restarted ${mode}` });
      const project = resolved(await engine.resolve({ directory: folder }));
      await server.stop(mode);
      await server.start();
      const again = await engine.resolve({ directory: folder });
      assert.equal(resolved(again).id, project.id);
      assert.deepEqual(path(again), found);
      assert.deepEqual(again.warnings, []);
    }
  });

  it('S4: started while nothing answers: what was known before is known, and everything is there when the server is', async () => {
    const stateFolder = await fixture.stateFolder();
    const first = await fixture.engine({ stateFolder });
    const folder = await workspace({ name: 'known before' });
    const project = resolved(await first.resolve({ directory: folder }));
    await first.close();
    await server.pause();
    Object.assign(limits, defaultLimits);
    const engine = await fixture.engine({ stateFolder, limits });
    try {
      assertStale(await settles('resolve', engine.resolve({ directory: folder })), project, timedOut);
      refused(await settles('unknown', engine.resolve({ project: 'never seen' })), 'REGISTRY_UNREACHABLE');
    } finally {
      Object.assign(limits, patientLimits);
      server.resume();
    }
    assert.deepEqual(path(await fresh(engine, { directory: folder })), found);
  });

  it('S4: connections that a firewall forgot cost one answer from memory, not one each', async () => {
    const engine = await fixture.engine({ limits, address: addressOf(urlAt(proxy.port)) });
    const folder = await workspace({ name: 'stranded' });
    resolved(await engine.resolve({ directory: folder }));
    // So that several connections lie idle.
    await Promise.all(Array.from({ length: 8 }, () => engine.resolve({ directory: folder })));
    assert.ok(proxy.connections() > 1);
    proxy.strand();
    limits.lookMs = 1000;
    assert.equal((await engine.resolve({ directory: folder })).stale, true);
    Object.assign(limits, patientLimits);
    const again = await engine.resolve({ directory: folder });
    assert.equal(again.stale, false);
    assert.deepEqual(path(again), found);
  });

  it('S4: a pending project stays usable and pending over an outage, and is delivered unprompted after it', async () => {
    const stateFolder = await fixture.stateFolder();
    const log = recordLog();
    const engine = await fixture.engine({ stateFolder, limits, log, address: addressOf(urlAt(proxy.port)) });
    const folder = await workspace({ name: 'pending' });
    const release = await refuseInserts();
    const made = await engine.resolve({ directory: folder });
    const project = resolved(made);
    assert.deepEqual([made.created, made.sync?.state, warningCodes(made)], [true, 'pending', ['PENDING']]);
    // Nothing is under way when this was tried, and what the engine tries next does not get through.
    await engine.syncNow();
    proxy.pause();
    Object.assign(limits, defaultLimits);
    try {
      await release();
      for (const params of [{ directory: folder }, { project: project.id }, { project: 'pending' }]) {
        const answer = await settles('pending', engine.resolve(params));
        assertStale(answer, project, timedOut);
        assert.equal(answer.sync?.state, 'pending');
      }
      await settles('sync', engine.syncNow());
      assert.equal((await engine.syncStatus()).pending.length, 1);
    } finally {
      Object.assign(limits, patientLimits);
      proxy.resume();
    }
    await log.line('project registered');
    await assertAgreement(fixture, project, folder);
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    assert.deepEqual((await fresh(engine, { directory: folder })).sync, { state: 'synced' });
  });

  it('S4: the first answer after an outage wakes the outbox, however long its backoff is', async () => {
    const log = recordLog();
    const engine = await fixture.engine({ log });
    const known = await workspace({ name: 'known beside' });
    resolved(await engine.resolve({ directory: known }));
    const folder = await workspace({ name: 'patient' });
    const release = await refuseInserts();
    const project = resolved(await engine.resolve({ directory: folder }));
    await server.stop('immediate');
    await backOff(engine);
    await server.start();
    await release();
    await fresh(engine, { directory: known });
    await log.line('project registered');
    await assertAgreement(fixture, project, folder);
  });

  it('S4: a row that the registry takes wakes the outbox, too', async () => {
    const log = recordLog();
    const engine = await fixture.engine({ log });
    const folder = await workspace({ name: 'refused first' });
    const release = await refuseInserts();
    const project = resolved(await engine.resolve({ directory: folder }));
    await backOff(engine);
    await release();
    resolved(await engine.resolve({ directory: await workspace({ name: 'taken later' }) }));
    await log.line('project registered');
    await assertAgreement(fixture, project, folder);
  });

  it('S4: a connection that is cut at any statement of a creation leaves what the next resolve completes', async () => {
    const schema = join(await fixture.folder(), 'schema.sql');
    await writeFile(schema, 'create table if not exists notes (id int);');
    let reached = 0;
    for (let cutAt = 1; cutAt === reached + 1; cutAt += 1) {
      const stateFolder = await fixture.stateFolder();
      const engine = await fixture.engine({
        stateFolder,
        address: addressOf(urlAt(proxy.port)),
        settings: { 'registrar.postgres.projectSchema': schema },
      });
      const name = `cut at ${String(cutAt)}`;
      const folder = await workspace({ name });
      let seen = 0;
      fixture.spy.onStatement = () => {
        seen += 1;
        if (seen !== cutAt) return;
        reached = cutAt;
        proxy.refuse();
      };
      const answer = await settles(name, engine.resolve({ directory: folder }));
      fixture.spy.onStatement = null;
      proxy.resume();
      if (reached !== cutAt) {
        // Nothing was cut any more: every statement has had its turn.
        assert.equal(answer.created, true);
        break;
      }
      if (answer.outcome !== 'resolved') {
        const { message } = refused(answer, 'REGISTRY_UNREACHABLE');
        const isClean = (await fixture.row(name)) === undefined;
        assert.match(
          message,
          isClean ? /nothing was made|what was begun/ : /The next resolve completes what was begun/,
          name,
        );
      }
      const project = resolved(await fresh(engine, { directory: folder }));
      await assertAgreement(fixture, project, folder);
      assert.deepEqual(await readdir(join(stateFolder, 'outbox')), [], name);
      assert.deepEqual(await fixture.sql(`select to_regclass('notes')::text as notes`, [], project.databaseName), [
        { notes: 'notes' },
      ]);
      await engine.close();
    }
    assert.ok(reached > 10, String(reached));
    const names = await fixture.sql<{ name: string }>(`select name from projects where name like 'cut at %'`);
    const databases = (await fixture.databases()).filter((name) => name.startsWith('cb_proj_cut_at_'));
    assert.equal(databases.length, names.length);
  });

  it('S4: a server that falls silent between looking and reserving: refused, nothing kept on this machine', async () => {
    const stateFolder = await fixture.stateFolder();
    // Looking, too, may write the registry's table: it is to get through what is not silent yet.
    limits.writeMs = 5000;
    const engine = await fixture.engine({ stateFolder, limits, address: addressOf(urlAt(proxy.port)) });
    const folder = await workspace({ name: 'silenced' });
    const before = await readFile(join(folder, '.codebase-mcp/config.json'), 'utf8');
    fixture.spy.onStatement = (sql) => {
      if (sql.includes('insert into public.projects')) proxy.pause();
    };
    const answer = await settles('resolve', engine.resolve({ directory: folder }));
    assert.match(
      refused(answer, 'REGISTRY_UNREACHABLE').message,
      /(?:within|timeout after) 5000 ms.*The next resolve completes what was begun/,
    );
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    assert.equal(await readFile(join(folder, '.codebase-mcp/config.json'), 'utf8'), before);
    fixture.spy.onStatement = null;
    Object.assign(limits, patientLimits);
    proxy.resume();
    await assertAgreement(fixture, resolved(await fresh(engine, { directory: folder })), folder);
  });

  for (const [what, statement] of [
    ['creates the database', /^create database "cb_proj_/],
    ['applies the schema', /create table if not exists notes/],
  ] as const) {
    it(`S4: a server that falls silent while it ${what} keeps nobody waiting past the limit`, async () => {
      const schema = join(await fixture.folder(), 'schema.sql');
      await writeFile(schema, 'create table if not exists notes (id int);');
      limits.provisionMs = 5000;
      const engine = await fixture.engine({
        limits,
        address: addressOf(urlAt(proxy.port)),
        settings: { 'registrar.postgres.projectSchema': schema },
      });
      const folder = await workspace({ name: `silent as it ${what}` });
      fixture.spy.onStatement = (sql) => {
        if (statement.test(sql)) proxy.pause();
      };
      const answer = await settles('resolve', engine.resolve({ directory: folder }));
      const { message } = refused(answer, 'REGISTRY_UNREACHABLE');
      assert.match(message, /within 5(?:000 ms| s)/);
      assert.match(message, /The next resolve completes what was begun/);
      fixture.spy.onStatement = null;
      Object.assign(limits, patientLimits);
      proxy.resume();
      await assertAgreement(fixture, resolved(await fresh(engine, { directory: folder })), folder);
    });
  }

  it('S4: closing cuts what a silent server would hold for its whole limit', async () => {
    const engine = await fixture.engine({ limits, address: addressOf(urlAt(proxy.port)) });
    const folder = await workspace({ name: 'closed in between' });
    const silent = new Promise<void>((resolve) => {
      fixture.spy.onStatement = (sql) => {
        if (creations([sql]).length === 0) return;
        proxy.pause();
        resolve();
      };
    });
    const answer = settles('resolve', engine.resolve({ directory: folder }));
    await silent;
    limits.writeMs = 1000;
    await settles('close', engine.close());
    refused(await answer, 'REGISTRY_UNREACHABLE');
    fixture.spy.onStatement = null;
    proxy.resume();
    const next = await fixture.engine();
    await assertAgreement(fixture, resolved(await next.resolve({ directory: folder })), folder);
  });

  it('S4: a registry that is still to be made: a silent server keeps nobody waiting past the limit', async () => {
    const missing = await registryFixture(server);
    const proxied = await startTcpProxy({ host: '127.0.0.1', port: missing.spy.port });
    try {
      const url = new URL(missing.url());
      url.port = String(proxied.port);
      missing.spy.onStatement = (sql) => {
        if (sql.startsWith('create database')) proxied.pause();
      };
      limits.provisionMs = 5000;
      const engine = await missing.engine({ address: addressOf(url.href), limits });
      const folder = await missing.folder();
      await missing.config(folder, { version: '1.0', project: { name: 'first of all' } });
      const answer = await settles('resolve', engine.resolve({ directory: folder }));
      assert.match(refused(answer, 'REGISTRY_UNREACHABLE').message, /within 5 s.*nothing was made/);
      missing.spy.onStatement = null;
      Object.assign(limits, patientLimits);
      proxied.resume();
      await assertAgreement(missing, resolved(await fresh(engine, { directory: folder })), folder);
    } finally {
      await missing.close();
      await proxied.close();
    }
  });

  /** A registry that reads and takes no row, as with a full disk; returns what makes it well again. */
  async function refuseInserts(): Promise<() => Promise<unknown>> {
    await fixture.sql(`create or replace function refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '53100', message = 'could not extend file'; end $$`);
    await fixture.sql('create or replace trigger refuse before insert on projects execute function refuse()');
    return () => fixture.sql('drop trigger refuse on projects');
  }

  function assertStale(answer: Resolution, project: Project, reason: RegExp): void {
    assert.equal(resolved(answer).id, project.id);
    assert.equal(resolved(answer).databaseName, project.databaseName);
    assert.equal(answer.stale, true);
    assert.equal(answer.created, false);
    assert.deepEqual(warningCodes(answer), ['STALE']);
    assert.match(answer.warnings[0]?.message ?? '', reason);
    assert.match(answer.warnings[0]?.message ?? '', /queries will fail/);
    const identity = answer.trace.at(-1);
    assert.deepEqual([identity?.name, identity?.outcome], ['identity', 'skipped']);
  }
});

/** The result of a call that must end, one way or the other. */
async function settles<T>(what: string, called: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} hangs`));
    }, hangMs);
  });
  try {
    return await Promise.race([called, hang]);
  } finally {
    clearTimeout(timer);
  }
}

async function assertUnreachable(what: string, called: Promise<unknown>): Promise<void> {
  const error: unknown = await settles(what, called).then(
    () => assert.fail(`${what} succeeded`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RegistrarError, `${what}: ${String(error)}`);
  assert.equal(error.code, 'REGISTRY_UNREACHABLE', `${what}: ${error.message}`);
  assert.notEqual(error.hint, '');
}
