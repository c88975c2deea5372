import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import type { Engine } from '../../daemon/engine/engine.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { readMarker, writeMarker } from '../../daemon/registry/marker.ts';
import type { Marker } from '../../daemon/registry/model.ts';
import { backOff } from '../support/backOff.ts';
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

describe('drift', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
    await engine.listProjects({});
  });
  beforeEach(async () => {
    await removeAll(fixture);
    engine = await fixture.engine();
  });
  after(() => fixture.close());

  const database = (name: string) => projectIn(fixture, engine, name);
  const comment = (databaseName: string, text: string | null) =>
    fixture.sql(`comment on database ${databaseName} is ${text === null ? 'null' : `'${text}'`}`);
  const remark = async (databaseName: string, changes: Partial<Marker>) => {
    const marker = await fixture.marker(databaseName);
    assert.ok(marker);
    await comment(databaseName, writeMarker({ ...marker, ...changes }, null));
  };
  const setState = (state: string) =>
    fixture.sql(
      `update projects set metadata = jsonb_set(metadata, '{registrar,state}', to_jsonb($1::text)),
                           created_at = created_at - interval '61 seconds'`,
      [state],
    );
  const cutShort = (databaseName: string) =>
    fixture.sql(`update pg_database set datconnlimit = -2 where datname = $1`, [databaseName]);
  const created = (): string[] => fixture.spy.take().filter((sql) => /create database/i.test(sql));

  it('is ok when everything agrees, and an empty plan repairs nothing', async () => {
    await database('shop');
    const report = await engine.drift();
    assert.deepEqual([report.ok, await findings(engine)], [true, []]);
    assert.match(report.planId, /^[0-9a-f]{16}$/);
    const { applied, skipped, failed } = await engine.repair({ planId: report.planId });
    assert.deepEqual([applied, skipped, failed], [[], [], []]);
  });

  it('asks the server once, however many projects there are', async function () {
    this.timeout(60_000);
    const trips: number[] = [];
    for (const [from, to] of [
      [0, 3],
      [3, 30],
    ] as const) {
      const names = Array.from({ length: to - from }, (_, index) => `project ${String(from + index)}`);
      for (const name of names) await database(name);
      // On a warm connection: the first use of a statement prepares it.
      await engine.drift();
      fixture.spy.takeRoundTrips();
      assert.deepEqual(
        (await engine.drift()).findings.filter(({ project }) => project),
        [],
      );
      trips.push(fixture.spy.takeRoundTrips());
    }
    assert.equal((await engine.listProjects({})).projects.length, 30);
    assert.deepEqual(trips, [1, 1]);
  });

  it('marks a database that lost its marker, and keeps what else its comment says', async () => {
    const { project, databaseName } = await database('shop');
    await comment(databaseName, 'the shop; ask Ann');
    assert.deepEqual(shape(await findings(engine)), ['marker-missing: restore-marker']);
    await assertRepaired(engine, ['restore-marker']);
    assert.equal((await fixture.marker(databaseName))?.projectId, project.id);
    const [row] = await fixture.sql<{ text: string }>(
      `select shobj_description(oid, 'pg_database') as text from pg_database where datname = $1`,
      [databaseName],
    );
    assert.equal(readMarker(row?.text ?? null).kind, 'marker');
    assert.match(row?.text ?? '', /the shop; ask Ann/);
  });

  it('writes the registry’s name into a marker with another', async () => {
    const { databaseName } = await database('shop');
    await remark(databaseName, { name: 'store' });
    assert.deepEqual(shape(await findings(engine)), ['name-conflict: update-marker']);
    await assertRepaired(engine, ['update-marker']);
    assert.equal((await fixture.marker(databaseName))?.name, 'shop');
  });

  it('H8: reports a database of another project and leaves it alone', async () => {
    const { databaseName } = await database('shop');
    await remark(databaseName, { projectId: '99999999-0000-4000-8000-000000000000', name: 'pay' });
    const before = await fixture.marker(databaseName);
    assert.deepEqual(shape(await findings(engine)), ['marker-foreign: rename-database? forget?']);
    await assertRepaired(engine, [], ['marker-foreign: rename-database? forget?']);
    assert.deepEqual(await fixture.marker(databaseName), before);
    assert.equal((await engine.resolve({ project: 'shop' })).error?.code, 'DATABASE_FOREIGN');
  });

  it('H9: reports a row of a project that was forgotten; both choices settle it', async () => {
    for (const choice of ['adopt', 'forget']) {
      const { project, databaseName } = await database(choice);
      await remark(databaseName, { forgottenAt: new Date().toISOString() });
      await assertRepaired(engine, [], ['marker-forgotten: adopt? forget?']);
      if (choice === 'adopt') await engine.adoptDatabase({ database: databaseName });
      else await engine.forgetProject({ project: project.id });
      assert.deepEqual(await findings(engine), []);
      assert.equal((await fixture.row(project.id)) !== undefined, choice === 'adopt');
    }
  });

  it('lets the row name a database that was renamed behind our back', async () => {
    const { project, databaseName } = await database('shop');
    await fixture.sql(`alter database ${databaseName} rename to cb_proj_store_0000000a`, [], 'postgres');
    assert.deepEqual(shape(await findings(engine)), ['database-renamed: point-to-database rename-database?']);
    fixture.spy.take();
    await assertRepaired(engine, ['point-to-database']);
    assert.deepEqual(created(), []);
    const again = await engine.resolve({ project: project.id });
    assert.equal(again.project?.databaseName, 'cb_proj_store_0000000a');
    assert.deepEqual(again.warnings, []);
  });

  it('H6: reports a row whose database is gone, and makes nothing unasked; a remake makes it again', async () => {
    const { project, databaseName } = await database('shop');
    await fixture.sql(`drop database ${databaseName} with (force)`, [], 'postgres');
    fixture.spy.take();
    await assertRepaired(engine, [], ['dangling-row: remake? forget?']);
    assert.deepEqual(created(), []);
    const again = await engine.remakeProject({ project: project.id, confirm: databaseName });
    assert.deepEqual(
      again.warnings.map(({ code }) => code),
      ['DATABASE_RECREATED'],
    );
    assert.deepEqual(await findings(engine), []);
  });

  it('reports a database without a row, and the config that claims it; adopting settles both', async () => {
    const { project, databaseName } = await database('shop');
    await fixture.sql('delete from projects');
    const left = ['config-without-row: adopt? edit-config?', 'orphan-database: adopt? leave?'];
    await assertRepaired(engine, [], left);
    assert.equal(await fixture.row('shop'), undefined);
    const other = await fixture.engine();
    assert.deepEqual(shape(await findings(other)), left.slice(1), 'a daemon that has not seen the folder');
    await engine.adoptDatabase({ database: databaseName });
    assert.equal((await fixture.row('shop'))?.['id'], project.id);
    assert.deepEqual(await findings(engine), []);
  });

  it('does not report a forgotten project', async () => {
    const { project } = await database('shop');
    const other = await fixture.engine();
    await other.forgetProject({ project: project.id });
    assert.deepEqual(await findings(engine), []);
    assert.deepEqual(await findings(other), []);
  });

  it('H10: finishes a drop that was begun, whoever began it', async () => {
    const { databaseName } = await database('shop');
    await setState('dropping');
    const other = await fixture.engine();
    assert.deepEqual(shape(await findings(other)), ['interrupted-drop: finish-drop']);
    await assertRepaired(other, ['finish-drop']);
    assert.equal(await fixture.row('shop'), undefined);
    assert.ok(!(await fixture.databases()).includes(databaseName));
  });

  it('H6: removes what a DROP DATABASE left that was cut short, with a row and without', async () => {
    const { databaseName } = await database('shop');
    await cutShort(databaseName);
    assert.deepEqual(shape(await findings(engine)), ['interrupted-drop: remove-remains']);
    await assertRepaired(engine, ['remove-remains'], ['dangling-row: remake? forget?']);
    assert.equal((await engine.remakeProject({ project: 'shop', confirm: databaseName })).outcome, 'resolved');

    await cutShort(databaseName);
    await fixture.sql('delete from projects');
    const result = await repairAll(engine);
    assert.deepEqual(
      result.applied.map(({ action }) => action),
      ['remove-remains'],
    );
    assert.deepEqual(await fixture.databases(), []);
  });

  it('completes a creation that was interrupted, at every step', async () => {
    const { project, databaseName } = await database('shop');
    const steps: [string, () => Promise<unknown>][] = [
      ['reserved', () => fixture.sql(`drop database ${databaseName} with (force)`, [], 'postgres')],
      ['created', () => comment(databaseName, null)],
      ['marked', () => Promise.resolve()],
    ];
    for (const [step, undo] of steps) {
      await undo();
      await setState('provisioning');
      const other = await fixture.engine();
      assert.deepEqual(shape(await findings(other)), ['interrupted-creation: finish-creation forget?'], step);
      await assertRepaired(other, ['finish-creation']);
      const answer = await other.resolve({ project: project.id });
      assert.deepEqual([answer.outcome, answer.created], ['resolved', false]);
    }
  });

  it('ignores a reservation that may still be in the making', async () => {
    const { databaseName } = await database('shop');
    await fixture.sql(`update projects set metadata = jsonb_set(metadata, '{registrar,state}', '"provisioning"'),
                                           created_at = now()`);
    await comment(databaseName, null);
    assert.deepEqual(await findings(engine), []);
  });

  it('reports two databases with one id, and no longer when the copy has lost its marker', async () => {
    const { databaseName } = await database('shop');
    const marker = await fixture.marker(databaseName);
    assert.ok(marker);
    await fixture.sql('create database cb_proj_copy_0000000b', [], 'postgres');
    await comment('cb_proj_copy_0000000b', writeMarker(marker, null));
    await assertRepaired(engine, [], ['id-conflict: remove-marker? leave?']);
    await comment('cb_proj_copy_0000000b', null);
    const notes = (await engine.drift()).findings.filter((found) => found.database === 'cb_proj_copy_0000000b');
    assert.deepEqual(shape(notes), ['unowned-database: adopt? leave?']);
    assert.deepEqual(await findings(engine), []);
  });

  it('reports a config with an unknown id, and one with the id of another project', async () => {
    const shop = await database('shop');
    const pay = await database('pay');
    await fixture.config(shop.folder, {
      version: '1.0',
      project: { name: 'shop', id: '99999999-0000-4000-8000-000000000000' },
    });
    await fixture.config(pay.folder, { version: '1.0', project: { name: 'shop', id: pay.project.id } });
    await assertRepaired(engine, [], ['id-conflict: use? edit-config?', 'name-conflict: use? use? edit-config?']);
    await engine.useProject({ project: 'shop', directory: shop.folder });
    await engine.useProject({ project: 'pay', directory: pay.folder });
    assert.deepEqual(await findings(engine), []);
  });

  it('notes a folder that is gone, after a restart, too', async () => {
    const stateFolder = await fixture.stateFolder();
    const first = await fixture.engine({ stateFolder });
    const { project, folder } = await projectIn(fixture, first, 'shop');
    await first.close();
    await rm(folder, { recursive: true });
    const second = await fixture.engine({ stateFolder });
    const report = await second.drift();
    const found = report.findings.filter((finding) => finding.project?.id === project.id);
    assert.deepEqual([report.ok, shape(found)], [true, ['folder-gone: ']]);
  });

  it('remembers after a restart which folders it has seen, also those of projects that are gone', async () => {
    const stateFolder = await fixture.stateFolder();
    const first = await fixture.engine({ stateFolder });
    const { project, databaseName } = await projectIn(fixture, first, 'shop');
    await first.dropProject({ project: await aged(project.id), confirm: databaseName });
    await first.close();
    const second = await fixture.engine({ stateFolder });
    assert.deepEqual(shape(await findings(second)), ['config-without-row: resolve? edit-config?']);
  });

  async function aged(id: string): Promise<string> {
    await fixture.sql(`update projects set created_at = created_at - interval '61 seconds' where id = $1`, [id]);
    return id;
  }

  it('S1: reports what waits for the registry, and delivers it', async () => {
    await database('shop');
    await fixture.sql(`create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no space' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    let pending;
    try {
      pending = await database('pay');
      assert.deepEqual(shape(await findings(engine)), ['pending: deliver']);
      const failed = await repairAll(engine);
      assert.deepEqual(
        failed.failed.map(({ action, error }) => [action, error.code]),
        [['deliver', 'REGISTRY_UNREACHABLE']],
      );
      assert.match(failed.failed[0]?.error.message ?? '', /"pay" could not be registered: registry disk full/);
      assert.deepEqual(shape(await findings(await fixture.engine())), ['orphan-database: adopt? leave?'], 'elsewhere');
      // Or the engine's own retry would be first.
      await backOff(engine);
    } finally {
      await fixture.sql('drop function refuse cascade');
    }
    await assertRepaired(engine, ['deliver']);
    assert.equal((await fixture.row('pay'))?.['id'], pending.project.id);
  });

  it('S3: reports what only a person can register', async () => {
    await database('shop');
    await fixture.sql(`create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no space' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    try {
      await database('pay');
    } finally {
      // In one transaction: the engine's own retry may come at any moment, and must find the name taken.
      await fixture.sql(`drop function refuse cascade; update projects set name = 'pay' where name = 'shop'`);
    }
    const other = await fixture.engine();
    await engine.syncNow();
    const found = await findings(engine);
    assert.ok(shape(found).includes('parked: use? rename? forget?'), JSON.stringify(shape(found)));
    assert.deepEqual(
      (await repairAll(engine)).applied.map(({ action }) => action),
      ['update-marker'],
    );
    await other.updateProject({ project: 'pay', name: 'shop' });
    await engine.syncNow();
    assert.deepEqual(await findings(engine), []);
  });

  it('E2: fills a registry that lost its table from the markers, and is ok then', async () => {
    const made = [await database('shop'), await database('pay')];
    const forgotten = await database('old');
    await engine.forgetProject({ project: forgotten.project.id });
    await fixture.sql('drop table projects');
    const other = await fixture.engine();
    const report = await other.drift();
    assert.deepEqual([report.ok, shape(await findings(other))], [true, []]);
    const { projects } = await other.listProjects({});
    assert.deepEqual(
      projects.map(({ id, databaseName }) => [id, databaseName]).sort(),
      made.map(({ project }) => [project.id, project.databaseName]).sort(),
    );
    assert.deepEqual(await findings(engine), [], 'for those who knew the projects before');
  });

  describe('repair', () => {
    it('refuses a plan that is not what there is to repair any more, and does nothing', async () => {
      const { databaseName } = await database('shop');
      const { databaseName: second } = await database('pay');
      await comment(databaseName, null);
      const { planId } = await engine.drift();
      await comment(second, null);
      await assert.rejects(engine.repair({ planId }), (error: unknown) => {
        assert.ok(error instanceof RegistrarError);
        assert.equal(error.code, 'PLAN_STALE');
        assert.match(error.message, /Nothing was done/);
        assert.match(error.hint, /registrar drift/);
        return true;
      });
      assert.equal(await fixture.marker(databaseName), null);
      assert.equal((await engine.drift()).planId, (await (await fixture.engine()).drift()).planId);
    });

    it('skips what changes between the plan and the action', async () => {
      const { project, databaseName } = await database('shop');
      await comment(databaseName, null);
      const { planId } = await engine.drift();
      await fixture.sql('begin');
      await fixture.sql(`update projects set name = 'store' where id = $1`, [project.id]);
      const repairing = engine.repair({ planId });
      await someoneWaits(fixture);
      await fixture.sql('commit');
      const result = await repairing;
      assert.deepEqual(
        [result.applied, result.skipped.map(({ action }) => action), result.failed],
        [[], ['restore-marker'], []],
      );
      assert.equal(await fixture.marker(databaseName), null);
    });

    it('skips a marker that somebody else writes between the plan and the action', async () => {
      const { project, databaseName } = await database('shop');
      await comment(databaseName, null);
      const { planId } = await engine.drift();
      await fixture.sql('begin');
      await fixture.sql('select from projects where id = $1 for update', [project.id]);
      const repairing = engine.repair({ planId });
      await someoneWaits(fixture);
      const foreign = { registry: fixture.registry, projectId: '99999999-0000-4000-8000-000000000000', name: 'pay' };
      const marker = { ...foreign, createdAt: '', schemaVersion: null, forgottenAt: null };
      await comment(databaseName, writeMarker(marker, null));
      await fixture.sql('commit');
      assert.deepEqual(
        (await repairing).skipped.map(({ action }) => action),
        ['restore-marker'],
      );
      assert.equal((await fixture.marker(databaseName))?.name, 'pay');
    });

    it('by several daemons at once does each thing once', async () => {
      const { databaseName } = await database('shop');
      const renamed = await database('pay');
      await comment(databaseName, null);
      await fixture.sql(`alter database ${renamed.databaseName} rename to cb_proj_till_0000000c`, [], 'postgres');
      const engines = await Promise.all([1, 2, 3, 4].map(() => fixture.engine()));
      // From a daemon that knows no folder, like the others.
      const { planId } = await (await fixture.engine()).drift();
      const results = await Promise.allSettled(engines.map((one) => one.repair({ planId })));
      const applied: string[] = [];
      for (const result of results) {
        if (result.status === 'rejected') {
          assert.equal((result.reason as RegistrarError).code, 'PLAN_STALE');
        } else {
          assert.deepEqual(result.value.failed, []);
          applied.push(...result.value.applied.map(({ action }) => action));
        }
      }
      assert.deepEqual(applied.sort(), ['point-to-database', 'restore-marker']);
      assert.deepEqual(await findings(engine), []);
    });

    it('says of what it may not do which privilege is missing, and does the rest', async () => {
      const role = await fixture.role();
      await fixture.sql(`grant all on projects to ${role.name}`);
      const theirs = await fixture.engine({ role });
      const { databaseName } = await database('shop');
      const own = await projectIn(fixture, theirs, 'pay');
      await comment(databaseName, null);
      await comment(own.databaseName, null);
      const result = await repairAll(theirs);
      assert.deepEqual(
        result.applied.map(({ project }) => project?.name),
        ['pay'],
      );
      assert.deepEqual(
        result.failed.map(({ project, error }) => [project?.name, error.code]),
        [['shop', 'REGISTRY_FORBIDDEN']],
      );
      assert.match(result.failed[0]?.error.message ?? '', /does not own database/);
      await assertRepaired(engine, ['restore-marker']);
    });
  });
});
