import assert from 'node:assert/strict';
import { mkdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { identifyFolder } from '../../../daemon/config/folderFacts.ts';
import { promptLooks, waitingLooks } from '../../../daemon/files/fileLooks.ts';
import type { FolderIdentity } from '../../../daemon/registry/ports.ts';
import { scratchFolder } from './scratchFolder.ts';

for (const [how, looks] of Object.entries({ 'by other threads': waitingLooks, 'at once': promptLooks }))
  describe(`the identity of a folder, looked at ${how}`, () => {
    const scratch = scratchFolder();
    const identify = (folder: string, home = '/nowhere'): Promise<FolderIdentity> =>
      identifyFolder(folder, { home, looks });

    it('is its own inode, the nearest .git and the stamp of its config', async () => {
      const inside = scratch.path('repository/a/b');
      await mkdir(inside, { recursive: true });
      await mkdir(scratch.path('repository/.git'));
      await writeFile(scratch.path('repository/.git/config'), 'one');
      const seen = await identify(inside);
      assert.equal(seen.identity?.inode, String((await stat(inside)).ino));
      assert.equal(seen.dotGit?.inode, String((await stat(scratch.path('repository/.git'))).ino));
      await rename(inside, scratch.path('repository/a/c'));
      assert.deepEqual(await identify(scratch.path('repository/a/c')), seen);
      await writeFile(scratch.path('repository/.git/config'), 'other');
      assert.notEqual((await identify(scratch.path('repository/a/c'))).configStamp, seen.configStamp);
    });

    it('has no .git of the home folder and no stamp where .git is a file', async () => {
      await mkdir(scratch.path('home/work'), { recursive: true });
      await writeFile(scratch.path('home/.git'), 'gitdir: elsewhere');
      const { identity, dotGit, configStamp } = await identify(scratch.path('home/work'));
      assert.ok(identity && dotGit);
      assert.equal(configStamp, null);
      assert.equal((await identify(scratch.path('home/work'), scratch.path('home'))).dotGit, null);
    });

    it('is nothing where nothing is, and a link’s own where one is', async () => {
      await mkdir(scratch.path('real'));
      await symlink(scratch.path('real'), scratch.path('link'));
      assert.equal((await identify(scratch.path('nothing'))).identity, null);
      assert.notDeepEqual(
        (await identify(scratch.path('link'))).identity,
        (await identify(scratch.path('real'))).identity,
      );
    });
  });
