import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import type { Engine } from '../../daemon/engine/engine.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  warningCodes,
} from '../support/resolutionAssertions.ts';

const fromConfig = ['explicit skipped', 'config matched', 'identity matched'];

describe('a config whose id changes', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
  });
  after(() => fixture.close());

  async function named(folder: string, name: string, id?: string): Promise<void> {
    await fixture.config(folder, { version: '1.0', project: { name, ...(id === undefined ? {} : { id }) } });
  }

  it('H2: re-keys the project of the same folder and name; both ids find it, also after the config goes back', async () => {
    const folder = await fixture.folder();
    await named(folder, 'kiln');
    const before = resolved(await engine.resolve({ directory: folder }));

    const newId = randomUUID();
    await named(folder, 'kiln', newId);
    fixture.spy.take();
    const reKeyed = await engine.resolve({ directory: folder });
    assert.deepEqual(path(reKeyed), fromConfig);
    assert.deepEqual(warningCodes(reKeyed), ['REKEYED']);
    assert.match(reKeyed.warnings[0]?.message ?? '', new RegExp(`"kiln".*${newId}.*${before.id}`));
    assert.match(reKeyed.warnings[0]?.hint ?? '', /project\.id/);
    assert.equal(reKeyed.created, false);
    assert.deepEqual(creations(fixture.spy.take()), []);
    const after = resolved(reKeyed);
    assert.deepEqual([after.id, after.databaseName], [newId, before.databaseName]);
    await assertAgreement(fixture, after, folder);
    assert.deepEqual(after.metadata['registrar'] && (await formerIds(newId)), [before.id]);

    for (const reference of [newId, before.id, before.id.toUpperCase().replaceAll('-', ''), 'kiln']) {
      const found = await engine.resolve({ project: reference });
      assert.deepEqual(path(found), ['explicit matched', 'identity matched']);
      assert.equal(resolved(found).id, newId);
    }

    await named(folder, 'kiln', before.id);
    fixture.spy.take();
    const back = await engine.resolve({ directory: folder });
    assert.deepEqual(path(back), fromConfig);
    assert.equal(resolved(back).databaseName, before.databaseName);
    assert.equal(resolved(back).id, newId);
    for (const reference of [newId, before.id]) {
      assert.equal(resolved(await engine.resolve({ project: reference })).id, newId);
    }
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('H2: keeps every id that the project ever had', async () => {
    const folder = await fixture.folder();
    await named(folder, 'lathe');
    const first = resolved(await engine.resolve({ directory: folder }));
    const second = randomUUID();
    const third = randomUUID();
    for (const id of [second, third]) {
      await named(folder, 'lathe', id);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), ['REKEYED']);
    }
    for (const id of [first.id, second, third]) {
      const found = resolved(await engine.resolve({ project: id }));
      assert.deepEqual([found.id, found.databaseName], [third, first.databaseName]);
      assert.equal(resolved(await engine.resolve({ directory: folder, expect: id })).id, third);
    }
    assert.deepEqual(await formerIds(third), [first.id, second]);
  });

  it('H2: is found by another machine that still has the old id, which changes nothing', async () => {
    const folder = await fixture.folder();
    await named(folder, 'anvil');
    const before = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    await named(folder, 'anvil', newId);
    resolved(await engine.resolve({ directory: folder }));

    const elsewhere = await fixture.engine({ host: 'elsewhere' });
    const checkout = await fixture.folder();
    await named(checkout, 'anvil', before.id);
    fixture.spy.take();
    const found = await elsewhere.resolve({ directory: checkout });
    assert.deepEqual(path(found), fromConfig);
    assert.deepEqual([resolved(found).id, resolved(found).databaseName], [newId, before.databaseName]);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, resolved(found), folder);
  });

  it('H2: without evidence is a conflict that touches nothing', async () => {
    const folder = await fixture.folder('bellows-here');
    await named(folder, 'bellows');
    const project = resolved(await engine.resolve({ directory: folder }));
    // Another folder at the very same path is what another machine has.
    await rename(folder, `${folder}-kept`);
    const elsewhere = await fixture.engine({ host: 'elsewhere' });
    const newId = randomUUID();
    await named(await fixture.folder('bellows-here'), 'bellows', newId);
    fixture.spy.take();
    const error = refused(await elsewhere.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    assert.equal(
      error.message,
      '"bellows" belongs to another machine; this folder has no origin. Nothing was read or made.',
    );
    assert.deepEqual(changes(fixture.spy.take()), []);
    await assertAgreement(fixture, project, null);
    refused(await engine.resolve({ project: newId }), 'PROJECT_NOT_FOUND');
  });

  it('H2: re-keys one row once, however many resolve at the same time', async () => {
    const folder = await fixture.folder();
    await named(folder, 'chisel');
    const before = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    await named(folder, 'chisel', newId);
    const second = await fixture.engine();
    const answers = await Promise.all(
      [engine, second, engine, second, engine, second].map((one) => one.resolve({ directory: folder })),
    );
    for (const answer of answers) {
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [newId, before.databaseName]);
    }
    assert.equal(answers.filter((answer) => warningCodes(answer).includes('REKEYED')).length, 1);
    assert.deepEqual(await formerIds(newId), [before.id]);
    await assertAgreement(fixture, resolved(await engine.resolve({ directory: folder })), folder);
  });

  it('H2: is only said to be re-keyed in a dry run', async () => {
    const folder = await fixture.folder();
    await named(folder, 'mallet');
    const project = resolved(await engine.resolve({ directory: folder }));
    const newId = randomUUID();
    await named(folder, 'mallet', newId);
    fixture.spy.take();
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, [`change the id of project "mallet" from ${project.id} to ${newId}`]);
    assert.deepEqual(changes(fixture.spy.take()), []);
    await assertAgreement(fixture, project, null);
  });

  async function formerIds(id: string): Promise<unknown> {
    const [row] = await fixture.sql<{ former: unknown }>(
      `select metadata #> '{registrar,formerIds}' as former from projects where id = $1`,
      [id],
    );
    return row?.former;
  }
});
