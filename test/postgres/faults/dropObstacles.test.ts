import assert from 'node:assert/strict';
import pg from 'pg';
import type { Engine } from '../../../daemon/engine/engine.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { projectIn, removeAll, someoneWaits } from '../../support/driftSupport.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { changes, resolved } from '../../support/resolutionAssertions.ts';

/** What stands in the way of DROP DATABASE, and how it goes away again. */
interface Obstacle {
  title: string;
  says: RegExp;
  hints: RegExp;
  /** What is there before and hinders nothing. */
  ground?: (databaseName: string) => Promise<void>;
  /** @returns what takes it away */
  put: (databaseName: string) => Promise<() => Promise<unknown>>;
}

describe('X7: what a server with replication and prepared transactions refuses to drop', function () {
  this.timeout(60_000);
  let server: OwnServer;
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start();
    await server.sql('alter system set wal_level = logical');
    await server.sql('alter system set max_prepared_transactions = 4');
    await server.stop('fast');
    await server.start();
    fixture = await registryFixture(server);
    engine = await fixture.engine();
    await engine.listProjects({});
  });
  beforeEach(async () => {
    await removeAll(fixture);
    engine = await fixture.engine();
  });
  after(async () => {
    await (fixture as RegistryFixture | undefined)?.close();
    await (server as OwnServer | undefined)?.close();
  });

  async function prepare(databaseName: string): Promise<() => Promise<unknown>> {
    await server.sql(`begin; insert into orders values (2); prepare transaction 'order''s second'`, databaseName);
    return () => server.sql(`rollback prepared 'order''s second'`, databaseName);
  }

  /** A slot begins where no transaction is open, so it is made before the test holds one. */
  async function makeSlot(databaseName: string): Promise<void> {
    await server.sql('create publication changes for table orders', databaseName);
    await server.sql(`select pg_create_logical_replication_slot('to_warehouse', 'pgoutput')`, databaseName);
  }

  async function readSlot(databaseName: string): Promise<() => Promise<unknown>> {
    const url = new URL(server.url);
    url.pathname = `/${databaseName}`;
    const reader = new pg.Client({ connectionString: url.href, replication: 'database' } as pg.ClientConfig);
    reader.on('error', () => undefined);
    await reader.connect();
    const reading = reader
      .query(`START_REPLICATION SLOT to_warehouse LOGICAL 0/0 (proto_version '1', publication_names 'changes')`)
      .catch(() => undefined);
    await becomes(`select from pg_replication_slots where slot_name = 'to_warehouse' and active`, 1);
    return async () => {
      reader.connection.stream.destroy();
      await reading;
      await becomes(`select from pg_replication_slots where slot_name = 'to_warehouse' and active`, 0);
    };
  }

  async function subscribe(databaseName: string): Promise<() => Promise<unknown>> {
    await server.sql(
      `create subscription from_shop connection 'host=127.0.0.1 port=1' publication changes with (connect = false)`,
      databaseName,
    );
    return async () => {
      await server.sql('alter subscription from_shop set (slot_name = none)', databaseName);
      await server.sql('drop subscription from_shop', databaseName);
    };
  }

  /** Asks until a statement gives this many rows, for ten seconds. */
  async function becomes(text: string, count: number): Promise<void> {
    const until = Date.now() + 10_000;
    while (Date.now() < until) if ((await server.sql(text)).length === count) return;
    throw new Error(`${text}: not ${String(count)} within 10 s`);
  }

  const obstacles: readonly Obstacle[] = [
    {
      title: 'a prepared transaction',
      says: /transactions are prepared in it: "order's second"/,
      hints: /COMMIT PREPARED or ROLLBACK PREPARED/,
      put: prepare,
    },
    {
      title: 'a logical slot that somebody reads',
      says: /logical replication slots of it are in use: to_warehouse/,
      hints: /pg_drop_replication_slot/,
      ground: makeSlot,
      put: readSlot,
    },
    {
      title: 'a subscription',
      says: /it has subscriptions: from_shop/,
      hints: /DROP SUBSCRIPTION/,
      put: subscribe,
    },
  ];

  async function made(): Promise<{ id: string; databaseName: string; oid: unknown }> {
    const { project, databaseName } = await projectIn(fixture, engine, 'shop');
    await server.sql('create table orders (number int)', databaseName);
    await server.sql('insert into orders values (1)', databaseName);
    return { id: project.id, databaseName, oid: await oidOf(databaseName) };
  }

  async function oidOf(databaseName: string): Promise<unknown> {
    const [row] = await server.sql(`select oid from pg_database where datname = '${databaseName}'`);
    return row?.['oid'];
  }

  /** The same database under the same name with what was in it, and its project resolved and handed over. */
  async function isUsable({ id, databaseName, oid }: Awaited<ReturnType<typeof made>>): Promise<void> {
    const metadata = (await fixture.row(id))?.['metadata'] as { registrar: { state: string } };
    assert.equal(metadata.registrar.state, 'ready');
    for (const one of [engine, await fixture.engine()]) {
      const answer = await one.resolve({ project: id });
      assert.deepEqual([resolved(answer).databaseName, answer.warnings], [databaseName, []]);
      assert.equal((await one.connection({ project: id })).environment?.['PGDATABASE'], databaseName);
    }
    assert.equal(await oidOf(databaseName), oid);
    assert.deepEqual(await server.sql('select number from orders', databaseName), [{ number: 1 }]);
    const events = 'select from registrar_events where project_id = $1 and operation = $2';
    assert.deepEqual(await fixture.sql(events, [id, 'dropped']), []);
  }

  async function refused(dropping: Promise<unknown>): Promise<RegistrarError> {
    const error = await dropping.then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RegistrarError, String(error));
    assert.equal(error.code, 'PROVISION_FAILED', error.message);
    return error;
  }

  for (const { title, says, hints, ground, put } of obstacles) {
    it(`is said before anything is changed: ${title}`, async () => {
      const project = await made();
      const { id, databaseName } = project;
      await ground?.(databaseName);
      const takeAway = await put(databaseName);
      try {
        fixture.spy.take();
        const error = await refused(engine.dropProject({ project: id, confirm: databaseName }));
        assert.match(error.message, says);
        assert.match(error.message, /cannot be dropped: .*\. Nothing was done\.$/);
        assert.match(error.hint, hints);
        const sent = fixture.spy.take();
        assert.deepEqual([...changes(sent), ...sent.filter((sql) => /^\s*(?:alter|drop|comment)/i.test(sql))], []);
        await isUsable(project);
      } finally {
        await takeAway();
      }
      await engine.dropProject({ project: id, confirm: databaseName });
      assert.deepEqual([await fixture.row(id), await oidOf(databaseName)], [undefined, undefined]);
    });

    it(`leaves the project as it was where it came after the look: ${title}`, async () => {
      const project = await made();
      const { id, databaseName } = project;
      await ground?.(databaseName);
      // The drop has looked when it waits for the row.
      await fixture.sql('begin');
      await fixture.sql('select from projects where id = $1 for update', [id]);
      const dropping = refused(engine.dropProject({ project: id, confirm: databaseName }));
      await someoneWaits(fixture);
      const takeAway = await put(databaseName);
      try {
        await fixture.sql('commit');
        const error = await dropping;
        assert.match(error.message, /could not be dropped: .*\(5\d{4}\)/);
        assert.equal(error.details?.['sqlState'], '55006');
        await isUsable(project);
      } finally {
        await takeAway();
      }
      await engine.dropProject({ project: id, confirm: databaseName });
      assert.equal(await oidOf(databaseName), undefined);
    });
  }

  it('does not hinder a drop: a slot that nobody reads goes with its database', async () => {
    const { id, databaseName } = await made();
    await server.sql(`select pg_create_logical_replication_slot('unread', 'pgoutput')`, databaseName);
    await engine.dropProject({ project: id, confirm: databaseName });
    assert.equal(await oidOf(databaseName), undefined);
    assert.deepEqual(await server.sql('select from pg_replication_slots'), []);
  });
});
