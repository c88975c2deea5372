import assert from 'node:assert/strict';
import { mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigReader } from '../../../daemon/config/configCache.ts';
import { ConfigFinder } from '../../../daemon/config/configFinder.ts';
import { promptLooks, waitingLooks } from '../../../daemon/files/fileLooks.ts';
import { isLocal, parseMounts, type Mount } from '../../../daemon/files/localMounts.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { putConfig, scratchFolder } from './scratchFolder.ts';

const localRoot: Mount = { point: '/', isLocal: true };

describe('the config finder', () => {
  const scratch = scratchFolder();
  let now = 0;

  function finderOn(mounts: readonly Mount[], home = '/nowhere/home'): ConfigFinder {
    return new ConfigFinder(new ConfigReader(), {
      home,
      now: () => now,
      readMounts: () => Promise.resolve([...mounts]),
    });
  }

  /** The name in the nearest config file, after the way in which it is looked for was checked. */
  async function promptName(finder: ConfigFinder, directory: string): Promise<string> {
    assert.equal(finder.looksAt(directory), promptLooks);
    const search = await finder.find(directory);
    assert.equal(search.kind, 'found');
    return (await finder.read(search.path, () => Promise.resolve())).name;
  }

  it('looks at once where it found a file on a local disk, until something else may be mounted', async () => {
    const folder = scratch.path('local');
    const path = await putConfig(folder);
    const finder = finderOn([localRoot]);
    assert.equal(finder.looksAt(folder), waitingLooks);
    await finder.find(folder);
    assert.deepEqual([finder.looksAt(folder), finder.looksAt(path)], [promptLooks, promptLooks]);
    assert.equal(await promptName(finder, folder), 'shop');
    now += 10_000;
    assert.equal(finder.looksAt(folder), waitingLooks);
    await finder.find(folder);
    assert.equal(finder.looksAt(folder), promptLooks);
  });

  it('leaves to other threads what a network can hold up', async () => {
    const folder = scratch.path('remote', 'shop');
    await putConfig(folder);
    for (const point of [dirname(folder), join(folder, '.codebase-mcp'), join(folder, '.git'), '/']) {
      const finder = finderOn([localRoot, { point, isLocal: false }]);
      await finder.find(folder);
      assert.equal(finder.looksAt(folder), waitingLooks, point);
    }
    const unknown = finderOn([]);
    await unknown.find(folder);
    assert.equal(unknown.looksAt(folder), waitingLooks);
  });

  it('leaves to other threads what a link leads to', async () => {
    const folder = scratch.path('target');
    await putConfig(folder);
    await symlink(folder, scratch.path('byLink'));
    await mkdir(scratch.path('linkInside'));
    await symlink(join(folder, '.codebase-mcp'), scratch.path('linkInside', '.codebase-mcp'));
    for (const place of ['byLink', 'linkInside']) {
      const finder = finderOn([localRoot]);
      assert.equal((await finder.find(scratch.path(place))).kind, 'found');
      assert.equal(finder.looksAt(scratch.path(place)), waitingLooks);
    }
  });

  it('R5: a closer file wins at once, an edit within one tick is seen, and a deleted file is gone', async () => {
    const top = scratch.path('near');
    const deep = join(top, 'a', 'b');
    await mkdir(deep, { recursive: true });
    const path = await putConfig(top, 'aaaa');
    const finder = finderOn([localRoot]);
    await finder.find(deep);
    assert.equal(await promptName(finder, deep), 'aaaa');
    const { atime, mtime } = await stat(path);
    await putConfig(top, 'bbbb');
    await utimes(path, atime, mtime);
    assert.equal(await promptName(finder, deep), 'bbbb');
    const closer = await putConfig(deep, 'deep');
    assert.equal((await finder.find(deep)).kind, 'found');
    assert.equal(await promptName(finder, deep), 'deep');
    await rm(dirname(closer), { recursive: true });
    assert.equal(await promptName(finder, deep), 'bbbb');
    await rename(top, `${top}-moved`);
    await assert.rejects(
      finder.find(deep),
      (error) => error instanceof RegistrarError && error.code === 'DIRECTORY_INVALID',
    );
  });

  it('reads a file again that is half written', async () => {
    const folder = scratch.path('half');
    const path = await putConfig(folder);
    const reader = new ConfigReader({ delay: () => putConfig(folder, 'whole') });
    const finder = new ConfigFinder(reader, {
      home: '/nowhere/home',
      now: () => now,
      readMounts: () => Promise.resolve([localRoot]),
    });
    await finder.find(folder);
    await writeFile(path, '{"version": "1.0", "proj');
    assert.equal(await promptName(finder, folder), 'whole');
  });

  it('R6: knows the home folder by a link to it, too', async () => {
    const below = scratch.path('realHome', 'x');
    await mkdir(below, { recursive: true });
    await putConfig(scratch.path('realHome'));
    await symlink(scratch.path('realHome'), scratch.path('linkedHome'));
    const search = await finderOn([localRoot], scratch.path('linkedHome')).find(below);
    assert.equal(search.kind === 'none' && search.why, 'home');
  });
});

describe('the list of what is mounted', () => {
  it('says which file systems are on disks of this machine', () => {
    const mounts = parseMounts(
      [
        '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw',
        '40 27 0:52 / /home/a\\040b rw,relatime shared:2 master:1 - nfs4 server:/home rw',
        '',
      ].join('\n'),
    );
    assert.deepEqual(mounts, [localRoot, { point: '/home/a b', isLocal: false }]);
    assert.equal(isLocal('/home/a b/shop', mounts), false);
    assert.equal(isLocal('/home/a bc/shop', mounts), true);
    assert.deepEqual(parseMounts(''), []);
  });
});
