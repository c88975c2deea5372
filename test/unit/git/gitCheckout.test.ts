import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { gitTracking } from '../../../daemon/git/gitCheckout.ts';
import { findInIndex } from '../../../daemon/git/gitIndex.ts';
import { git, newRepository, newSuperproject } from './gitFixture.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';

const scratch = scratchFolder();

/** Files whose names meet in their beginnings, of all lengths, some not in ASCII. */
const files = [
  'a',
  'ab',
  'abc/d',
  'abc/de/f',
  'abcd',
  'é/ü',
  'x'.repeat(200),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => 'n'.repeat(n)),
];

async function withFiles(folder: string): Promise<string> {
  for (const file of files) await put(join(folder, file), '');
  git(folder, 'add', '.');
  for (const file of ['untracked', 'abc/untracked', 'ac']) await put(join(folder, file), '');
  return folder;
}

async function assertRead(folder: string): Promise<void> {
  for (const file of files) assert.equal(await gitTracking(join(folder, file)), 'tracked', file);
  for (const file of ['untracked', 'abc/untracked', 'ac', 'missing', 'A']) {
    assert.equal(await gitTracking(join(folder, file)), 'untracked', file);
  }
}

describe('I6: whether git tracks a file', () => {
  for (const version of [2, 3, 4]) {
    for (const format of ['sha1', 'sha256']) {
      it(`is read from an index of version ${version} with ${format}`, async () => {
        const folder = scratch.path(`v${version}${format}`);
        git(folder, 'init', '--quiet', `--object-format=${format}`);
        await withFiles(folder);
        // Only a long flag makes git write version 3.
        if (version !== 2) {
          await put(join(folder, 'intended'), '');
          git(folder, 'add', '--intent-to-add', 'intended');
          assert.equal(await gitTracking(join(folder, 'intended')), 'tracked');
        }
        if (version === 4) git(folder, 'update-index', '--index-version', '4');
        assert.equal((await readFile(join(folder, '.git', 'index'))).readUInt32BE(4), version);
        await assertRead(folder);
      });
    }
  }

  it("is read from a linked worktree's own index and a submodule's", async () => {
    const top = await withFiles(newRepository(scratch.path('main')));
    git(top, 'worktree', 'add', '--quiet', '../tree');
    assert.equal(await gitTracking(scratch.path('tree', 'a')), 'untracked');
    await assertRead(await withFiles(scratch.path('tree')));
    await assertRead(await withFiles(newSuperproject(scratch.path('super'), scratch.path('inner'))));
    assert.equal(await gitTracking(scratch.path('super', 'sub')), 'tracked');
  });

  it('is no outside a repository, in one to which nothing was added, and in a bare one below', async () => {
    assert.equal(await gitTracking(await put(scratch.path('plain', 'a'), '')), 'untracked');
    const fresh = scratch.path('fresh');
    git(fresh, 'init', '--quiet');
    assert.equal(await gitTracking(await put(join(fresh, 'a'), '')), 'untracked');
    git(join(fresh, '.codebase-mcp'), 'init', '--quiet', '--bare');
    await put(join(fresh, '.codebase-mcp', 'config.json'), '');
    git(fresh, 'add', '--force', '.codebase-mcp/config.json');
    assert.equal(await gitTracking(join(fresh, '.codebase-mcp', 'config.json')), 'tracked');
  });

  it('is asked of the repository around a folder whose .git git does not take for one', async () => {
    await mkdir(scratch.path('unborn', '.git'), { recursive: true });
    assert.equal(await gitTracking(scratch.path('unborn', 'a')), 'untracked');
    const top = newRepository(scratch.path('around'));
    await put(join(top, 'inner', 'a'), '');
    git(top, 'add', '.');
    await mkdir(join(top, 'inner', '.git'));
    assert.equal(await gitTracking(join(top, 'inner', 'a')), 'tracked');
    assert.equal(await gitTracking(join(top, 'inner', 'b')), 'untracked');
  });

  it('counts where the file is a link, here and where it leads, and where its folder leads', async () => {
    const top = await withFiles(newRepository(scratch.path('target')));
    await mkdir(scratch.path('outside'));
    await symlink(join(top, 'a'), scratch.path('outside', 'link'));
    assert.equal(await gitTracking(scratch.path('outside', 'link')), 'tracked');
    await symlink(join(top, 'abc'), scratch.path('outside', 'folder'));
    assert.equal(await gitTracking(scratch.path('outside', 'folder', 'd')), 'tracked');
    await symlink('/nowhere', join(top, 'own'));
    git(top, 'add', 'own');
    assert.equal(await gitTracking(join(top, 'own')), 'tracked');
  });

  it('ignores case where the repository does', async () => {
    const top = await withFiles(newRepository(scratch.path('case')));
    git(top, 'config', 'core.ignoreCase', 'true');
    assert.equal(await gitTracking(join(top, 'ABC', 'd')), 'tracked');
    assert.equal(await gitTracking(join(top, 'e\u0301', 'Ü')), 'tracked');
    assert.equal(await gitTracking(join(top, 'abe')), 'untracked');
  });

  it('is not known of a split index, of what a sparse index leaves out, or where something is not understood', async () => {
    const split = await withFiles(newRepository(scratch.path('split')));
    git(split, 'update-index', '--split-index');
    assert.equal(await gitTracking(join(split, 'a')), 'unknown');

    const sparse = await withFiles(newRepository(scratch.path('sparse')));
    git(sparse, 'commit', '--quiet', '-m', 'x');
    git(sparse, 'sparse-checkout', 'init', '--cone', '--sparse-index');
    git(sparse, 'sparse-checkout', 'set', 'é');
    assert.equal(await gitTracking(join(sparse, 'a')), 'tracked');
    assert.equal(await gitTracking(join(sparse, 'ac')), 'untracked');
    assert.equal(await gitTracking(join(sparse, 'abc', 'd')), 'unknown');

    const format = await withFiles(newRepository(scratch.path('format')));
    git(format, 'config', 'extensions.objectFormat', 'blake');
    assert.equal(await gitTracking(join(format, 'a')), 'unknown');
    const elsewhere = await withFiles(newRepository(scratch.path('elsewhere')));
    git(elsewhere, 'config', 'core.worktree', split);
    assert.equal(await gitTracking(join(elsewhere, 'ac')), 'unknown');
    await mkdir(scratch.path('device', '.git', 'index'), { recursive: true });
    await put(scratch.path('device', '.git', 'config'), '');
    assert.equal(await gitTracking(scratch.path('device', 'a')), 'unknown');
    await put(scratch.path('badConfig', '.git', 'config'), '[');
    assert.equal(await gitTracking(scratch.path('badConfig', 'a')), 'unknown');
    await put(scratch.path('pointer', '.git'), 'gitdir: /nowhere');
    assert.equal(await gitTracking(scratch.path('pointer', 'a')), 'unknown');
    await mkdir(scratch.path('jj', '.jj'), { recursive: true });
    assert.equal(await gitTracking(scratch.path('jj', 'a')), 'unknown');
  });

  it('is never a wrong no, whatever bytes the index consists of', async () => {
    const top = await withFiles(newRepository(scratch.path('bytes')));
    const index = await readFile(join(top, '.git', 'index'));
    const sha1 = { hashBytes: 20, ignoreCase: false };
    for (let length = 0; length < index.length; length += 1) {
      assert.notEqual(findInIndex(index.subarray(0, length), 'a', sha1), 'untracked', String(length));
    }
    assert.equal(findInIndex(index, 'a', { ...sha1, hashBytes: 32 }), 'unknown');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(2, 3, 4), (bytes, version) => {
        const head = Buffer.from([0x44, 0x49, 0x52, 0x43, 0, 0, 0, version, 0, 0, 0, 3]);
        findInIndex(Buffer.concat([head, bytes]), 'a', sha1);
      }),
    );
    await writeFile(join(top, '.git', 'index'), index.subarray(0, 100));
    assert.equal(await gitTracking(join(top, 'a')), 'unknown');
  });
});
