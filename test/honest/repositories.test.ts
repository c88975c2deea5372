import assert from 'node:assert/strict';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../../daemon/protocol/model.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { projectWithCards, Repositories, writeConfig } from '../support/repositories.ts';
import { creations } from '../support/resolutionAssertions.ts';
import { Machine, walk } from '../support/walk.ts';
import { git } from '../unit/git/gitFixture.ts';

describe('somebody with a repository, who did nothing wrong', () => {
  let fixture: RegistryFixture;
  let places: Repositories;
  let mine: Machine;
  let count = 0;
  before(async () => {
    fixture = await registryFixture();
    places = await Repositories.open(fixture);
    mine = await Machine.open(fixture, 'laptop');
  });
  after(() => fixture.close());

  const next = (name: string): string => `${name}-${String((count += 1))}`;
  const originOf = (name: string, owner = 'acme'): string => `https://git.example/${owner}/${name}.git`;

  interface Shop {
    name: string;
    folder: string;
    origin: string | null;
    project: Project;
  }

  /** A repository that this machine resolved, with its config in git. */
  async function shop(options: { origin?: null; inside?: string; tracked?: boolean } = {}): Promise<Shop> {
    const name = next('shop');
    const { inside = '', tracked = true } = options;
    const origin = options.origin === null ? null : originOf(name);
    const folder = await places.make(name, { origin, project: { name }, tracked, inside });
    const project = await projectWithCards(fixture, await mine.engine(), join(folder, inside));
    return { name, folder, origin, project };
  }

  /** Walks a folder to its project, and looks that nothing was made on the way. */
  async function commandsFor(
    directory: string,
    project: Project,
    machine = mine,
    warnings: string[] = [],
  ): Promise<number> {
    fixture.spy.take();
    const walked = await walk(machine, directory, project);
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(walked.warnings, walked.commands === 0 ? warnings : []);
    return walked.commands;
  }

  it('I3: clones it, by https, by ssh and as scp writes it, on this machine and others: nothing to type', async () => {
    const { name, folder, project } = await shop();
    const desktop = await Machine.open(fixture, 'desktop');
    for (const machine of [mine, desktop]) {
      for (const origin of [
        originOf(name),
        `ssh://git@git.example:22/acme/${name}`,
        `git@git.example:acme/${name}.git`,
        `https://token@GIT.example:443/acme/${name}/`,
      ]) {
        assert.equal(await commandsFor(places.clone(folder, next('clone'), origin), project, machine), 0, origin);
      }
    }
  });

  it('W5: adds a worktree, with an origin and without, and works in it first: nothing to type', async () => {
    for (const origin of [undefined, null] as const) {
      const { folder, project } = await shop(origin === null ? { origin } : {});
      const tree = places.at(next('tree'));
      git(folder, 'worktree', 'add', '--quiet', tree);
      assert.equal(await commandsFor(tree, project), 0);
      const nested = join(folder, '.worktrees', 'fix');
      git(folder, 'worktree', 'add', '--quiet', nested);
      assert.equal(await commandsFor(nested, project), 0);
      // The state folder is a new one.
      assert.equal(await commandsFor(tree, project, await Machine.open(fixture, 'laptop')), 0);
      assert.equal(await commandsFor(folder, project), 0);
    }
  });

  it('W5: moves a worktree, and moves the repository with its worktrees: nothing to type', async () => {
    for (const origin of [undefined, null] as const) {
      const { folder, project } = await shop(origin === null ? { origin } : {});
      const tree = places.at(next('tree'));
      git(folder, 'worktree', 'add', '--quiet', tree);
      assert.equal(await commandsFor(tree, project), 0);
      const moved = places.at(next('tree'));
      git(folder, 'worktree', 'move', tree, moved);
      assert.equal(await commandsFor(moved, project), 0);
      const away = places.at(next('moved'));
      await rename(folder, away);
      git(away, 'worktree', 'repair', moved);
      assert.equal(await commandsFor(away, project, mine, origin === null ? ['FOLDER_MOVED'] : []), 0);
      assert.equal(await commandsFor(moved, project), 0);
    }
  });

  it('W5: works in worktrees of a bare repository, in `.bare` and beside it: nothing to type', async () => {
    const { folder, origin, project } = await shop();
    const root = places.at(next('bare'));
    await mkdir(root);
    git(root, 'clone', '--quiet', '--bare', folder, '.bare');
    await writeFile(join(root, '.git'), 'gitdir: ./.bare\n');
    git(join(root, '.bare'), 'config', 'remote.origin.url', origin ?? '');
    for (const branch of ['one', 'two']) {
      git(root, 'worktree', 'add', '--quiet', '-b', branch, branch);
      assert.equal(await commandsFor(join(root, branch), project), 0);
    }
    // The first of a project's folders is one of them, and the bare repository has no origin.
    const name = next('own');
    const own = await places.make(name, { project: { name }, tracked: true });
    const bare = places.at(next('bare'));
    git(places.base, 'clone', '--quiet', '--bare', own, bare);
    git(bare, 'remote', 'remove', 'origin');
    const [one, two] = [places.at(next('tree')), places.at(next('tree'))];
    git(bare, 'worktree', 'add', '--quiet', one);
    git(bare, 'worktree', 'add', '--quiet', '-b', 'two', two);
    const made = await projectWithCards(fixture, await mine.engine(), one);
    assert.equal(await commandsFor(two, made), 1);
  });

  it('W5: works in a submodule, a clone of it, and a worktree of what it is in: nothing to type', async () => {
    const { folder, origin, project } = await shop();
    for (const outside of ['outer', 'outer']) {
      const outer = await places.make(next(outside), { origin: originOf(next('outer')) });
      git(outer, 'submodule', '--quiet', 'add', folder, 'sub');
      git(outer, 'commit', '--quiet', '-m', 'sub');
      git(join(outer, 'sub'), 'remote', 'set-url', 'origin', origin ?? '');
      assert.equal(await commandsFor(join(outer, 'sub'), project), 0);
      const tree = places.at(next('tree'));
      git(outer, 'worktree', 'add', '--quiet', tree);
      git(tree, 'submodule', '--quiet', 'update', '--init');
      git(join(tree, 'sub'), 'remote', 'set-url', 'origin', origin ?? '');
      assert.equal(await commandsFor(join(tree, 'sub'), project), 0);
    }
  });

  it('I4: moves the repository, alone or with the folder that it is in: nothing to type', async () => {
    for (const [options, inPlace] of [
      [{}, true],
      [{}, false],
      [{ origin: null }, true],
      [{ origin: null }, false],
      [{ origin: null, tracked: false }, true],
      [{ origin: null, tracked: false }, false],
    ] as const) {
      const { folder, project } = await shop(options);
      const told = 'origin' in options ? ['FOLDER_MOVED'] : [];
      if (inPlace) {
        const moved = places.at(next('moved'));
        await rename(folder, moved);
        assert.equal(await commandsFor(moved, project, mine, told), 0, JSON.stringify(options));
      } else {
        // `mv ~/work ~/projects`: the folder that held it is gone, too.
        const [work, projects] = [next('work'), next('projects')];
        const name = next('inner');
        const before = join(places.at(work), name);
        await mkdir(places.at(work));
        await rename(folder, before);
        assert.equal(await commandsFor(before, project, mine, told), 0);
        await rename(places.at(work), places.at(projects));
        const after = join(places.at(projects), name);
        assert.equal(await commandsFor(after, project, mine, told), 0, JSON.stringify(options));
      }
    }
  });

  it('I4: moves it to another disk: nothing with an origin or the id, one command with neither', async () => {
    for (const [options, expected] of [
      [{}, 0],
      [{ origin: null, tracked: false }, 0],
      [{ origin: null }, 1],
    ] as const) {
      const { folder, project } = await shop(options);
      const moved = places.at(next('moved'));
      await cp(folder, moved, { recursive: true });
      await rm(folder, { recursive: true });
      const told = 'tracked' in options ? ['FOLDER_MOVED'] : [];
      assert.equal(await commandsFor(moved, project, mine, told), expected, JSON.stringify(options));
    }
  });

  it('I3: gets it transferred or renamed at its server: nothing here; clones of the new address follow', async () => {
    const { name, folder, project } = await shop();
    const moved = originOf(name, 'acme-labs');
    git(folder, 'remote', 'set-url', 'origin', moved);
    assert.equal(await commandsFor(folder, project), 0);
    const colleague = await Machine.open(fixture, 'colleague');
    assert.equal(await commandsFor(places.clone(folder, next('clone'), moved), project, colleague), 0);
    assert.equal(await commandsFor(places.clone(folder, next('clone'), originOf(name)), project, colleague), 0);
    // Whoever clones before any folder of the project has been seen with the new address types one command.
    const second = await shop();
    const address = originOf(second.name, 'acme-labs');
    assert.equal(await commandsFor(places.clone(second.folder, next('clone'), address), second.project, colleague), 1);
  });

  it('I3: adds an origin later: nothing here, nothing for clones', async () => {
    const { name, folder, project } = await shop({ origin: null });
    git(folder, 'remote', 'add', 'origin', originOf(name));
    assert.equal(await commandsFor(folder, project), 0);
    const colleague = await Machine.open(fixture, 'colleague');
    assert.equal(await commandsFor(places.clone(folder, next('clone'), originOf(name)), project, colleague), 0);
  });

  it('I3: has a rule for a mirror in the configuration of git, or an alias in that of ssh: nothing to type', async () => {
    const { name, folder, project } = await shop();
    const colleague = await Machine.open(fixture, 'colleague');
    await writeFile(
      join(colleague.home, '.gitconfig'),
      '[url "https://git.example/"]\n\tinsteadOf = ex:\n[url "https://mirror.example/"]\n\tinsteadOf = https://git.example/\n',
    );
    await mkdir(join(colleague.home, '.ssh'));
    await writeFile(join(colleague.home, '.ssh', 'config'), 'Host work\n  HostName git.example\n  User git\n');
    for (const origin of [originOf(name), `ex:acme/${name}`, `git@work:acme/${name}.git`]) {
      assert.equal(await commandsFor(places.clone(folder, next('clone'), origin), project, colleague), 0, origin);
    }
    // The first folder is the colleague's, by the alias; mine is not.
    const own = next('shop');
    const first = await places.make(own, { origin: `work:acme/${own}.git`, project: { name: own }, tracked: true });
    const made = await projectWithCards(fixture, await colleague.engine(), first);
    assert.equal(await commandsFor(places.clone(first, next('clone'), originOf(own)), made), 0);
  });

  it('I3: clones it from a folder of this machine, and clones the clone: nothing to type', async () => {
    for (const origin of [undefined, null] as const) {
      const { folder, project } = await shop(origin === null ? { origin } : {});
      const clone = places.clone(folder, next('clone'), folder);
      assert.equal(await commandsFor(clone, project), 0);
      assert.equal(await commandsFor(places.clone(clone, next('clone'), clone), project), 0);
      assert.equal(await commandsFor(folder, project), 0);
    }
  });

  it('I3: moves a package within a monorepo, here and in a clone: nothing to type', async () => {
    const { name, folder, project } = await shop({ inside: 'packages/web' });
    const clone = places.clone(folder, next('clone'), originOf(name));
    assert.equal(await commandsFor(join(clone, 'packages', 'web'), project), 0);
    await mkdir(join(folder, 'apps'));
    git(folder, 'mv', 'packages/web', 'apps/web');
    await rm(join(folder, 'packages'), { recursive: true, force: true });
    git(folder, 'commit', '--quiet', '-m', 'move');
    assert.equal(await commandsFor(join(folder, 'apps', 'web'), project), 0);
    git(clone, 'pull', '--quiet', folder, 'main');
    assert.equal(await commandsFor(join(clone, 'apps', 'web'), project), 0);
    const fresh = places.clone(folder, next('clone'), originOf(name));
    assert.equal(await commandsFor(join(fresh, 'apps', 'web'), project, await Machine.open(fixture, 'desktop')), 0);
  });

  it('I3: works in a fork of it at a server, or in a download: one command, once', async () => {
    const { name, folder, project } = await shop();
    const fork = places.clone(folder, next('fork'), originOf(name, 'eve'));
    git(fork, 'remote', 'add', 'upstream', originOf(name));
    assert.equal(await commandsFor(fork, project), 1);
    const tree = places.at(next('tree'));
    git(fork, 'worktree', 'add', '--quiet', tree);
    assert.equal(await commandsFor(tree, project), 0);
    const zip = places.at(next('zip'));
    const unpack = (): Promise<void> => cp(folder, zip, { recursive: true, filter: (path) => !path.endsWith('.git') });
    await unpack();
    assert.equal(await commandsFor(zip, project), 1);
    // A newer one, unpacked to the same place.
    await rm(zip, { recursive: true });
    await unpack();
    assert.equal(await commandsFor(zip, project), 0);
  });

  it('I2: deletes the folder and clones it again, or makes its .git anew: nothing to type', async () => {
    const { folder, origin, project } = await shop();
    const elsewhere = places.clone(folder, next('server'), origin);
    await places.replace(folder, elsewhere, origin);
    assert.equal(await commandsFor(folder, project), 0);
    await rm(join(folder, '.git'), { recursive: true });
    git(folder, 'init', '--quiet');
    git(folder, 'remote', 'add', 'origin', origin ?? '');
    assert.equal(await commandsFor(folder, project), 0);
  });

  it('I2: gives up git in a folder, or begins with it: one command, and nothing', async () => {
    const { folder, project } = await shop();
    await rm(join(folder, '.git'), { recursive: true });
    assert.equal(await commandsFor(folder, project), 1);
    const name = next('plain');
    await writeConfig(places.at(name), { name });
    const made = await projectWithCards(fixture, await mine.engine(), places.at(name));
    git(places.at(name), 'init', '--quiet');
    assert.equal(await commandsFor(places.at(name), made), 0);
    git(places.at(name), 'remote', 'add', 'origin', originOf(name));
    assert.equal(await commandsFor(places.at(name), made), 0);
  });

  it('W5: resolves a worktree before its main checkout, without an origin: one command in the main one, once', async () => {
    const name = next('late');
    const folder = await places.make(name, { project: { name }, tracked: true });
    const tree = places.at(next('tree'));
    git(folder, 'worktree', 'add', '--quiet', tree);
    const made = await projectWithCards(fixture, await mine.engine(), tree);
    assert.equal(await commandsFor(folder, made), 1);
    assert.equal(await commandsFor(tree, made), 0);
  });
});
