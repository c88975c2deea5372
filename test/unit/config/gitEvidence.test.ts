import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { gitEvidence } from '../../../daemon/config/gitEvidence.ts';
import { normaliseOrigin, remoteUrls } from '../../../daemon/config/gitRemotes.ts';
import { put, scratchFolder } from './scratchFolder.ts';

const scratch = scratchFolder();
const remote = (url: string, name = 'origin'): string => `[remote "${name}"]\n\turl = ${url}\n`;

describe('H3: the address of a repository', () => {
  const same = [
    'git@host.example:a/b.git',
    'GIT@HOST.example:a/b',
    'host.example:a/b/',
    'host.example:/a/b',
    'git@[host.example:22]:a/b',
    'ssh://git@host.example:22/a/b',
    'git+ssh://host.example/a/b.git/',
    'https://user:tok@host.example/a/b/',
    'https://Host.Example:443//a//b.git?x=1#y',
    'http://host.example:80/a/b',
    'git://host.example:9418/a/%62',
  ];
  for (const url of same) {
    it(`${url} is host.example/a/b`, () => {
      assert.equal(normaliseOrigin(url), 'host.example/a/b');
    });
  }

  const others: [url: string, origin: string | null][] = [
    ['ssh://host:2222/a/b', 'host:2222/a/b'],
    ['git@[host:2222]:a/b', 'host:2222/a/b'],
    ['https://host:8443/A/b', 'host:8443/A/b'],
    ['ssh://git@[::1]/a/b', '[::1]/a/b'],
    ['git@[::1]:a/b', '[::1]/a/b'],
    ['/srv/git/b.git', 'file:/srv/git/b'],
    ['/home/a/b/.git', 'file:/home/a/b'],
    ['file:///srv/git/b/', 'file:/srv/git/b'],
    ['file://localhost/srv/git/b', 'file:/srv/git/b'],
    ['C:\\git\\b', 'file:C:/git/b'],
    ['file:///C:/git/b', 'file:C:/git/b'],
    ['../b.git', null],
    ['./a:b', null],
    ['', null],
    ['  ', null],
    ['host:', null],
    ['https://host', null],
    ['https://host/', null],
    ['ext::sh -c x', null],
    ['codecommit::eu-west-1://shop', null],
    ['unknown://host/a', null],
  ];
  for (const [url, origin] of others) {
    it(`${JSON.stringify(url)} is ${origin ?? 'none'}`, () => {
      assert.equal(normaliseOrigin(url), origin);
    });
  }

  it('never carries what stands before the host', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_', '~', '%40', ':'), minLength: 1 });
    fc.assert(
      fc.property(word, word, fc.constantFrom('https', 'ssh', 'http'), (user, password, scheme) => {
        const origin = normaliseOrigin(`${scheme}://${user}:${password}@host/a/b`);
        assert.ok(origin === 'host/a/b' || origin === null, String(origin));
      }),
    );
  });

  it('is found however the config file is written', () => {
    const config = [
      '[core]\n\turl = no',
      '[Remote "a \\"b\\" ]"] ; comment',
      '  URL = "one" # comment',
      '\tpushurl = no',
      '\turl=two;comment',
      '\turl = th\\\n  ree',
      '[remote.old] url = four',
      '[remotes "x"]\n url = no',
      '[branch "x"]\n\tremote = no',
      '# [remote "c"]\n url = no',
    ].join('\r\n');
    assert.deepEqual(remoteUrls(config), ['one', 'two', 'th  ree', 'four']);
  });
});

describe('H3: git evidence', () => {
  it('is every remote, once, and the path inside the repository', async () => {
    const top = scratch.path('repo');
    const config =
      remote('git@host:b.git') +
      remote('https://x:secret@host/b', 'again') +
      remote('../up', 'rel') +
      remote('host:a', 'z');
    await put(join(top, '.git', 'config'), config);
    await mkdir(join(top, 'packages', 'web'), { recursive: true });
    const origins = ['host/a', 'host/b'];
    assert.deepEqual(await gitEvidence(top), { origins, pathInRepository: '' });
    assert.deepEqual(await gitEvidence(join(top, 'packages', 'web')), { origins, pathInRepository: 'packages/web' });
    await symlink(join(top, 'packages'), scratch.path('link'));
    assert.equal((await gitEvidence(scratch.path('link')))?.pathInRepository, 'packages');
  });

  it("of a worktree is the repository's, of a submodule its own", async () => {
    const main = scratch.path('main');
    await put(join(main, '.git', 'config'), remote('host:main'));
    const admin = join(main, '.git', 'worktrees', 'tree');
    const tree = scratch.path('tree');
    await put(join(admin, 'commondir'), '../..\n');
    await put(join(admin, 'gitdir'), `${join(tree, '.git')}\n`);
    await put(join(tree, '.git'), `gitdir: ${admin}\n`);
    assert.deepEqual(await gitEvidence(tree), { origins: ['host/main'], pathInRepository: '' });

    await put(join(main, '.git', 'modules', 'sub', 'config'), remote('host:sub'));
    await put(join(main, 'sub', '.git'), 'gitdir: ../.git/modules/sub\n');
    assert.deepEqual(await gitEvidence(join(main, 'sub')), { origins: ['host/sub'], pathInRepository: '' });
  });

  it('is a repository without remotes, or no evidence where there is none', async () => {
    const local = scratch.path('local');
    await put(join(local, '.git', 'config'), '[core]\n');
    assert.deepEqual(await gitEvidence(local), { origins: [], pathInRepository: '' });
    await mkdir(scratch.path('plain'));
    assert.equal(await gitEvidence(scratch.path('plain')), null);
    assert.equal(await gitEvidence(scratch.path('missing')), null);
    await mkdir(scratch.path('noConfig', '.git'), { recursive: true });
    assert.equal(await gitEvidence(scratch.path('noConfig')), null);
  });

  it('is not taken from a repository that does not list this folder as its worktree', async () => {
    const owner = scratch.path('owner');
    await put(join(owner, '.git', 'worktrees', 'x', 'commondir'), '../..\n');
    await put(join(owner, '.git', 'worktrees', 'x', 'gitdir'), '/elsewhere/.git\n');
    await put(join(owner, '.git', 'config'), remote('host:owner'));
    const planted = scratch.path('planted');
    await put(join(planted, '.git'), `gitdir: ${join(owner, '.git', 'worktrees', 'x')}\n`);
    assert.equal(await gitEvidence(planted), null);
  });

  it('is not taken from a repository in the home folder, which says nothing about what lies below', async () => {
    const home = scratch.path('home');
    await put(join(home, '.git', 'config'), remote('host:dotfiles'));
    await mkdir(join(home, 'x'));
    assert.equal(await gitEvidence(join(home, 'x'), { home }), null);
  });

  it('survives a config file of any size', async () => {
    const big = scratch.path('big');
    await put(join(big, '.git', 'config'), '');
    await writeFile(join(big, '.git', 'config'), Buffer.alloc(5_000_000, 0x23));
    assert.equal(await gitEvidence(big), null);
  });
});
