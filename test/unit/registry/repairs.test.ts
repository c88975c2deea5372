import assert from 'node:assert/strict';
import type { RepairResult } from '../../../daemon/protocol/drift.ts';
import type { Project } from '../../../daemon/protocol/model.ts';
import { writeMarker } from '../../../daemon/registry/marker.ts';
import { resolved } from '../../support/resolutionAssertions.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { ServerError } from '../../support/world/serverError.ts';
import { WorldFixture } from '../../support/worldFixture.ts';

describe('what repairing puts right', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  beforeEach(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  async function project(name: string): Promise<Project> {
    const made = resolved(await engine.createProject({ name }));
    fixture.world.clock.move(120_000);
    return made;
  }

  async function repaired(meanwhile: () => void = () => undefined): Promise<RepairResult> {
    const { planId } = await engine.drift();
    let isDone = false;
    fixture.world.passage.onPoint = ({ what }) => {
      if (isDone || !['hold', 'change', 'look-database', 'look'].includes(what)) return;
      isDone = true;
      meanwhile();
    };
    return engine.repair({ planId });
  }

  const actions = (planned: readonly { action: string }[]): string[] => planned.map(({ action }) => action);

  it('a marker that is lost or has the old name is written again, if nobody was faster', async () => {
    const lost = await project('lost');
    const renamed = await project('renamed');
    const marker = fixture.world.marker(renamed.databaseName);
    assert.ok(marker);
    fixture.world.server.enter(lost.databaseName).comment = null;
    fixture.world.server.enter(renamed.databaseName).comment = writeMarker({ ...marker, name: 'before' }, null);
    assert.deepEqual(actions((await repaired()).applied).sort(), ['restore-marker', 'update-marker']);
    fixture.assertAgreement(lost, null);
    fixture.assertAgreement(renamed, null);
    const database = fixture.world.server.enter(lost.databaseName);
    database.comment = null;
    const result = await repaired(() => fixture.world.server.databases.delete(lost.databaseName));
    assert.deepEqual(actions(result.skipped), ['restore-marker']);
  });

  it('a marker that the role may not write is said to be so', async () => {
    const lost = await project('lost');
    fixture.world.server.enter(lost.databaseName).comment = null;
    const result = await repaired(() => {
      fixture.world.server.enter(lost.databaseName).owner = 'postgres';
    });
    assert.deepEqual(
      result.failed.map(({ error }) => error.code),
      ['REGISTRY_FORBIDDEN'],
    );
  });

  it('C5: a creation and a drop that were cut off are finished, and the remains of a DROP removed', async () => {
    fixture.world.passage.plan(engine.options.name, 'create', 'away');
    await engine.createProject({ name: 'begun' }).catch(() => undefined);
    const dropping = await project('dropping');
    fixture.world.passage.plan(engine.options.name, 'hold', 'away');
    await engine.dropProject({ project: dropping.id, confirm: dropping.databaseName }).catch(() => undefined);
    const marker = fixture.world.marker(dropping.databaseName);
    assert.ok(marker);
    const comment = writeMarker({ ...marker, projectId: fixture.world.newId() }, null);
    fixture.world.plantDatabase('cb_proj_remains_00000001', { comment, isInterrupted: true });
    const result = await repaired();
    assert.deepEqual(result.failed, []);
    assert.deepEqual(actions(result.applied).sort(), ['finish-creation', 'finish-drop', 'remove-remains']);
    assert.deepEqual((await engine.drift()).findings, []);
  });

  it('what is not there any more, or has changed, is left alone', async () => {
    fixture.world.passage.plan(engine.options.name, 'create', 'away');
    await engine.createProject({ name: 'begun' }).catch(() => undefined);
    fixture.world.clock.move(120_000);
    const gone = await repaired(() => {
      fixture.world.server.rows.clear();
    });
    assert.deepEqual(actions(gone.skipped), ['finish-creation']);
    fixture.world.passage.plan(engine.options.name, 'create', 'away');
    await engine.createProject({ name: 'other' }).catch(() => undefined);
    fixture.world.clock.move(120_000);
    const changed = await repaired(() => {
      for (const row of fixture.world.server.rows.values()) row.createdAt = fixture.world.clock.now();
    });
    assert.deepEqual(actions(changed.skipped), ['finish-creation']);
  });

  it('H6: a row is pointed at the database that was renamed, if that is still the project’s', async () => {
    const moved = await project('moved');
    fixture.world.renameDatabase(moved.databaseName, 'cb_proj_moved_00000001');
    const left = await repaired(() => {
      fixture.world.server.enter('cb_proj_moved_00000001').comment = null;
    });
    assert.deepEqual(actions(left.skipped), ['point-to-database']);
    const back = { registry: fixture.world.server.registry, projectId: moved.id, name: 'moved' };
    const comment = writeMarker({ ...back, createdAt: '', schemaVersion: null, forgottenAt: null }, null);
    fixture.world.server.enter('cb_proj_moved_00000001').comment = comment;
    assert.deepEqual(actions((await repaired()).applied), ['point-to-database']);
    assert.equal(resolved(await engine.resolve({ project: moved.id })).databaseName, 'cb_proj_moved_00000001');
  });

  it('H7: an old schema is brought up to date, and a schema that changed meanwhile is not', async () => {
    const old = await project('old');
    const newer = fixture.engine({ projectSchema: 'create table items (id int)' });
    engine = newer;
    assert.deepEqual(actions((await repaired()).applied), ['apply-schema']);
    const { version } = (await newer.catalog.projectSchema()) ?? {};
    assert.equal(fixture.world.marker(old.databaseName)?.schemaVersion, version);
    const next = fixture.engine({ projectSchema: 'create table more (id int)' });
    engine = next;
    const { planId } = await next.drift();
    const { projectSchema } = next.catalog;
    let asked = 0;
    next.catalog.projectSchema = () => ((asked += 1) > 1 ? Promise.resolve(null) : projectSchema());
    assert.deepEqual(actions((await next.repair({ planId })).skipped), ['apply-schema']);
  });

  it('S1: what waits for the registry is delivered, or says why it is not', async () => {
    fixture.world.server.refusesRows = new ServerError('53100', 'No space left on device');
    await engine.createProject({ name: 'waiting' });
    const failed = await repaired();
    assert.deepEqual(
      failed.failed.map(({ error }) => error.code),
      ['REGISTRY_UNREACHABLE'],
    );
    fixture.world.server.refusesRows = null;
    assert.deepEqual(actions((await repaired()).applied), ['deliver']);
    await assert.rejects(engine.repair({ planId: 'another' }), { code: 'PLAN_STALE' });
  });
});
