import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved } from '../support/resolutionAssertions.ts';
import { addressOf } from '../support/serverAddress.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcpProxy.ts';

/** What one engine may hold: its pool, and visits to project databases. */
const poolMost = 8;
const visitsMost = 4;
/** And the databases that say whose they are at the same time. */
const proofsMost = 16;

describe('the connections of an engine', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  /** In front of the engines only, so that what it counts is theirs. */
  let proxy: TcpProxy;
  before(async () => {
    fixture = await registryFixture();
    proxy = await startTcpProxy({ host: '127.0.0.1', port: fixture.spy.port });
  });
  afterEach(() => {
    fixture.spy.onStatement = null;
  });
  after(async () => {
    await fixture.close();
    await proxy.close();
  });

  function address(): ReturnType<typeof addressOf> {
    const url = new URL(fixture.url());
    url.port = String(proxy.port);
    return addressOf(url.href);
  }

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  /**
   * Waits for the note of a project's first hand-over of the day, which is written after the answer. Its connection of the
   * pool may still be taken when it can be read; whoever resolves afterwards leaves an idle one.
   */
  async function noted(engine: Engine, projectId: string): Promise<void> {
    const select = `select from registrar_events where operation = 'handed_over' and project_id = $1`;
    while ((await fixture.sql(select, [projectId])).length === 0);
    resolved(await engine.resolve({ project: projectId }));
  }

  /** Sessions in the registry that are at work for an engine, as the server counts them; listeners are not. */
  async function sessions(): Promise<number> {
    const [row] = await fixture.sql<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = $1 and application_name = 'project-registrar' and query not ilike 'listen%'`,
      [fixture.registry],
      'postgres',
    );
    return row?.count ?? 0;
  }

  it('E3: fifty resolves that begin at once on a cold engine share one pool', async () => {
    const first = await fixture.engine();
    const folder = await workspace('shared');
    resolved(await first.resolve({ directory: folder }));
    await first.close();

    const engine = await fixture.engine({ address: address() });
    const before = proxy.accepted();
    const answers = Array.from({ length: 50 }, () => engine.resolve({ directory: folder }));
    const counts: number[] = [];
    const work = { isDone: false };
    const counting = (async () => {
      while (!work.isDone) counts.push(await sessions());
    })();
    for (const answer of await Promise.all(answers)) assert.equal(resolved(answer).name, 'shared');
    work.isDone = true;
    await counting;
    const opened = proxy.accepted() - before;
    assert.ok(opened > 1 && opened <= poolMost + 1, `${String(opened)} connections were opened`);
    assert.ok(Math.max(...counts) <= poolMost, counts.join(' '));
    await engine.close();
  });

  it('E3: two dozen projects that are made at once stay under one cap over all databases', async () => {
    const schema = join(await fixture.folder(), 'schema.sql');
    await writeFile(schema, 'create table if not exists notes (id int);');
    const engine = await fixture.engine({
      address: address(),
      settings: { 'registrar.postgres.projectSchema': schema },
    });
    const folders = await Promise.all(Array.from({ length: 24 }, (_, index) => workspace(`many ${String(index)}`)));
    let most = 0;
    let visits = 0;
    // Each connection says something as soon as it is open, so none is missed.
    fixture.spy.onStatement = (sql) => {
      most = Math.max(most, proxy.connections());
      if (sql.includes('create table if not exists notes')) visits += 1;
    };
    const answers = await Promise.all(folders.map((directory) => engine.resolve({ directory })));
    assert.equal(new Set(answers.map((answer) => resolved(answer).databaseName)).size, 24);
    for (const { created, warnings } of answers) assert.deepEqual([created, warnings], [true, []]);
    assert.equal(visits, 24);
    // A visit that brings the schema has a second connection, for its lock. One listens, and a visit that says goodbye may
    // overlap with the next for a moment.
    assert.ok(most > poolMost / 2 && most <= poolMost + 2 * visitsMost + 3, `${String(most)} at once`);
    await engine.close();
  });

  it('X1: a hand-over opens one connection beside the registry’s, to the database that it hands out, and closes it', async () => {
    await proxy.empty();
    const engine = await fixture.engine({ address: address() });
    const folder = await workspace('handed over');
    const { id, databaseName } = resolved(await engine.resolve({ directory: folder }));
    await engine.connection({ directory: folder });
    await noted(engine, id);
    for (let time = 1; time <= 3; time += 1) {
      const [before, open] = [proxy.accepted(), proxy.connections()];
      fixture.spy.take();
      const { environment } = await engine.connection({ directory: folder });
      assert.equal(environment?.['PGDATABASE'], databaseName);
      assert.equal(proxy.accepted() - before, 1);
      assert.equal(fixture.spy.take().filter((sql) => sql.includes('pg_catalog.current_database()')).length, 1);
      // What was opened says goodbye before the answer is given; its end may still be on the way here.
      while (proxy.connections() > open) await new Promise(setImmediate);
    }
    await engine.close();
  });

  it('X1: three hundred hand-overs at once all succeed, and leave the server’s connections to others', async () => {
    await proxy.empty();
    const engine = await fixture.engine({ address: address() });
    const folder = await workspace('crowded');
    resolved(await engine.resolve({ directory: folder }));
    let most = 0;
    fixture.spy.onStatement = () => {
      most = Math.max(most, proxy.connections());
    };
    const answers = await Promise.all(Array.from({ length: 300 }, () => engine.connection({ directory: folder })));
    for (const { resolution, environment } of answers) {
      assert.equal(environment?.['PGDATABASE'], resolved(resolution).databaseName);
    }
    // One listens, and goodbyes overlap.
    assert.ok(most <= poolMost + 2 * proofsMost + 1, `${String(most)} at once`);
    await engine.close();
  });

  it('X1: agents’ SQL asks whose the database is on the connection that it reads with', async () => {
    await proxy.empty();
    const engine = await fixture.engine({ address: address() });
    const folder = await workspace('asked');
    const { resolution } = await engine.queryDatabase({ directory: folder, sql: 'select 1' });
    await noted(engine, resolved(resolution).id);
    const before = proxy.accepted();
    const { result } = await engine.queryDatabase({ directory: folder, sql: 'select 1' });
    assert.deepEqual(result?.rows, [[1]]);
    assert.equal(proxy.accepted() - before, 1);
    await engine.close();
  });

  it('E3: connections that nobody uses are closed, and opened again when they are needed', async () => {
    await proxy.empty();
    const engine = await fixture.engine({ address: address(), limits: { ...patientLimits, idleMs: 100 } });
    const folder = await workspace('idle');
    resolved(await engine.resolve({ directory: folder }));
    const before = proxy.accepted();
    while ((await sessions()) > 0);
    resolved(await engine.resolve({ directory: folder }));
    assert.ok(proxy.accepted() > before);
  });
});
