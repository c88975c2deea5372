import assert from 'node:assert/strict';
import { chmod, cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileIdentity } from '../../../daemon/files/fileIdentity.ts';
import { gitEvidence } from '../../../daemon/git/gitEvidence.ts';
import type { FolderGit } from '../../../daemon/registry/model.ts';
import { git, newBare, newRepository, newSuperproject } from './gitFixture.ts';
import { asOrdinaryUser, giveToOrdinaryUser, put, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();
const remote = (url: string, name = 'origin'): string => `[remote "${name}"]\n\turl = ${url}\n`;
const shop = ['host.example/acme/shop'];
const env = {};

/** What git's files say, for a user without any configuration. */
function evidence(folder: string, home = scratch.path('nobody')): Promise<FolderGit | null> {
  return gitEvidence(folder, { home, env: { GIT_CONFIG_NOSYSTEM: '1' } });
}

async function originsOf(folder: string): Promise<string[] | undefined> {
  return (await evidence(folder))?.origins;
}

describe('H3: git evidence', () => {
  it('is the origin, the path inside the working tree, its root and its repository', async () => {
    const top = newRepository(scratch.path('repo'));
    git(top, 'remote', 'add', 'upstream', 'https://host.example/other');
    await mkdir(join(top, 'packages', 'web'), { recursive: true });
    const identity = await fileIdentity(join(top, '.git'));
    assert.ok(identity);
    const expected: FolderGit = {
      origins: shop,
      pathInRepository: '',
      root: top,
      repository: { path: join(top, '.git'), ...identity },
      worktree: null,
    };
    assert.deepEqual(await evidence(top), expected);
    assert.deepEqual(await evidence(join(top, 'packages', 'web')), { ...expected, pathInRepository: 'packages/web' });
    await symlink(join(top, 'packages'), scratch.path('link'));
    assert.equal((await evidence(scratch.path('link')))?.pathInRepository, 'packages');
  });

  it('is a repository without remotes, or none where there is none or its config cannot be read', async () => {
    const local = scratch.path('local');
    await put(join(local, '.git', 'config'), '[core]\n');
    assert.deepEqual(await originsOf(local), []);
    await mkdir(scratch.path('plain'));
    assert.equal(await evidence(scratch.path('plain')), null);
    assert.equal(await evidence(scratch.path('missing')), null);
    assert.equal(await evidence('/a\0b'), null);
    await mkdir(scratch.path('noConfig', '.git'), { recursive: true });
    assert.equal(await evidence(scratch.path('noConfig')), null);
    await put(scratch.path('bad', '.git', 'config'), `${remote('host:a')}[`);
    assert.equal(await evidence(scratch.path('bad')), null);
    await put(scratch.path('locked', '.git', 'config'), remote('host:a'));
    await giveToOrdinaryUser(scratch.path('locked', '.git'));
    await chmod(scratch.path('locked', '.git'), 0o000);
    assert.equal(await asOrdinaryUser(() => evidence(scratch.path('locked'))), null);
  });

  it('keeps its identity when it is moved, and no copy has it', async () => {
    const before = await evidence(newRepository(scratch.path('moving')));
    await cp(scratch.path('moving'), scratch.path('copied'), { recursive: true });
    await rename(scratch.path('moving'), scratch.path('moved'));
    const [moved, copied] = [await evidence(scratch.path('moved')), await evidence(scratch.path('copied'))];
    assert.ok(before && moved && copied);
    const identityOf = ({ repository: { device, inode, birth } }: FolderGit): string[] => [device, inode, birth];
    assert.deepEqual(identityOf(moved), identityOf(before));
    assert.notDeepEqual(identityOf(copied), identityOf(before));
  });

  it('is not taken from a repository in the home folder, which says nothing about what lies below', async () => {
    const home = newRepository(scratch.path('home'));
    await mkdir(join(home, 'x'));
    assert.equal(await evidence(join(home, 'x'), home), null);
  });

  it('survives a config file of any size', async () => {
    const big = scratch.path('big');
    await put(join(big, '.git', 'config'), '');
    await writeFile(join(big, '.git', 'config'), Buffer.alloc(5_000_000, 0x23));
    assert.equal(await evidence(big), null);
  });

  for (const name of ['.jj', '.hg', '.sl']) {
    it(`W5: is none in a working tree of ${name}, whatever repository is around it; with git beside, git's`, async () => {
      const outer = newRepository(scratch.path(`outer${name}`));
      await mkdir(join(outer, 'inner', name), { recursive: true });
      await mkdir(join(outer, 'inner', 'src'));
      assert.equal(await evidence(join(outer, 'inner', 'src')), null);
      await mkdir(join(outer, name));
      assert.deepEqual(await originsOf(outer), shop);
    });
  }
});

describe('W5: the git evidence of a layout', () => {
  it('of a linked worktree names the main checkout and the shared repository, moved or below it, too', async () => {
    const main = newRepository(scratch.path('main'));
    git(main, 'worktree', 'add', '--quiet', '../tree');
    git(main, 'worktree', 'add', '--quiet', '--detach', 'below/tree');
    const tree = await evidence(scratch.path('tree'));
    assert.ok(tree);
    assert.deepEqual([tree.origins, tree.root], [shop, scratch.path('tree')]);
    assert.deepEqual(tree.worktree, { main, name: 'tree' });
    assert.deepEqual(tree.repository, (await evidence(main))?.repository);
    assert.deepEqual((await evidence(join(main, 'below', 'tree')))?.worktree, { main, name: 'tree1' });

    git(main, 'worktree', 'move', '../tree', '../elsewhere');
    assert.deepEqual((await evidence(scratch.path('elsewhere')))?.worktree, { main, name: 'tree' });
  });

  it('of worktrees of a moved repository is none until git repairs them', async () => {
    const main = newRepository(scratch.path('away'));
    git(main, 'worktree', 'add', '--quiet', '../awayTree');
    await rename(main, scratch.path('there'));
    assert.equal(await evidence(scratch.path('awayTree')), null);
    git(scratch.path('there'), 'worktree', 'repair', scratch.path('awayTree'));
    assert.deepEqual((await evidence(scratch.path('awayTree')))?.worktree, {
      main: scratch.path('there'),
      name: 'awayTree',
    });
  });

  it('of a bare repository beside its worktrees has an origin and no main checkout', async () => {
    const proj = scratch.path('proj');
    newBare(scratch.path('projSource'), join(proj, '.bare'));
    await writeFile(join(proj, '.git'), 'gitdir: ./.bare\n');
    git(proj, 'worktree', 'add', '--quiet', 'fix');
    const fix = await evidence(join(proj, 'fix'));
    assert.deepEqual([fix?.origins, fix?.worktree], [shop, { main: null, name: 'fix' }]);
    const around = await evidence(proj);
    assert.deepEqual([around?.origins, around?.worktree, around?.root], [shop, null, proj]);
    assert.deepEqual(around?.repository, fix?.repository);
  });

  it('of worktrees of a bare repository, one named .git, too, has no main checkout', async () => {
    for (const name of ['foo.git', join('bareProj', '.git')]) {
      const bare = newBare(scratch.path(`source-${name.length}`), scratch.path(name));
      git(bare, 'worktree', 'add', '--quiet', scratch.path(`tree-${name.length}`));
      const tree = await evidence(scratch.path(`tree-${name.length}`));
      assert.deepEqual([tree?.origins, tree?.worktree?.main], [shop, null]);
    }
  });

  it("of a submodule is its own, and its worktrees' main checkout is the submodule, with a sparse checkout, too", async () => {
    const sub = newSuperproject(scratch.path('super'), scratch.path('inner'));
    const expected = ['host.example/acme/sub'];
    const found = await evidence(sub);
    assert.deepEqual([found?.origins, found?.root, found?.worktree], [expected, sub, null]);
    git(sub, 'worktree', 'add', '--quiet', scratch.path('subTree'));
    assert.deepEqual((await evidence(scratch.path('subTree')))?.worktree, { main: sub, name: 'subTree' });
    git(sub, 'sparse-checkout', 'init', '--cone');
    assert.deepEqual(await originsOf(sub), expected);
    assert.equal((await evidence(scratch.path('subTree')))?.worktree?.main, sub);
  });

  it('of a separate git directory has no origin, and names the repository; its linked worktrees have one', async () => {
    const checkout = scratch.path('separate');
    git(checkout, 'init', '--quiet', `--separate-git-dir=${scratch.path('kept')}`);
    git(checkout, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    git(checkout, 'remote', 'add', 'origin', 'https://host.example/acme/shop');
    const found = await evidence(checkout);
    assert.deepEqual([found?.origins, found?.repository.path, found?.worktree], [[], scratch.path('kept'), null]);
    git(checkout, 'worktree', 'add', '--quiet', scratch.path('separateTree'));
    const tree = await evidence(scratch.path('separateTree'));
    assert.deepEqual([tree?.origins, tree?.worktree], [shop, { main: null, name: 'separateTree' }]);

    git(checkout, 'config', 'core.worktree', checkout);
    assert.deepEqual(await originsOf(checkout), shop);
    assert.equal((await evidence(scratch.path('separateTree')))?.worktree?.main, checkout);
  });

  it('of a separate git directory inside the checkout is that of any checkout', async () => {
    const checkout = scratch.path('within');
    git(checkout, 'init', '--quiet', `--separate-git-dir=${join(checkout, '.store')}`);
    git(checkout, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    git(checkout, 'remote', 'add', 'origin', 'https://host.example/acme/shop');
    git(checkout, 'worktree', 'add', '--quiet', scratch.path('withinTree'));
    assert.deepEqual(await originsOf(checkout), shop);
    assert.equal((await evidence(scratch.path('withinTree')))?.worktree?.main, checkout);
  });
});

describe('I4: a pointer that nothing answers', () => {
  it("is no evidence: another repository's worktree, or a git directory with a commondir of its own", async () => {
    const owner = newRepository(scratch.path('owner'));
    git(owner, 'worktree', 'add', '--quiet', '../ownerTree');
    const admin = join(owner, '.git', 'worktrees', 'ownerTree');
    await put(scratch.path('planted', '.git'), `gitdir: ${admin}\n`);
    assert.equal(await evidence(scratch.path('planted')), null);

    await put(scratch.path('forged', 'admin', 'commondir'), `${join(owner, '.git')}\n`);
    await put(scratch.path('forged', 'admin', 'gitdir'), `${scratch.path('forged', '.git')}\n`);
    await put(scratch.path('forged', '.git'), 'gitdir: admin\n');
    assert.equal(await evidence(scratch.path('forged')), null);

    await put(scratch.path('common', '.git', 'commondir'), `${join(owner, '.git')}\n`);
    await put(scratch.path('common', '.git', 'config'), '[core]\n');
    assert.equal(await evidence(scratch.path('common')), null);

    // The worktree's place was taken by another folder, which points nowhere.
    await rm(scratch.path('ownerTree', '.git'));
    await put(scratch.path('ownerTree', '.git', 'config'), remote('https://host.example/stranger'));
    assert.deepEqual(await originsOf(scratch.path('ownerTree')), ['host.example/stranger']);
  });

  it('gives no origin: a file or a link that leads to a repository, its config, or one below it', async () => {
    const owner = newRepository(scratch.path('owner2'));
    await put(scratch.path('file', '.git'), `gitdir: ${join(owner, '.git')}\n`);
    await mkdir(scratch.path('linked'));
    await symlink(join(owner, '.git'), scratch.path('linked', '.git'));
    await put(scratch.path('relink', '.git'), 'gitdir: inside\n');
    await symlink(join(owner, '.git'), scratch.path('relink', 'inside'));
    await put(scratch.path('config', '.git', 'HEAD'), 'ref: refs/heads/main\n');
    await symlink(join(owner, '.git', 'config'), scratch.path('config', '.git', 'config'));
    for (const name of ['file', 'linked', 'relink', 'config'])
      assert.deepEqual(await originsOf(scratch.path(name)), []);
  });

  it('leads nowhere: loops, broken files, devices', async () => {
    await mkdir(scratch.path('loop'));
    await symlink('.git', scratch.path('loop', '.git'));
    assert.equal(await evidence(scratch.path('loop')), null);
    await mkdir(scratch.path('null'));
    await symlink('/dev/null', scratch.path('null', '.git'));
    assert.equal(await evidence(scratch.path('null')), null);
    for (const text of [
      '',
      'gitdir:',
      'gitdir: /nowhere',
      'gitdir: .git',
      'gitdir: a\0b',
      `gitdir: ${'x'.repeat(10_000)}`,
      '\0',
    ]) {
      await put(scratch.path('broken', '.git'), text);
      assert.equal(await evidence(scratch.path('broken')), null);
    }
  });

  it('is no repository at all when it is made of committed files: a bare one below a working tree', async () => {
    const outer = newRepository(scratch.path('outer'));
    for (const name of ['nested', '.codebase-mcp']) {
      git(join(outer, name), 'init', '--quiet', '--bare');
      git(join(outer, name), 'remote', 'add', 'origin', 'https://host.example/stranger');
      const found = await evidence(join(outer, name));
      assert.deepEqual([found?.origins, found?.root, found?.pathInRepository], [shop, outer, name]);
    }
  });
});

describe('I3: the origin', () => {
  it("does not follow what a repository's own config includes, nor its rewriting, nor its worktree config", async () => {
    const top = newRepository(scratch.path('including'), 'gh:acme/shop');
    await put(scratch.path('stranger'), remote('host:stranger'));
    git(top, 'config', 'include.path', scratch.path('stranger'));
    git(top, 'config', `includeIf.gitdir:${top}/.path`, scratch.path('stranger'));
    git(top, 'config', 'url.https://host.example/.insteadOf', 'gh:');
    git(top, 'config', 'extensions.worktreeConfig', 'true');
    await put(join(top, '.git', 'config.worktree'), remote('host:stranger'));
    assert.deepEqual(await originsOf(top), ['gh/acme/shop']);
  });

  it("has a spelling for the user's insteadOf, the longest that fits, from each of the user's files", async () => {
    const top = newRepository(scratch.path('instead'), 'gh:acme/shop.git');
    const home = scratch.path('someone');
    const rewriting = (base: string, beginning = 'gh:'): string => `[url "${base}"]\n\tinsteadOf = "${beginning}"\n`;
    const origins = async (variables: NodeJS.ProcessEnv = {}): Promise<string[] | undefined> =>
      (await gitEvidence(top, { home, env: { GIT_CONFIG_NOSYSTEM: '1', ...variables } }))?.origins;
    await put(join(home, '.config', 'git', 'config'), rewriting('https://xdg.example/'));
    assert.deepEqual(await origins(), ['gh/acme/shop', 'xdg.example/acme/shop']);
    await put(join(home, '.gitconfig'), rewriting('git@own.example:', 'gh:acme/'));
    assert.deepEqual(await origins(), ['gh/acme/shop', 'own.example/shop']);
    await put(join(home, '.gitconfig'), '[include]\n\tpath = more\n[includeIf "gitdir:/"]\n\tpath = unread\n');
    await put(join(home, 'more'), `${rewriting('https://more.example/', 'gh:ac')}[include]\n\tpath = ~/more\n`);
    await put(join(home, 'unread'), rewriting('https://unread.example/', 'gh:acme/shop'));
    assert.deepEqual(await origins(), ['gh/acme/shop', 'more.example/me/shop']);
    await put(scratch.path('global'), rewriting('https://global.example/', 'gh:acme/'));
    assert.deepEqual(await origins({ GIT_CONFIG_GLOBAL: scratch.path('global') }), [
      'gh/acme/shop',
      'global.example/shop',
    ]);
    await put(scratch.path('xdg', 'git', 'config'), rewriting('https://moved.example/', 'gh:acme/'));
    assert.deepEqual(await origins({ XDG_CONFIG_HOME: scratch.path('xdg') }), ['gh/acme/shop', 'moved.example/shop']);
    const system = {
      GIT_CONFIG_SYSTEM: scratch.path('global'),
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: undefined,
    };
    assert.deepEqual(await origins(system), ['gh/acme/shop', 'global.example/shop']);
    await put(join(home, '.gitconfig'), 'broken');
    assert.deepEqual(await origins(), ['gh/acme/shop', 'xdg.example/acme/shop']);
  });

  it("has a spelling for the host and port of the user's ssh configuration, also behind insteadOf", async () => {
    const top = newRepository(scratch.path('alias'), 'gh:acme/shop.git');
    const home = scratch.path('sshUser');
    await put(join(home, '.gitconfig'), '[url "git@work:"]\n\tinsteadOf = gh:\n');
    await put(join(home, '.ssh', 'config'), 'Host work\n  HostName github.com\n  User git\n');
    const origins = async (): Promise<string[] | undefined> => (await gitEvidence(top, { home, env }))?.origins;
    assert.deepEqual(await origins(), ['gh/acme/shop', 'github.com/acme/shop', 'work/acme/shop']);
    git(top, 'remote', 'set-url', 'origin', 'ssh://bob@work:22/acme/shop');
    assert.deepEqual(await origins(), ['github.com/acme/shop', 'work/acme/shop']);
    git(top, 'remote', 'set-url', 'origin', 'https://work/acme/shop');
    assert.deepEqual(await origins(), ['work/acme/shop']);
  });

  it('that is a path is its real path, relative ones from the root of the main checkout', async () => {
    const source = newRepository(scratch.path('source.git'));
    const clone = scratch.path('clone');
    git(scratch.path('.'), 'clone', '--quiet', source, clone);
    const local = [`file:${scratch.path('source')}`];
    assert.deepEqual(await originsOf(clone), local);
    await symlink(source, scratch.path('pointing here.git'));
    await mkdir(join(clone, 'deep'));
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    git(clone, 'worktree', 'add', '--quiet', scratch.path('far', 'tree'));
    for (const url of [
      '../source.git',
      '../source',
      '../pointing here.git',
      `file://${scratch.path('pointing%20here')}`,
      './../source.git/',
    ]) {
      git(clone, 'remote', 'set-url', 'origin', url);
      assert.deepEqual(await originsOf(join(clone, 'deep')), local, url);
      assert.deepEqual(await originsOf(scratch.path('far', 'tree')), local, url);
    }
    git(clone, 'remote', 'set-url', 'origin', '/nowhere/x.git');
    assert.deepEqual(await originsOf(clone), ['file:/nowhere/x']);
  });

  it('that is no address of anything is none', async () => {
    const top = newRepository(scratch.path('odd'));
    for (const url of ['ext::sh -c x', 'codecommit::eu://x', 'host:', 'https://host', '-']) {
      git(top, 'config', 'remote.origin.url', url);
      const expected = url === '-' ? [`file:${join(top, '-')}`] : [];
      assert.deepEqual(await originsOf(top), expected, url);
    }
  });
});
