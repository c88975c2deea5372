import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import {
  assertRepaired,
  findings,
  projectIn,
  removeAll,
  repairAll,
  shape,
  someoneWaits,
} from '../support/driftSupport.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

const versionOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');
const ordersOnly = 'create table if not exists orders (id int)';
const ordersAndItems = `${ordersOnly}; create table if not exists items (id int); insert into items values (1)`;

describe('drift of the project schema', () => {
  let fixture: RegistryFixture;
  let file: string;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    file = join(await fixture.folder(), 'schema.sql');
    await (await fixture.engine()).listProjects({});
  });
  beforeEach(async () => {
    await removeAll(fixture);
    await writeFile(file, ordersOnly);
    engine = await withSchema();
  });
  after(() => fixture.close());

  const withSchema = () => fixture.engine({ settings: { 'registrar.postgres.projectSchema': file } });
  const rowsOf = async (table: string, databaseName: string): Promise<number | null> => {
    const [there] = await fixture.sql<{ name: string | null }>('select to_regclass($1) as name', [table], databaseName);
    if ((there?.name ?? null) === null) return null;
    const [counted] = await fixture.sql<{ rows: number }>(
      `select count(*)::int as rows from ${table}`,
      [],
      databaseName,
    );
    return counted?.rows ?? null;
  };

  it('H7: an old schema is reported and the new one applied, with its version in the marker', async () => {
    const { project, databaseName } = await projectIn(fixture, engine, 'shop');
    assert.deepEqual(await findings(engine), []);
    await fixture.sql('insert into orders values (7)', [], databaseName);
    await writeFile(file, ordersAndItems);
    const [found] = await findings(engine);
    assert.deepEqual(shape(found ? [found] : []), ['schema-old: apply-schema']);
    const versions = [versionOf(ordersOnly), versionOf(ordersAndItems)].map((version) => version.slice(0, 8));
    for (const version of versions) assert.ok(found?.message.includes(version), found?.message);
    assert.equal((await engine.resolve({ project: 'shop' })).outcome, 'resolved', 'the project stays usable');
    assert.equal(await rowsOf('items', databaseName), null, 'resolving applies nothing');

    await assertRepaired(engine, ['apply-schema']);
    assert.deepEqual([await rowsOf('orders', databaseName), await rowsOf('items', databaseName)], [1, 1]);
    const marker = await fixture.marker(databaseName);
    assert.deepEqual([marker?.projectId, marker?.schemaVersion], [project.id, versionOf(ordersAndItems)]);
  });

  it('H7: a missing schema is reported and applied', async () => {
    const { databaseName } = await projectIn(fixture, await fixture.engine(), 'shop');
    assert.match((await findings(engine))[0]?.message ?? '', /has no project schema/);
    await assertRepaired(engine, ['apply-schema']);
    assert.equal((await fixture.marker(databaseName))?.schemaVersion, versionOf(ordersOnly));
    assert.equal(await rowsOf('orders', databaseName), 0);
  });

  it('H7: a schema that fails leaves database and marker as they were, and does not stop the others', async () => {
    const shop = await projectIn(fixture, engine, 'shop');
    const pay = await projectIn(fixture, engine, 'pay');
    const fails = `create table notes (); select 1 / (select count(*) from pg_class where relname = 'ready')`;
    await writeFile(file, fails);
    await fixture.sql('create table ready ()', [], pay.databaseName);
    const result = await repairAll(engine);
    assert.deepEqual(
      result.applied.map(({ project }) => project?.name),
      ['pay'],
    );
    assert.deepEqual(
      result.failed.map(({ project, error }) => [project?.name, error.code]),
      [['shop', 'PROVISION_FAILED']],
    );
    assert.match(result.failed[0]?.error.message ?? '', /could not be applied to .*division by zero/);
    assert.equal(await rowsOf('notes', shop.databaseName), null);
    assert.equal((await fixture.marker(shop.databaseName))?.schemaVersion, versionOf(ordersOnly));
    assert.equal((await fixture.marker(pay.databaseName))?.schemaVersion, versionOf(fails));
  });

  it('H7: it is applied once by several daemons', async () => {
    const { databaseName } = await projectIn(fixture, engine, 'shop');
    await writeFile(file, ordersAndItems);
    const engines = await Promise.all([withSchema(), withSchema(), withSchema()]);
    const { planId } = await (await withSchema()).drift();
    const results = await Promise.allSettled(engines.map((one) => one.repair({ planId })));
    for (const result of results) {
      if (result.status === 'rejected') assert.equal((result.reason as RegistrarError).code, 'PLAN_STALE');
      else assert.deepEqual(result.value.failed, []);
    }
    assert.equal(await rowsOf('items', databaseName), 1);
    assert.deepEqual(await findings(engine), []);
  });

  it('H7: a plan for another version than the file has by now is stale', async () => {
    const { databaseName } = await projectIn(fixture, engine, 'shop');
    await writeFile(file, ordersAndItems);
    const { planId } = await engine.drift();
    await writeFile(file, `${ordersOnly}; create table if not exists notes ()`);
    await assert.rejects(
      engine.repair({ planId }),
      (error) => error instanceof RegistrarError && error.code === 'PLAN_STALE',
    );
    assert.equal((await fixture.marker(databaseName))?.schemaVersion, versionOf(ordersOnly));
  });

  it('H9: a project that is forgotten meanwhile stays forgotten', async () => {
    const { project, databaseName } = await projectIn(fixture, engine, 'shop');
    await writeFile(file, ordersAndItems);
    const { planId } = await engine.drift();
    await fixture.sql('begin');
    await fixture.sql('select from projects where id = $1 for update', [project.id]);
    const other = await fixture.engine();
    const forgetting = other.forgetProject({ project: 'shop' });
    await someoneWaits(fixture);
    // The repair waits behind the one who forgets.
    const repairing = engine.repair({ planId });
    await someoneWaits(fixture, 2);
    await fixture.sql('commit');
    await forgetting;
    assert.deepEqual(
      (await repairing).skipped.map(({ action }) => action),
      ['apply-schema'],
    );
    assert.notEqual((await fixture.marker(databaseName))?.forgottenAt ?? null, null);
    assert.equal(await rowsOf('items', databaseName), null);
  });
});
