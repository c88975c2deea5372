import assert from 'node:assert/strict';
import type { Project } from '../../../daemon/protocol/model.ts';
import { WorldFixture } from '../../support/worldFixture.ts';
import type { StoredDatabase } from '../../support/world/server.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { refused, resolved, warningCodes } from '../../support/resolutionAssertions.ts';

describe('a project whose database is not where its row says', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  before(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  async function project(folder: string, name: string): Promise<Project> {
    fixture.named(folder, name);
    const made = resolved(await engine.resolve({ directory: folder }));
    fixture.changes();
    return made;
  }

  const databases = (): Map<string, StoredDatabase> => fixture.world.server.databases;

  describe('dropped behind our back', () => {
    const vanish = (name: string): boolean => databases().delete(name);

    it('H6: is an error, and nothing is made, whoever asks and however often', async () => {
      const folder = fixture.folder();
      const before = await project(folder, 'pond');
      vanish(before.databaseName);
      const second = fixture.engine();
      for (const one of [engine, second]) {
        for (const params of [{ directory: folder }, { project: 'pond' }, { project: before.id }]) {
          const error = refused(await one.resolve(params), 'DATABASE_MISSING');
          assert.match(
            error.message,
            new RegExp(`^${before.databaseName} of project "pond" no longer exists on .*backup. Nothing was made.$`),
          );
          assert.match(error.hint, /^registrar projects remake pond /);
        }
      }
      refused(await engine.resolve({ directory: folder, dryRun: true }), 'DATABASE_MISSING');
      await engine.showProject({ project: 'pond' });
      await engine.syncNow();
      assert.deepEqual(fixture.changes(), []);
    });

    it('H6: is made again, empty, once a person asks and types its name', async () => {
      const folder = fixture.folder();
      const before = await project(folder, 'brook');
      vanish(before.databaseName);
      for (const confirm of [null, '', 'brook', before.id]) {
        await assert.rejects(engine.remakeProject({ project: 'brook', confirm }), { code: 'CONFIRMATION_REQUIRED' });
      }
      assert.deepEqual(fixture.changes(), []);

      const answer = await engine.remakeProject({ project: 'brook', confirm: before.databaseName });
      assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
      assert.match(answer.warnings[0]?.message ?? '', new RegExp(`${before.databaseName}.*empty; its data is lost`));
      assert.equal(answer.created, false);
      assert.equal(fixture.changes().filter((what) => what === 'create').length, 1);
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [before.id, before.databaseName]);
      fixture.assertAgreement(before, folder);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
      await assert.rejects(engine.remakeProject({ project: 'brook', confirm: before.databaseName }), {
        code: 'INVALID_ARGUMENT',
      });
      assert.deepEqual(fixture.changes(), []);
    });

    it('H6: is said to be lost by whoever completes what another began', async () => {
      const folder = fixture.folder();
      const before = await project(folder, 'spring');
      vanish(before.databaseName);
      fixture.world.passage.plan(engine.options.name, 'create', 'away');
      const interrupted = engine.remakeProject({ project: before.id, confirm: before.databaseName });
      await assert.rejects(interrupted, { code: 'REGISTRY_UNREACHABLE' });
      const second = fixture.engine();
      const answer = await second.resolve({ directory: folder });
      assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
      fixture.assertAgreement(before, folder);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
    });

    it('H6: is one database, however many people ask at the same time', async () => {
      const folder = fixture.folder();
      const before = await project(folder, 'well');
      vanish(before.databaseName);
      const second = fixture.engine();
      const asked = await Promise.allSettled(
        [engine, second, engine, second].map((one) =>
          one.remakeProject({ project: before.id, confirm: before.databaseName }),
        ),
      );
      const answers = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      assert.ok(answers.some((answer) => warningCodes(answer).includes('DATABASE_RECREATED')));
      for (const answer of answers) assert.equal(resolved(answer).id, before.id);
      for (const one of asked) {
        if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'INVALID_ARGUMENT');
      }
      fixture.assertAgreement(before, folder);
    });
  });

  it('H6: an interrupted DROP is finished, and the database is then missing like any other', async () => {
    const folder = fixture.folder();
    const before = await project(folder, 'delta');
    fixture.world.server.enter(before.databaseName).isInterrupted = true;
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, [`finish the interrupted drop of database ${before.databaseName}`]);
    assert.deepEqual(fixture.changes(), []);

    refused(await engine.resolve({ directory: folder }), 'DATABASE_MISSING');
    const made = fixture.changes();
    assert.deepEqual(made, ['drop']);
    const answer = await engine.remakeProject({ project: before.id, confirm: before.databaseName });
    assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
    fixture.assertAgreement(before, folder);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
  });

  it('H6: a renamed database is missing, and pointing at its new name is offered and works', async () => {
    const folder = fixture.folder();
    const before = await project(folder, 'lagoon');
    const found = `cb_proj_moved_${before.databaseName.slice(-8)}`;
    fixture.world.renameDatabase(before.databaseName, found);

    for (const params of [{ directory: folder }, { project: before.id }, { project: 'lagoon' }]) {
      const error = refused(await engine.resolve(params), 'DATABASE_MISSING');
      assert.match(error.message, new RegExp(`${before.databaseName} of project "lagoon" is gone, but ${found}`));
      assert.match(error.hint, new RegExp(`project\\.database_name to ${found}.*rename the database back`));
      assert.deepEqual(error.details?.['choices'], ['repoint']);
    }
    assert.deepEqual(fixture.changes(), []);

    fixture.named(folder, 'lagoon', before.id, { databaseName: found });
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).databaseName, found);
    assert.deepEqual(warningCodes(answer), []);
    assert.ok(!fixture.changes().includes('create'));
    fixture.assertAgreement({ ...before, databaseName: found }, folder);
  });

  describe('named by the config', () => {
    const copy = 'cb_proj_island_copy_0000c0de';
    let folder: string;
    let own: Project;
    let other: Project;

    before(async () => {
      folder = fixture.folder();
      own = await project(folder, 'island');
      other = await project(fixture.folder(), 'continent');
    });

    it('C11: is refused while it is not there', async () => {
      fixture.named(folder, 'island', own.id, { databaseName: copy });
      const error = refused(await engine.resolve({ directory: folder }), 'DATABASE_MISSING');
      assert.match(
        error.message,
        new RegExp(`${copy}, which does not exist; project "island" has ${own.databaseName}`),
      );
      assert.match(error.hint, /Remove project\.database_name/);
      assert.deepEqual(fixture.changes(), []);
    });

    it('C11: is refused while it carries no marker or another project’s', async () => {
      fixture.world.plantDatabase(copy);
      const unmarked = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
      assert.match(unmarked.message, /carries no marker.*not touched/);
      fixture.named(folder, 'island', own.id, { databaseName: other.databaseName });
      const foreign = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
      assert.match(foreign.message, /its marker says project "continent"/);
      assert.deepEqual(fixture.changes(), []);
      fixture.assertAgreement(other, null);
    });

    it('C11: is used at once when it carries the project’s marker, by every tier and after a restart', async () => {
      fixture.world.server.enter(copy).comment = fixture.world.server.enter(own.databaseName).comment;
      fixture.named(folder, 'island', own.id, { databaseName: copy });
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [own.id, copy]);
      const restarted = fixture.engine();
      for (const one of [engine, restarted]) {
        for (const params of [{ directory: folder }, { project: own.id }, { project: 'island' }]) {
          assert.equal(resolved(await one.resolve(params)).databaseName, copy);
        }
      }
      assert.ok(!fixture.changes().includes('create'));
      fixture.assertAgreement({ ...own, databaseName: copy }, folder);
    });

    it('C11: stays when the override is removed, and goes back when the config names the old one', async () => {
      fixture.named(folder, 'island', own.id);
      assert.equal(resolved(await engine.resolve({ directory: folder })).databaseName, copy);
      fixture.named(folder, 'island', own.id, { databaseName: own.databaseName });
      assert.equal(resolved(await engine.resolve({ directory: folder })).databaseName, own.databaseName);
      fixture.assertAgreement(own, folder);
    });
  });
});
