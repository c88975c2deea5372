import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promptLooks, waitingLooks } from '../../../daemon/files/fileLooks.ts';
import { findConfig } from '../../../daemon/config/findConfig.ts';
import type { ConfigSearch } from '../../../daemon/resolution/ports.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { git, newBare, newRepository, newSuperproject } from '../git/gitFixture.ts';
import { asOrdinaryUser, giveToOrdinaryUser, put, putConfig, scratchFolder } from './scratchFolder.ts';

const scratch = scratchFolder();
const nowhere = '/nowhere/home';

/** In both ways of looking, which have to agree. */
async function find(directory: string, home = nowhere): Promise<ConfigSearch> {
  const [first, second] = await Promise.allSettled(
    [waitingLooks, promptLooks].map((looks) => findConfig(directory, { home, looks })),
  );
  assert.ok(first && second);
  if (first.status === 'fulfilled') {
    assert.deepEqual(second, first);
    return first.value;
  }
  assert.equal(second.status, 'rejected');
  assert.equal(String(second.reason), String(first.reason));
  throw first.reason;
}

async function folder(...parts: string[]): Promise<string> {
  const path = scratch.path(...parts);
  await mkdir(path, { recursive: true });
  return path;
}

async function foundIn(directory: string, home = nowhere): Promise<string> {
  const search = await find(directory, home);
  assert.equal(search.kind, 'found');
  assert.equal(search.path, join(search.folder, '.codebase-mcp', 'config.json'));
  return search.folder;
}

async function assertCode(search: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(search, (error) => error instanceof RegistrarError && error.code === code && error.hint !== '');
}

describe('R5: the nearest config file', () => {
  it('wins at once when one appears closer, and is gone when it is deleted', async () => {
    const top = await folder('r5');
    const deep = await folder('r5', 'a', 'b');
    await mkdir(join(top, '.git'));
    await putConfig(top);
    assert.equal(await foundIn(deep), top);
    await putConfig(deep);
    assert.equal(await foundIn(deep), deep);
    await rm(join(deep, '.codebase-mcp', 'config.json'));
    assert.equal(await foundIn(deep), top);
  });
});

describe('R6: the walk', () => {
  it('ends at a nested repository, which does not inherit', async () => {
    const top = await folder('nested');
    await putConfig(top);
    const inner = await folder('nested', 'inner', 'src');
    await mkdir(scratch.path('nested', 'inner', '.git'));
    assert.deepEqual(await find(inner), { kind: 'none', from: inner, upTo: join(top, 'inner'), why: 'repository' });
    await putConfig(join(top, 'inner'), 'inner');
    assert.equal(await foundIn(inner), join(top, 'inner'));
  });

  for (const name of ['.jj', '.hg', '.sl']) {
    it(`ends at a working tree of ${name}, after looking in it`, async () => {
      const top = await folder(`outer${name}`);
      await putConfig(top);
      const inner = await folder(`outer${name}`, 'inner', 'src');
      await mkdir(join(top, 'inner', name));
      assert.deepEqual(await find(inner), { kind: 'none', from: inner, upTo: join(top, 'inner'), why: 'repository' });
      await putConfig(join(top, 'inner'), 'inner');
      assert.equal(await foundIn(inner), join(top, 'inner'));
    });
  }

  it('gives the folder where .codebase-mcp stands, not where that leads', async () => {
    const top = await folder('standing');
    const elsewhere = await folder('leadingTo');
    await putConfig(elsewhere);
    await symlink(join(elsewhere, '.codebase-mcp'), join(top, '.codebase-mcp'));
    assert.equal(await foundIn(top), top);
  });

  it('ends at a submodule like at a repository', async () => {
    const top = await folder('super');
    await putConfig(top);
    const sub = await folder('super', 'sub');
    await put(join(top, '.git', 'modules', 'sub', 'HEAD'), 'ref: refs/heads/main\n');
    await writeFile(join(sub, '.git'), 'gitdir: ../.git/modules/sub\n');
    assert.deepEqual(await find(sub), { kind: 'none', from: sub, upTo: sub, why: 'repository' });
  });

  it('never looks in the home folder, from below or from itself', async () => {
    const home = await folder('home');
    const below = await folder('home', 'x');
    await putConfig(home);
    assert.deepEqual(await find(below, home), { kind: 'none', from: below, upTo: home, why: 'home' });
    assert.deepEqual(await find(home, home), { kind: 'none', from: home, upTo: home, why: 'home' });
    assert.equal(await foundIn(below), home);
  });

  it('ends at the root', async () => {
    const search = await find('/');
    assert.deepEqual(search, { kind: 'none', from: '/', upTo: '/', why: 'root' });
    const top = await folder('bare');
    const fromBare = await find(top);
    assert.equal(fromBare.kind === 'none' && fromBare.why, 'root');
  });

  it('looks in twenty folders, not in a twenty-first', async () => {
    const parts = Array.from({ length: 20 }, (_, index) => `d${index}`);
    const top = await folder('deep');
    const bottom = await folder('deep', ...parts);
    await putConfig(top);
    const search = await find(bottom);
    assert.deepEqual(search, { kind: 'none', from: bottom, upTo: join(top, 'd0'), why: 'depth' });
    assert.equal(await foundIn(join(bottom, '..')), top);
  });

  it('goes by real paths', async () => {
    const real = await folder('realProject', 'src');
    await putConfig(scratch.path('realProject'));
    await mkdir(scratch.path('realProject', '.git'));
    const links = await folder('links');
    await putConfig(links, 'other');
    await symlink(real, join(links, 'src'));
    assert.equal(await foundIn(join(links, 'src')), scratch.path('realProject'));
  });

  it('skips parents that may not be read', async () => {
    const top = await folder('locked');
    await mkdir(join(top, '.git'));
    await putConfig(top);
    const below = await folder('locked', 'private', 'x');
    // Searchable, so that the path exists for others, but not to be listed.
    await chmod(join(top, 'private'), 0o111);
    try {
      assert.equal(await asOrdinaryUser(() => foundIn(below)), top);
    } finally {
      await chmod(join(top, 'private'), 0o755);
    }
  });

  it('refuses directories that are none', async () => {
    await symlink(scratch.path('loop'), scratch.path('loop'));
    const file = await put(scratch.path('file'), '');
    await assertCode(find(scratch.path('loop')), 'DIRECTORY_INVALID');
    await assertCode(find(scratch.path('missing')), 'DIRECTORY_INVALID');
    await assertCode(find(file), 'DIRECTORY_INVALID');
    await assertCode(find(join(file, 'x')), 'DIRECTORY_INVALID');
    await assertCode(find('/a\0b'), 'DIRECTORY_INVALID');
  });

  it('ends where a link inside the tree leads back up', async () => {
    const top = await folder('cycle', 'a');
    await mkdir(scratch.path('cycle', '.git'));
    await putConfig(scratch.path('cycle'));
    await symlink('..', join(top, 'up'));
    assert.equal(await foundIn(join(top, 'up', 'a', 'up', 'a')), scratch.path('cycle'));
  });
});

describe('R2: a config file that is there but cannot be read', () => {
  it('is an error when it is a folder, a link to nothing or to itself, never a miss', async () => {
    const top = await folder('odd');
    await putConfig(top);
    await mkdir(scratch.path('odd', 'asFolder', '.codebase-mcp', 'config.json'), { recursive: true });
    await folder('odd', 'dangling', '.codebase-mcp');
    await symlink('nothing', scratch.path('odd', 'dangling', '.codebase-mcp', 'config.json'));
    await folder('odd', 'selfLink', '.codebase-mcp');
    await symlink('config.json', scratch.path('odd', 'selfLink', '.codebase-mcp', 'config.json'));
    await folder('odd', 'danglingFolder');
    await symlink('nothing', scratch.path('odd', 'danglingFolder', '.codebase-mcp'));
    for (const name of ['asFolder', 'dangling', 'selfLink', 'danglingFolder']) {
      await assertCode(find(join(top, name)), 'CONFIG_UNREADABLE');
    }
  });

  it('is an error when its folder may not be entered', async () => {
    const top = await folder('closed');
    await putConfig(top);
    await giveToOrdinaryUser(join(top, '.codebase-mcp'));
    await chmod(join(top, '.codebase-mcp'), 0o000);
    try {
      await assertCode(
        asOrdinaryUser(() => find(top)),
        'CONFIG_UNREADABLE',
      );
    } finally {
      await chmod(join(top, '.codebase-mcp'), 0o755);
    }
  });

  it('is a miss when .codebase-mcp is empty or a file', async () => {
    const top = await folder('empty');
    await mkdir(join(top, '.git'));
    await mkdir(join(top, '.codebase-mcp'));
    assert.equal((await find(top)).kind, 'none');
    await rm(join(top, '.codebase-mcp'), { recursive: true });
    await writeFile(join(top, '.codebase-mcp'), '');
    assert.equal((await find(top)).kind, 'none');
  });
});

describe('R6: a worktree', () => {
  /** A main worktree and one beside it, as git writes them. */
  async function worktreeOf(name: string): Promise<{ main: string; tree: string; gitDir: string }> {
    const main = await folder(name, 'main');
    const tree = await folder(name, 'tree');
    const gitDir = join(main, '.git', 'worktrees', 'tree');
    await put(join(gitDir, 'commondir'), '../..\n');
    await put(join(gitDir, 'gitdir'), `${join(tree, '.git')}\n`);
    await writeFile(join(tree, '.git'), `gitdir: ${gitDir}\n`);
    return { main, tree, gitDir };
  }

  it("without a config of its own uses the main worktree's, from the same path upward", async () => {
    const { main, tree } = await worktreeOf('wt1');
    const deep = await folder('wt1', 'tree', 'packages', 'a');
    await putConfig(main);
    assert.deepEqual(await find(deep), {
      kind: 'found',
      path: join(main, '.codebase-mcp', 'config.json'),
      folder: main,
      from: join(tree, 'packages', 'a'),
      viaWorktreeOf: main,
      walkedTo: tree,
    });
    await putConfig(join(main, 'packages', 'a'), 'a');
    assert.equal(await foundIn(deep), join(main, 'packages', 'a'));
    assert.equal(await foundIn(tree), main);
  });

  it('with a config of its own uses that', async () => {
    const { main, tree } = await worktreeOf('wt2');
    await putConfig(main);
    await putConfig(tree, 'own');
    const search = await find(tree);
    assert.deepEqual(
      [search.kind === 'found' && search.folder, search.kind === 'found' && search.viaWorktreeOf],
      [tree, null],
    );
  });

  it('finds none when the main worktree has none', async () => {
    const { tree } = await worktreeOf('wt3');
    assert.deepEqual(await find(tree), { kind: 'none', from: tree, upTo: tree, why: 'repository' });
  });

  it('understands relative paths in both directions', async () => {
    const { main, tree, gitDir } = await worktreeOf('wt4');
    await putConfig(main);
    await writeFile(join(tree, '.git'), 'gitdir: ../main/.git/worktrees/tree');
    await writeFile(join(gitDir, 'gitdir'), '../../../../tree/.git');
    assert.equal(await foundIn(tree), main);
  });

  it('that the repository does not list cannot claim its config', async () => {
    const { main, gitDir } = await worktreeOf('wt5');
    await putConfig(main);
    const planted = await folder('wt5', 'planted');
    await writeFile(join(planted, '.git'), `gitdir: ${gitDir}\n`);
    assert.equal((await find(planted)).kind, 'none');

    // Its own administrative folder, which points at the other's repository.
    const forged = await folder('wt5', 'forged');
    await put(join(forged, 'admin', 'commondir'), `${join(main, '.git')}\n`);
    await put(join(forged, 'admin', 'gitdir'), `${join(forged, '.git')}\n`);
    await writeFile(join(forged, '.git'), 'gitdir: admin\n');
    assert.equal((await find(forged)).kind, 'none');
  });

  it('does not follow links out of the main worktree, nor into a repository nested there', async () => {
    const { main } = await worktreeOf('wt6');
    await putConfig(main);
    const outside = await folder('wt6', 'outside');
    await putConfig(outside, 'outside');
    await symlink(outside, join(main, 'linked'));
    assert.equal(await foundIn(await folder('wt6', 'tree', 'linked')), main);
    await putConfig(join(main, 'nested'), 'nested');
    await mkdir(join(main, 'nested', '.git'));
    assert.equal(await foundIn(await folder('wt6', 'tree', 'nested')), main);
  });

  it("does not look in the home folder when that is the main worktree's root", async () => {
    const { main, tree } = await worktreeOf('wt7');
    await putConfig(main);
    assert.equal((await find(tree, main)).kind, 'none');
  });

  it('survives a .git file that is broken', async () => {
    const broken = await folder('broken');
    for (const text of ['', 'gitdir:', 'gitdir: /nowhere', `gitdir: ${'x'.repeat(10_000)}`, '\0']) {
      await writeFile(join(broken, '.git'), text);
      assert.equal((await find(broken)).kind, 'none');
    }
  });

  it('of a bare repository uses the config of the folder around it', async () => {
    const top = await folder('around');
    newBare(scratch.path('aroundSource'), join(top, '.bare'));
    await writeFile(join(top, '.git'), 'gitdir: ./.bare\n');
    git(top, 'worktree', 'add', '--quiet', 'fix');
    assert.equal((await find(join(top, 'fix'))).kind, 'none');
    await putConfig(top);
    const search = await find(join(top, 'fix'));
    assert.deepEqual(search.kind === 'found' && [search.folder, search.viaWorktreeOf], [top, top]);
    // Without the pointer beside it, the folder around a bare repository is any folder.
    await rm(join(top, '.git'));
    assert.equal((await find(join(top, 'fix'))).kind, 'none');
  });

  it("of a submodule uses the submodule's config, and that of a separate git directory its checkout's", async () => {
    const sub = newSuperproject(scratch.path('supermain'), scratch.path('subSource'));
    git(sub, 'worktree', 'add', '--quiet', scratch.path('subTree'));
    await putConfig(scratch.path('supermain'));
    assert.equal((await find(scratch.path('subTree'))).kind, 'none');
    await putConfig(sub, 'sub');
    assert.equal(await foundIn(scratch.path('subTree')), sub);

    const checkout = await folder('apart');
    git(checkout, 'init', '--quiet', `--separate-git-dir=${scratch.path('apartStore')}`);
    git(checkout, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    git(checkout, 'worktree', 'add', '--quiet', scratch.path('apartTree'));
    await putConfig(checkout);
    assert.equal((await find(scratch.path('apartTree'))).kind, 'none');
    git(checkout, 'config', 'core.worktree', checkout);
    assert.equal(await foundIn(scratch.path('apartTree')), checkout);
  });

  it('is understood as git itself makes it', async () => {
    const main = newRepository(scratch.path('real', 'main'));
    git(main, 'worktree', 'add', '--quiet', '../tree');
    await putConfig(main);
    const search = await find(scratch.path('real', 'tree'));
    assert.equal(search.kind === 'found' && search.viaWorktreeOf, main);
  });
});
