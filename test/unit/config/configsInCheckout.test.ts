import assert from 'node:assert/strict';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { configsInCheckout } from '../../../daemon/config/configsInCheckout.ts';
import { asOrdinaryUser, put, putConfig, scratchFolder } from './scratchFolder.ts';

const scratch = scratchFolder();

describe('the config files of a checkout', () => {
  it('are all below its root, without those of other checkouts, of packages, and behind links', async () => {
    const top = scratch.path('top');
    const expected = [
      await putConfig(top),
      await putConfig(join(top, 'packages', 'api')),
      await putConfig(join(top, '.x')),
    ];
    await mkdir(join(top, '.git'));
    await putConfig(join(top, '.git', 'inside'));
    await putConfig(join(top, 'web', 'node_modules', 'dependency'));
    for (const name of ['.git', '.jj', '.hg', '.sl']) {
      await mkdir(join(top, `nested${name}`, name), { recursive: true });
      await putConfig(join(top, `nested${name}`, 'deep'));
    }
    await put(join(top, 'worktree', '.git'), 'gitdir: /nowhere\n');
    await putConfig(join(top, 'worktree'));
    await putConfig(scratch.path('outside'));
    await symlink(scratch.path('outside'), join(top, 'linked'));
    await mkdir(join(top, 'half'));
    await symlink(scratch.path('outside', '.codebase-mcp'), join(top, 'half', '.codebase-mcp'));
    await mkdir(join(top, 'empty', '.codebase-mcp'), { recursive: true });
    await mkdir(join(top, 'folder', '.codebase-mcp', 'config.json'), { recursive: true });
    assert.deepEqual(await configsInCheckout(top), expected.sort());
  });

  it('are not known past the limit of entries', async () => {
    const top = scratch.path('many');
    const config = await putConfig(top);
    for (const name of ['a', 'b', 'c']) await mkdir(join(top, name), { recursive: true });
    assert.deepEqual(await configsInCheckout(top, 4), [config]);
    assert.equal(await configsInCheckout(top, 3), null);
    await mkdir(join(top, 'a', 'd'));
    assert.equal(await configsInCheckout(top, 4), null);
  });

  it('do not include those in folders that may not be read', async () => {
    const top = scratch.path('locked');
    const config = await putConfig(top);
    await putConfig(join(top, 'private'));
    await chmod(join(top, 'private'), 0o000);
    try {
      assert.deepEqual(await asOrdinaryUser(() => configsInCheckout(top)), [config]);
    } finally {
      await chmod(join(top, 'private'), 0o755);
    }
    assert.deepEqual(await configsInCheckout(scratch.path('missing')), []);
  });
});
