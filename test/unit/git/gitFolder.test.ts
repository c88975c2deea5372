import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promptLooks, waitingLooks } from '../../../daemon/files/fileLooks.ts';
import { versionControlIn } from '../../../daemon/git/gitFolder.ts';

describe('the top of a working tree', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-top-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  for (const [how, looks] of Object.entries({ 'by other threads': waitingLooks, 'at once': promptLooks })) {
    it(`is known by what it holds, ${how}`, async () => {
      assert.equal(await versionControlIn(folder, looks), null);
      assert.equal(await versionControlIn(join(folder, 'missing'), looks), null);
      await mkdir(join(folder, '.hg'));
      assert.equal(await versionControlIn(folder, looks), 'other');
      await mkdir(join(folder, '.git'));
      assert.equal(await versionControlIn(folder, looks), 'git');
    });
  }

  it('takes one look where git is there, since every resolution asks', async () => {
    await mkdir(join(folder, '.git'));
    const looked: string[] = [];
    const isThere = (path: string) => {
      looked.push(path);
      return promptLooks.isThere(path);
    };
    assert.equal(await versionControlIn(folder, { ...promptLooks, isThere }), 'git');
    assert.deepEqual(looked, [join(folder, '.git')]);
  });
});
