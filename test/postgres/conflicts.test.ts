import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { atOnce, path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  warningCodes,
} from '../support/resolutionAssertions.ts';

describe('two claims that cannot both be right', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine(atOnce);
  });
  after(() => fixture.close());

  async function named(folder: string, name: string, id?: string): Promise<void> {
    await fixture.config(folder, { version: '1.0', project: { name, ...(id === undefined ? {} : { id }) } });
  }

  async function project(folder: string, name: string, id?: string): Promise<Project> {
    await named(folder, name, id);
    const made = resolved(await engine.resolve({ directory: folder }));
    fixture.spy.take();
    return made;
  }

  it('H4: of two unrelated folders with one name, the second is refused with whose it is and the choices', async () => {
    const [one, two] = [await fixture.folder(), await fixture.folder()];
    const first = await project(one, 'notes');
    await named(two, 'notes');
    const answer = await engine.resolve({ directory: two });
    const error = refused(answer, 'PROJECT_CONFLICT');
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    assert.equal(
      error.message,
      '"notes" belongs to a folder on this machine; this folder has no origin. Nothing was read or made.',
    );
    const proposal = `notes-${basename(two)}`;
    assert.equal(
      error.hint,
      `registrar init ${proposal} --local (a database of its own, no file changes) | registrar use notes (share its database)`,
    );
    assert.deepEqual(error.details, {
      name: 'notes',
      project: { id: first.id, name: 'notes' },
      origin: null,
      folder: two,
      folderOrigin: null,
      proposal,
      choices: ['init', 'use', 'rename'],
    });
    // Whose it is, and no more: neither the other folder nor the database.
    assert.ok(!JSON.stringify(error).includes(`${one}"`), JSON.stringify(error));
    assert.doesNotMatch(JSON.stringify(error), /cb_proj_/);
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.deepEqual((await fixture.readConfig(two)).project, { name: 'notes' });
    await assertAgreement(fixture, first, one);
  });

  it('H4: of two packages of one monorepo with one name, the second is refused', async () => {
    const root = await fixture.folder();
    await fixture.origin(root, 'git@example.com:acme/mono.git');
    const [web, api] = [join(root, 'packages', 'web'), join(root, 'packages', 'api')];
    const first = await project(web, 'service');
    await named(api, 'service');
    const error = refused(await engine.resolve({ directory: api }), 'PROJECT_CONFLICT');
    assert.equal(
      error.message,
      '"service" belongs to "packages/web" of example.com/acme/mono; this folder is "packages/api" of it. Nothing was read or made.',
    );
    const { origin, folder, folderOrigin } = error.details ?? {};
    assert.deepEqual([origin, folder, folderOrigin], ['example.com/acme/mono', api, 'example.com/acme/mono']);
    assert.deepEqual(changes(fixture.spy.take()), []);
    await assertAgreement(fixture, first, web);
    // The choice that the hint offers: another name.
    await named(api, 'service-api');
    const second = await engine.resolve({ directory: api });
    assert.equal(second.created, true);
    assert.notEqual(resolved(second).databaseName, first.databaseName);
    await assertAgreement(fixture, resolved(second), api);
  });

  it('H4: on two machines with one path and no origin, the second is refused by name and let in by id', async () => {
    const folder = await fixture.folder('ledger-here');
    const first = await project(folder, 'ledger');
    // Another folder at the very same path is what another machine has.
    await rename(folder, `${folder}-kept`);
    await named(await fixture.folder('ledger-here'), 'ledger');
    const elsewhere = await fixture.engine({ ...atOnce, host: 'elsewhere' });
    const error = refused(await elsewhere.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    assert.equal(
      error.message,
      '"ledger" belongs to another machine; this folder has no origin. Nothing was read or made.',
    );
    assert.deepEqual(changes(fixture.spy.take()), []);

    await named(folder, 'ledger', first.id);
    const answers = [await elsewhere.resolve({ directory: folder }), await elsewhere.resolve({ directory: folder })];
    assert.deepEqual(answers.map(warningCodes), [['CLAIMED_ELSEWHERE'], []]);
    for (const answer of answers) assert.equal(resolved(answer).id, first.id);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, first, folder);
  });

  it('H4: the same folder without its id is one project on a machine that got another name', async () => {
    const folder = await fixture.folder();
    const first = await project(folder, 'journal');
    await named(folder, 'journal');
    const renamed = await fixture.engine({ host: 'renamed' });
    const answers = [await renamed.resolve({ directory: folder }), await renamed.resolve({ directory: folder })];
    assert.deepEqual(answers.map(warningCodes), [['CLAIMED_ELSEWHERE'], []]);
    for (const answer of answers) assert.equal(resolved(answer).id, first.id);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, first, folder);
  });

  it('H4: first claims of two unrelated folders at the same time make one project and one conflict', async () => {
    const folders = [await fixture.folder(), await fixture.folder()];
    for (const folder of folders) await named(folder, 'diary');
    const second = await fixture.engine(atOnce);
    const answers = await Promise.all(
      folders.map((directory, index) => (index === 0 ? engine : second).resolve({ directory })),
    );
    assert.deepEqual(answers.map(({ outcome }) => outcome).sort(), ['refused', 'resolved']);
    assert.equal(answers.find(({ outcome }) => outcome === 'refused')?.error?.code, 'PROJECT_CONFLICT');
    assert.equal(creations(fixture.spy.take()).length, 1);
  });

  it('H5: of two folders with one name and two ids, the second is refused and neither row is touched', async () => {
    const [one, two] = [await fixture.folder(), await fixture.folder()];
    const first = await project(one, 'atlas', randomUUID());
    const before = await fixture.row('atlas');
    await named(two, 'atlas', randomUUID());
    const error = refused(await engine.resolve({ directory: two }), 'PROJECT_CONFLICT');
    assert.match(error.message, /^"atlas" belongs to a folder on this machine; this folder has no origin\./);
    assert.match(error.hint, /registrar use atlas/);
    assert.deepEqual([error.details?.['project'], error.details?.['folder']], [{ id: first.id, name: 'atlas' }, two]);
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.deepEqual(await fixture.row('atlas'), before);

    // What the hint offers settles it: one project, both folders.
    const settled = await engine.useProject({ project: 'atlas', directory: two });
    assert.equal(resolved(settled).id, first.id);
    assert.deepEqual(warningCodes(settled), []);
    for (const directory of [one, two, one]) {
      const answer = await engine.resolve({ directory });
      assert.deepEqual([resolved(answer).id, warningCodes(answer).length], [first.id, 0]);
    }
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, first, two);
  });

  it('H5: an id of one project with the name of another is refused, and use settles it either way', async () => {
    const [one, two, three] = [await fixture.folder(), await fixture.folder(), await fixture.folder()];
    const first = await project(one, 'globe');
    const second = await project(two, 'chart');
    const rows = [await fixture.row('globe'), await fixture.row('chart')];
    await named(three, 'globe', second.id);
    const error = refused(await engine.resolve({ directory: three }), 'PROJECT_CONFLICT');
    assert.match(error.message, new RegExp(`"chart".*${first.id}.*Neither was touched`));
    assert.match(error.hint, new RegExp(`registrar use chart or registrar use ${first.id}`));
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.deepEqual([await fixture.row('globe'), await fixture.row('chart')], rows);
    for (const wanted of [first, second]) {
      assert.equal(resolved(await engine.useProject({ project: wanted.id, directory: three })).id, wanted.id);
      await assertAgreement(fixture, wanted, three);
    }
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  describe('row and marker', () => {
    let folder: string;
    let victim: Project;
    let owner: Project;
    before(async () => {
      folder = await fixture.folder();
      victim = await project(folder, 'cellar');
      owner = await project(await fixture.folder(), 'attic');
    });

    async function mark(marker: object): Promise<void> {
      const comment = JSON.stringify({ registrar: marker }).replaceAll("'", "''");
      await fixture.sql(`comment on database ${victim.databaseName} is '${comment}'`, [], 'postgres');
      fixture.spy.take();
    }

    async function assertNeverUsed(said: RegExp): Promise<void> {
      const row = await fixture.row('cellar');
      for (const params of [{ directory: folder }, { project: victim.id }, { project: 'cellar' }]) {
        const error = refused(await engine.resolve(params), 'DATABASE_FOREIGN');
        assert.match(error.message, said);
        assert.match(error.message, /It was not touched/);
        assert.match(error.hint, /project\.database_name|adopt/);
        const connection = await engine.connection(params);
        assert.equal(connection.environment, null);
      }
      assert.doesNotMatch(JSON.stringify(await engine.resolve({ project: 'cellar' })), new RegExp(owner.databaseName));
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.deepEqual(await fixture.row('cellar'), row);
    }

    it('H8: a database that another project marked is never used', async () => {
      await mark({ registry: fixture.registry, project_id: owner.id, name: 'attic', created_at: owner.createdAt });
      await assertNeverUsed(new RegExp(`"cellar".*its marker says project "attic" \\(${owner.id}\\)`));
    });

    it('H8: a database that another registry marked is never used, even for the same id', async () => {
      await mark({ registry: 'other_registry', project_id: victim.id, name: 'cellar', created_at: victim.createdAt });
      await assertNeverUsed(/"cellar".*of registry other_registry/);
    });

    it('H8: the database is used again once its marker says so', async () => {
      await mark({ registry: fixture.registry, project_id: victim.id, name: 'cellar', created_at: victim.createdAt });
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual([resolved(answer).id, answer.warnings.length], [victim.id, 0]);
      await assertAgreement(fixture, victim, folder);
    });
  });
});
