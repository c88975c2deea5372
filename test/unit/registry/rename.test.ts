import assert from 'node:assert/strict';
import { path, WorldFixture } from '../../support/worldFixture.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';

const fromConfig = ['explicit skipped', 'config matched', 'identity matched'];

describe('a project whose name changes', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  before(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  /** A repository's main checkout and a linked worktree of it. */
  function mainAndWorktree(): [main: string, worktree: string] {
    const main = fixture.folder();
    return [main, fixture.worktree(main)];
  }

  it('H1: is renamed when its folder changes the name in the config, and keeps its database', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'bakery');
    const before = resolved(await engine.resolve({ directory: folder }));

    fixture.named(folder, 'patisserie', before.id);
    fixture.changes();
    const renamed = await engine.resolve({ directory: folder });
    assert.deepEqual(path(renamed), fromConfig);
    assert.deepEqual(warningCodes(renamed), ['RENAMED']);
    assert.match(renamed.warnings[0]?.message ?? '', /"bakery".*"patisserie"/);
    assert.match(renamed.warnings[0]?.hint ?? '', /project\.name/);
    assert.equal(renamed.created, false);
    assert.ok(!fixture.changes().includes('create'));
    const after = resolved(renamed);
    assert.deepEqual(
      { id: after.id, name: after.name, databaseName: after.databaseName },
      { id: before.id, name: 'patisserie', databaseName: before.databaseName },
    );
    fixture.assertAgreement(after, folder);

    for (const params of [{ directory: folder }, { project: before.id }, { project: 'patisserie' }]) {
      const again = await engine.resolve(params);
      assert.equal(resolved(again).databaseName, before.databaseName);
      assert.deepEqual(warningCodes(again), []);
    }
    const old = refused(await engine.resolve({ project: 'bakery' }), 'PROJECT_NOT_FOUND');
    assert.doesNotMatch(JSON.stringify(old), /cb_proj_/);
    assert.deepEqual(fixture.changes(), []);
  });

  it('H1: is renamed back when the config goes back', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'dairy');
    const before = resolved(await engine.resolve({ directory: folder }));
    fixture.named(folder, 'creamery', before.id);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), ['RENAMED']);
    fixture.named(folder, 'dairy', before.id);
    const back = await engine.resolve({ directory: folder });
    assert.deepEqual(warningCodes(back), ['RENAMED']);
    fixture.assertAgreement({ ...before, name: 'dairy' }, folder);
    assert.equal(resolved(back).databaseName, before.databaseName);
  });

  it('H1: keeps its name when a second worktree calls it otherwise, however often both resolve', async () => {
    const [main, worktree] = mainAndWorktree();
    fixture.named(main, 'mill');
    const project = resolved(await engine.resolve({ directory: main }));
    fixture.named(worktree, 'mill-feature', project.id);

    fixture.changes();
    for (let round = 0; round < 3; round++) {
      const inMain = await engine.resolve({ directory: main });
      assert.deepEqual(warningCodes(inMain), []);
      const inWorktree = await engine.resolve({ directory: worktree });
      assert.deepEqual(path(inWorktree), fromConfig);
      assert.deepEqual(warningCodes(inWorktree), ['NAME_DIFFERS']);
      assert.match(inWorktree.warnings[0]?.message ?? '', /"mill-feature".*"mill"/);
      assert.match(inWorktree.warnings[0]?.hint ?? '', /registrar projects rename/);
      for (const answer of [inMain, inWorktree]) {
        assert.equal(resolved(answer).name, 'mill');
        assert.equal(resolved(answer).databaseName, project.databaseName);
      }
    }
    fixture.assertAgreement(project, main);
    // That the worktree claims it, too, is kept in the state folder alone.
    assert.deepEqual(fixture.changes(), []);
  });

  it('H1: is never renamed by a linked worktree, though it claimed the name before; its main checkout does it', async () => {
    const [main, worktree] = mainAndWorktree();
    fixture.named(main, 'quarry');
    const project = resolved(await engine.resolve({ directory: main }));
    fixture.named(worktree, 'quarry', project.id);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: worktree })), []);

    fixture.changes();
    fixture.named(worktree, 'stone-pit', project.id);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: worktree })), ['NAME_DIFFERS']);
    assert.deepEqual(fixture.changes(), []);
    fixture.assertAgreement(project, main);

    fixture.named(main, 'stone-pit', project.id);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: main })), ['RENAMED']);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: worktree })), []);
    fixture.assertAgreement({ ...project, name: 'stone-pit' }, worktree);
  });

  it('H1: is renamed by the clone that last claimed its name, and the other only warns', async () => {
    const [one, other] = [fixture.folder(), fixture.folder()];
    for (const clone of [one, other]) fixture.origin(clone, 'example.com/acme/shingle');
    fixture.named(one, 'shingle');
    const project = resolved(await engine.resolve({ directory: one }));
    fixture.named(other, 'shingle', project.id);
    resolved(await engine.resolve({ directory: other }));

    fixture.named(other, 'pebbles', project.id);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: other })), ['RENAMED']);
    for (let round = 0; round < 2; round++) {
      const inOne = await engine.resolve({ directory: one });
      assert.deepEqual(warningCodes(inOne), ['NAME_DIFFERS']);
      assert.equal(resolved(inOne).name, 'pebbles');
      assert.deepEqual(warningCodes(await engine.resolve({ directory: other })), []);
    }
    fixture.assertAgreement({ ...project, name: 'pebbles' }, other);
    assert.equal(fixture.config(one).name, 'shingle');
  });

  it('H1: keeps its name when the config takes the name of another project', async () => {
    const one = fixture.folder();
    fixture.named(one, 'forge');
    const forge = resolved(await engine.resolve({ directory: one }));
    const two = fixture.folder();
    fixture.named(two, 'smithy');
    const smithy = resolved(await engine.resolve({ directory: two }));

    fixture.named(two, 'forge', smithy.id);
    fixture.changes();
    const error = refused(await engine.resolve({ directory: two }), 'PROJECT_CONFLICT');
    assert.match(error.message, new RegExp(`"smithy".*${forge.id}.*Neither was touched`));
    assert.match(error.hint, /registrar use smithy.*project\.name/);
    assert.deepEqual(fixture.changes(), []);
    fixture.assertAgreement(forge, one);
    fixture.assertAgreement(smithy, null);
  });

  it('H1: is only said to be renamed in a dry run', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'orchard');
    const project = resolved(await engine.resolve({ directory: folder }));
    fixture.named(folder, 'grove', project.id);
    fixture.changes();
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, ['rename project "orchard" to "grove"']);
    assert.deepEqual(fixture.changes(), []);
    fixture.assertAgreement(project, null);
  });

  it('is not renamed when the caller expects it by the name that it would lose', async () => {
    const folder = fixture.folder();
    fixture.named(folder, 'harbour');
    const project = resolved(await engine.resolve({ directory: folder }));
    fixture.named(folder, 'port', project.id);
    fixture.changes();
    refused(await engine.resolve({ directory: folder, expect: 'harbour' }), 'PROJECT_MISMATCH');
    assert.deepEqual(fixture.changes(), []);
    const renamed = await engine.resolve({ directory: folder, expect: 'port' });
    assert.equal(resolved(renamed).id, project.id);
    assert.deepEqual(warningCodes(renamed), ['RENAMED']);
  });

  describe('by command', () => {
    it('is renamed in registry, marker and the config of its folder', async () => {
      const folder = fixture.folder();
      fixture.named(folder, 'tannery');
      const before = resolved(await engine.resolve({ directory: folder }));
      fixture.changes();
      const renamed = await engine.updateProject({ project: 'tannery', name: 'leather works' });
      assert.equal(resolved(renamed).name, 'leather works');
      assert.equal(resolved(renamed).databaseName, before.databaseName);
      assert.ok(!fixture.changes().includes('create'));
      assert.equal(fixture.config(folder).name, 'leather works');
      const again = await engine.resolve({ directory: folder });
      assert.deepEqual(path(again), fromConfig);
      assert.deepEqual(warningCodes(again), []);
      assert.equal(again.created, false);
      fixture.assertAgreement(resolved(again), null);
    });

    it('is renamed in the config that names it without an id, so that its folder makes no second project', async () => {
      const folder = fixture.workspace('ropery', { isTracked: true });
      const before = resolved(await engine.resolve({ directory: folder }));
      assert.equal(fixture.config(folder).id, null);
      await engine.updateProject({ project: 'ropery', name: 'ropewalk' });
      fixture.changes();
      const after = await engine.resolve({ directory: folder });
      assert.equal(resolved(after).id, before.id);
      assert.equal(resolved(after).name, 'ropewalk');
      assert.ok(!fixture.changes().includes('create'));
    });

    it('leaves the config alone that belongs to another project by now', async () => {
      const folder = fixture.folder();
      fixture.named(folder, 'cooperage');
      const project = resolved(await engine.resolve({ directory: folder }));
      const other = resolved(await engine.createProject({ name: 'barrels' }));
      fixture.named(folder, 'barrels', other.id);
      await engine.updateProject({ project: project.id, name: 'casks' });
      assert.deepEqual([fixture.config(folder).name, fixture.config(folder).id], ['barrels', other.id]);
      fixture.assertAgreement({ ...project, name: 'casks' }, null);
    });

    it('gets another description, alone or with the name, and none again', async () => {
      const { id } = resolved(await engine.createProject({ name: 'glaziers', description: 'windows' }));
      const update = async (change: object): Promise<unknown[]> => {
        const { name, description } = resolved(await engine.updateProject({ project: id, ...change }));
        fixture.assertAgreement(resolved(await engine.resolve({ project: id })), null);
        return [name, description];
      };
      assert.deepEqual(await update({ description: 'panes' }), ['glaziers', 'panes']);
      assert.deepEqual(await update({ name: 'glass works', description: 'bottles' }), ['glass works', 'bottles']);
      assert.deepEqual(await update({ description: null }), ['glass works', null]);
      await thrown(engine.updateProject({ project: id, description: 'a\0b' }), 'INVALID_ARGUMENT');
    });

    it('keeps its name when the new one is taken, and says by whom', async () => {
      const one = resolved(await engine.createProject({ name: 'weavers' }));
      const two = resolved(await engine.createProject({ name: 'spinners' }));
      const error = await thrown(engine.updateProject({ project: two.id, name: 'weavers' }), 'PROJECT_CONFLICT');
      assert.match(error.message, new RegExp(`"weavers" is taken.*${one.id}`));
      assert.match(error.hint, /another name/);
      fixture.assertAgreement(one, null);
      fixture.assertAgreement(two, null);
    });

    it('keeps its name when the new one is not valid or the project is not there', async () => {
      const project = resolved(await engine.createProject({ name: 'dyers' }));
      const error = await thrown(engine.updateProject({ project: 'dyers', name: '@dye/works' }), 'NAME_INVALID');
      assert.match(error.hint, /dye-works/);
      await thrown(engine.updateProject({ project: 'nobody', name: 'somebody' }), 'PROJECT_NOT_FOUND');
      fixture.assertAgreement(project, null);
    });
  });
});
