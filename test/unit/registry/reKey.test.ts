import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { path, WorldFixture } from '../../support/worldFixture.ts';
import { Machine } from '../../support/world/machine.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { refused, resolved, warningCodes } from '../../support/resolutionAssertions.ts';

const fromConfig = ['explicit skipped', 'config matched', 'identity matched'];

describe('a config whose id changes', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  before(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  it('H2: re-keys the project of the same folder and name; both ids find it, also after the config goes back', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'kiln');
    const before = resolved(await engine.resolve({ directory: folder }));

    const newId = randomUUID();
    fixture.named(folder, 'kiln', newId);
    fixture.changes();
    const reKeyed = await engine.resolve({ directory: folder });
    assert.deepEqual(path(reKeyed), fromConfig);
    assert.deepEqual(warningCodes(reKeyed), ['REKEYED']);
    assert.match(reKeyed.warnings[0]?.message ?? '', new RegExp(`"kiln".*${newId}.*${before.id}`));
    assert.match(reKeyed.warnings[0]?.hint ?? '', /project\.id/);
    assert.equal(reKeyed.created, false);
    assert.ok(!fixture.changes().includes('create'));
    const after = resolved(reKeyed);
    assert.deepEqual([after.id, after.databaseName], [newId, before.databaseName]);
    fixture.assertAgreement(after, folder);
    assert.deepEqual(after.metadata['registrar'] && formerIds(newId), [before.id]);

    for (const reference of [newId, before.id, before.id.toUpperCase().replaceAll('-', ''), 'kiln']) {
      const found = await engine.resolve({ project: reference });
      assert.deepEqual(path(found), ['explicit matched', 'identity matched']);
      assert.equal(resolved(found).id, newId);
    }

    fixture.named(folder, 'kiln', before.id);
    fixture.changes();
    const back = await engine.resolve({ directory: folder });
    assert.deepEqual(path(back), fromConfig);
    assert.equal(resolved(back).databaseName, before.databaseName);
    assert.equal(resolved(back).id, newId);
    for (const reference of [newId, before.id]) {
      assert.equal(resolved(await engine.resolve({ project: reference })).id, newId);
    }
    assert.deepEqual(fixture.changes(), []);
  });

  it('H2: keeps every id that the project ever had', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'lathe');
    const first = resolved(await engine.resolve({ directory: folder }));
    const second = randomUUID();
    const third = randomUUID();
    for (const id of [second, third]) {
      fixture.named(folder, 'lathe', id);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), ['REKEYED']);
    }
    for (const id of [first.id, second, third]) {
      const found = resolved(await engine.resolve({ project: id }));
      assert.deepEqual([found.id, found.databaseName], [third, first.databaseName]);
      assert.equal(resolved(await engine.resolve({ directory: folder, expect: id })).id, third);
    }
    assert.deepEqual(formerIds(third), [first.id, second]);
  });

  it('H2: is found by another machine that still has the old id, which changes nothing', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'anvil');
    const before = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    fixture.named(folder, 'anvil', newId);
    resolved(await engine.resolve({ directory: folder }));

    const elsewhere = new Machine('elsewhere');
    const other = fixture.engine({ machine: elsewhere });
    const checkout = elsewhere.config(elsewhere.folder('/work/anvil'), { name: 'anvil', id: before.id });
    fixture.changes();
    const found = await other.resolve({ directory: checkout });
    assert.deepEqual(path(found), fromConfig);
    assert.deepEqual([resolved(found).id, resolved(found).databaseName], [newId, before.databaseName]);
    assert.ok(!fixture.changes().includes('create'));
    fixture.assertAgreement(resolved(found), folder);
  });

  it('H2: without evidence is a conflict that touches nothing', async () => {
    const folder = fixture.folder('bellows-here');
    fixture.named(folder, 'bellows');
    const project = resolved(await engine.resolve({ directory: folder }));
    const elsewhere = new Machine('elsewhere');
    const other = fixture.engine({ machine: elsewhere });
    const newId = randomUUID();
    elsewhere.config(elsewhere.folder(folder), { name: 'bellows', id: newId });
    fixture.changes();
    const error = refused(await other.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    assert.equal(
      error.message,
      '"bellows" belongs to another machine; this folder has no origin. Nothing was read or made.',
    );
    assert.deepEqual(fixture.changes(), []);
    fixture.assertAgreement(project, null);
    refused(await engine.resolve({ project: newId }), 'PROJECT_NOT_FOUND');
  });

  it('H2: re-keys one row once, however many resolve at the same time', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'chisel');
    const before = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    fixture.named(folder, 'chisel', newId);
    const second = fixture.engine();
    const answers = await Promise.all(
      [engine, second, engine, second, engine, second].map((one) => one.resolve({ directory: folder })),
    );
    for (const answer of answers) {
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [newId, before.databaseName]);
    }
    assert.equal(answers.filter((answer) => warningCodes(answer).includes('REKEYED')).length, 1);
    assert.deepEqual(formerIds(newId), [before.id]);
    fixture.assertAgreement(resolved(await engine.resolve({ directory: folder })), folder);
  });

  it('H2: is only said to be re-keyed in a dry run', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'mallet');
    const project = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    fixture.named(folder, 'mallet', newId);
    fixture.changes();
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, [`change the id of project "mallet" from ${project.id} to ${newId}`]);
    assert.deepEqual(fixture.changes(), []);
    fixture.assertAgreement(project, null);
  });

  function formerIds(id: string): unknown {
    return (fixture.world.row(id)?.metadata?.['registrar'] as { formerIds?: string[] }).formerIds;
  }
});
