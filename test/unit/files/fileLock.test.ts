import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockLost, withFileLock } from '../../../daemon/files/fileLock.ts';

describe('a lock between processes', () => {
  const never = { deadMs: 60_000, hungMs: 60_000, waitMs: 60_000 };
  let folder: string;
  let path: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-lock-'));
    path = join(folder, 'claims.json.lock');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** A process that holds the lock. */
  async function holder(): Promise<ChildProcess> {
    const script = join(import.meta.dirname, '../../support/lockChild.ts');
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  it('is had by one at a time, and leaves nothing behind', async () => {
    let [inside, most, done] = [0, 0, 0];
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await readdir(folder);
      inside -= 1;
      done += 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withFileLock(path, work, never)));
    assert.deepEqual([most, done], [1, 20]);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is free again when the work fails', async () => {
    const failing = withFileLock(path, () => Promise.reject(new Error('no space')), never);
    await assert.rejects(failing, { message: 'no space' });
    assert.deepEqual(await readdir(folder), []);
  });

  it('of a process that was killed stops the next ones only for a moment', async () => {
    const child = await holder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    let inside = 0;
    const work = async (): Promise<void> => {
      assert.equal((inside += 1), 1);
      await readdir(folder);
      inside -= 1;
    };
    // As for a holder that hangs, they would wait longer than this test may take.
    const limits = { deadMs: 250, hungMs: 600_000, waitMs: 600_000 };
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(path, work, limits)));
    assert.deepEqual(await readdir(folder), []);
  });

  it('whose writer was killed before it said who it is counts as little', async () => {
    await writeFile(path, '');
    await withFileLock(path, () => Promise.resolve(), { ...never, deadMs: 20 });
    assert.deepEqual(await readdir(folder), []);
  });

  it('of a process that works is waited for, up to a limit', async () => {
    await holder();
    const asked = withFileLock(path, () => assert.fail('was had by two'), { ...never, deadMs: 0, waitMs: 200 });
    await assert.rejects(asked, { code: 'EBUSY' });
  });

  it('of a process that hangs is taken over', async function () {
    if (process.platform === 'win32') this.skip();
    (await holder()).kill('SIGSTOP');
    assert.equal(await withFileLock(path, () => Promise.resolve('had'), { ...never, hungMs: 100 }), 'had');
  });

  it('that was taken over is not confirmed, and is left to its new holder', async () => {
    const next = `${String(process.pid)} next`;
    const late = withFileLock(path, async (confirm) => {
      await confirm();
      await writeFile(path, next);
      await confirm();
    });
    await assert.rejects(late, LockLost);
    assert.deepEqual(await readdir(folder), ['claims.json.lock']);
  });
});
