import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli, settings } from './fakeCli.ts';

describe('registrar trust', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'registrar-trust-')));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('R13: lists the real path of a folder, once', async () => {
    await mkdir(join(folder, 'real'));
    await symlink(join(folder, 'real'), join(folder, 'link'));
    const once = await cli(['trust', 'link'], { context: { cwd: folder } });
    assert.equal(once.status, 0);
    assert.deepEqual(once.settings.trustedFolders, [join(folder, 'real')]);
    const twice = await cli(['trust'], { context: { cwd: join(folder, 'real') }, settings: once.settings });
    assert.deepEqual(twice.settings.trustedFolders, [join(folder, 'real')]);
    assert.match(twice.stdout, /real is trusted\n$/);
  });

  it('lists what is trusted, and removes it even when the folder is gone', async () => {
    const trusting = { ...settings, trustedFolders: ['/home/a/x', '/gone'] };
    assert.equal((await cli(['trust', '--list'], { settings: trusting })).stdout, '~/x\n/gone\n');
    const run = await cli(['trust', '--remove', '/gone', '--json'], { settings: trusting });
    assert.deepEqual(JSON.parse(run.stdout), { trustedFolders: ['/home/a/x'] });
    assert.deepEqual(run.settings.trustedFolders, ['/home/a/x']);
    assert.match((await cli(['trust', '--list'])).stdout, /^No folder is trusted.*\nnext: registrar trust DIR\n$/);
  });

  it('refuses what is no folder, what is not there, and the root', async () => {
    await writeFile(join(folder, 'file'), '');
    for (const path of [join(folder, 'file'), join(folder, 'none'), '/']) {
      const run = await cli(['trust', path]);
      assert.equal(run.status, 1);
      assert.match(run.stderr, /^DIRECTORY_INVALID: /);
      assert.deepEqual(run.settings.trustedFolders, []);
    }
  });
});
