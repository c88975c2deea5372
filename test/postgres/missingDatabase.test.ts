import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  warningCodes,
} from '../support/resolutionAssertions.ts';

describe('a project whose database is not where its row says', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
  });
  after(() => fixture.close());

  async function configure(folder: string, project: object): Promise<void> {
    await fixture.config(folder, { version: '1.0', project });
  }

  async function project(folder: string, name: string): Promise<Project> {
    await configure(folder, { name });
    const made = resolved(await engine.resolve({ directory: folder }));
    fixture.spy.take();
    return made;
  }

  async function asSuperuser(sql: string): Promise<void> {
    await fixture.sql(sql, [], 'postgres');
  }

  describe('dropped behind our back', () => {
    const vanish = (name: string) => asSuperuser(`drop database ${name} with (force)`);

    it('H6: is an error, and nothing is made, whoever asks and however often', async () => {
      const folder = await fixture.folder();
      const before = await project(folder, 'pond');
      await vanish(before.databaseName);
      const second = await fixture.engine();
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
      await engine.listProjects({});
      await engine.syncNow();
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('H6: is made again, empty, once a person asks and types its name', async () => {
      const folder = await fixture.folder();
      const before = await project(folder, 'brook');
      await fixture.sql('create table fish (name text)', [], before.databaseName);
      await vanish(before.databaseName);
      for (const confirm of [null, '', 'brook', before.id]) {
        await assert.rejects(engine.remakeProject({ project: 'brook', confirm }), { code: 'CONFIRMATION_REQUIRED' });
      }
      assert.deepEqual(changes(fixture.spy.take()), []);

      const answer = await engine.remakeProject({ project: 'brook', confirm: before.databaseName });
      assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
      assert.match(answer.warnings[0]?.message ?? '', new RegExp(`${before.databaseName}.*empty; its data is lost`));
      assert.equal(answer.created, false);
      assert.equal(creations(fixture.spy.take()).length, 1);
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [before.id, before.databaseName]);
      await assertAgreement(fixture, before, folder);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
      await assert.rejects(engine.remakeProject({ project: 'brook', confirm: before.databaseName }), {
        code: 'INVALID_ARGUMENT',
      });
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('H6: is said to be lost by whoever completes what another began', async () => {
      const folder = await fixture.folder();
      const before = await project(folder, 'spring');
      await vanish(before.databaseName);
      fixture.spy.rewrite = (sql) => (/^create database/i.test(sql) ? 'select 1/0' : null);
      const interrupted = engine.remakeProject({ project: before.id, confirm: before.databaseName }).finally(() => {
        fixture.spy.rewrite = null;
      });
      await assert.rejects(interrupted, { code: 'PROVISION_FAILED' });
      const second = await fixture.engine();
      const answer = await second.resolve({ directory: folder });
      assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
      await assertAgreement(fixture, before, folder);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
    });

    it('H6: is one database, however many people ask at the same time', async () => {
      const folder = await fixture.folder();
      const before = await project(folder, 'well');
      await vanish(before.databaseName);
      const second = await fixture.engine();
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
      assert.equal(creations(fixture.spy.take()).filter((sql) => sql.includes(before.databaseName)).length >= 1, true);
      await assertAgreement(fixture, before, folder);
    });
  });

  it('H6: an interrupted DROP is finished, and the database is then missing like any other', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'delta');
    await asSuperuser(`update pg_database set datconnlimit = -2 where datname = '${before.databaseName}'`);
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, [`finish the interrupted drop of database ${before.databaseName}`]);
    assert.deepEqual(changes(fixture.spy.take()), []);

    refused(await engine.resolve({ directory: folder }), 'DATABASE_MISSING');
    const made = changes(fixture.spy.take());
    assert.equal(made.filter((sql) => /^drop database/i.test(sql)).length, 1);
    assert.deepEqual(creations(made), []);
    const answer = await engine.remakeProject({ project: before.id, confirm: before.databaseName });
    assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
    await assertAgreement(fixture, before, folder);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
  });

  it('H6: a renamed database is missing, and pointing at its new name is offered and works', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'lagoon');
    await fixture.sql('create table reef (coral text)', [], before.databaseName);
    await fixture.release(before.databaseName);
    const found = `cb_proj_moved_${before.databaseName.slice(-8)}`;
    await asSuperuser(`alter database ${before.databaseName} rename to ${found}`);

    for (const params of [{ directory: folder }, { project: before.id }, { project: 'lagoon' }]) {
      const error = refused(await engine.resolve(params), 'DATABASE_MISSING');
      assert.match(error.message, new RegExp(`${before.databaseName} of project "lagoon" is gone, but ${found}`));
      assert.match(error.hint, new RegExp(`project\\.database_name to ${found}.*rename the database back`));
      assert.deepEqual(error.details?.['choices'], ['repoint']);
    }
    assert.deepEqual(changes(fixture.spy.take()), []);

    await configure(folder, { name: 'lagoon', id: before.id, database_name: found });
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).databaseName, found);
    assert.deepEqual(warningCodes(answer), []);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, { ...before, databaseName: found }, folder);
    assert.deepEqual(await fixture.sql('select * from reef', [], found), []);
  });

  describe('named by the config', () => {
    const copy = 'cb_proj_island_copy_0000c0de';
    let folder: string;
    let own: Project;
    let other: Project;

    before(async () => {
      folder = await fixture.folder();
      own = await project(folder, 'island');
      other = await project(await fixture.folder(), 'continent');
    });

    it('C11: is refused while it is not there', async () => {
      await configure(folder, { name: 'island', id: own.id, database_name: copy });
      const error = refused(await engine.resolve({ directory: folder }), 'DATABASE_MISSING');
      assert.match(error.message, new RegExp(`${copy}, which is not there; project "island" has ${own.databaseName}`));
      assert.match(error.hint, /Remove project\.database_name/);
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('C11: is refused while it carries no marker or another project’s', async () => {
      await asSuperuser(`create database ${copy}`);
      const unmarked = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
      assert.match(unmarked.message, /carries no marker.*not touched/);
      await configure(folder, { name: 'island', id: own.id, database_name: other.databaseName });
      const foreign = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
      assert.match(foreign.message, /its marker says project "continent"/);
      assert.deepEqual(changes(fixture.spy.take()), []);
      await assertAgreement(fixture, other, null);
    });

    it('C11: is used at once when it carries the project’s marker, by every tier and after a restart', async () => {
      const [marked] = await fixture.sql<{ comment: string }>(
        `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
        [own.databaseName],
      );
      await asSuperuser(`comment on database ${copy} is '${(marked?.comment ?? '').replaceAll("'", "''")}'`);
      await configure(folder, { name: 'island', id: own.id, database_name: copy });
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual([resolved(answer).id, resolved(answer).databaseName], [own.id, copy]);
      const restarted = await fixture.engine();
      for (const one of [engine, restarted]) {
        for (const params of [{ directory: folder }, { project: own.id }, { project: 'island' }]) {
          assert.equal(resolved(await one.resolve(params)).databaseName, copy);
        }
      }
      assert.deepEqual(creations(fixture.spy.take()), []);
      await assertAgreement(fixture, { ...own, databaseName: copy }, folder);
    });

    it('C11: stays when the override is removed, and goes back when the config names the old one', async () => {
      await configure(folder, { name: 'island', id: own.id });
      assert.equal(resolved(await engine.resolve({ directory: folder })).databaseName, copy);
      await configure(folder, { name: 'island', id: own.id, database_name: own.databaseName });
      assert.equal(resolved(await engine.resolve({ directory: folder })).databaseName, own.databaseName);
      await assertAgreement(fixture, own, folder);
    });
  });
});
