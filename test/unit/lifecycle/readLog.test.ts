import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../../daemon/lifecycle/logFile.ts';
import { readLog } from '../../../daemon/lifecycle/readLog.ts';

describe('reading the log', () => {
  let folder: string;
  let path: string;
  let stop: AbortController;
  let following: AsyncGenerator<string> | null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-read-log-'));
    await mkdir(join(folder, 'logs'));
    path = join(folder, 'logs', 'registrar.log');
    stop = new AbortController();
    following = null;
  });
  afterEach(async () => {
    stop.abort();
    for (let step = await following?.next(); step?.done === false; step = await following?.next());
    await rm(folder, { recursive: true, force: true });
  });

  const follow = (): void => {
    following = readLog(path, true, stop.signal);
  };
  /** The next lines; mocha's limit ends a wait for one that does not come. */
  const next = async (count: number): Promise<unknown[]> => {
    const lines: unknown[] = [];
    while (lines.length < count) lines.push((await following?.next())?.value);
    return lines;
  };

  it('gives what is there, the last line without its break too, and ends', async () => {
    const all = async (): Promise<string[]> => {
      const lines: string[] = [];
      for await (const line of readLog(path, false, stop.signal)) lines.push(line);
      return lines;
    };
    assert.deepEqual(await all(), []);
    await writeFile(path, 'one\ntwo');
    assert.deepEqual(await all(), ['one', 'two']);
    await writeFile(path, `cut\n${'x'.repeat(999_995)}\nlast\n`);
    assert.deepEqual(await all(), ['last']);
  });

  it('goes on with what is written, lines and letters that come in pieces too', async () => {
    await writeFile(path, 'one\n');
    follow();
    assert.deepEqual(await next(1), ['one']);
    const waiting = next(1);
    const letters = Buffer.from('größe\n');
    for (const byte of letters) await appendFile(path, Buffer.of(byte));
    assert.deepEqual(await waiting, ['größe']);
  });

  it('waits for a log that is not there yet', async () => {
    follow();
    const waiting = next(2);
    await writeFile(path, 'one\ntwo\n');
    assert.deepEqual(await waiting, ['one', 'two']);
  });

  it('loses and repeats nothing over rotations', async () => {
    const log = openLog(folder, 2000);
    log.info({ number: 0 }, 'first');
    follow();
    const numbers: number[] = [];
    for (let number = 0; number < 100; number += 1) {
      // One is written while the one before is read, so that each rotation is seen.
      log.info({ number: number + 1 }, 'x'.repeat(100));
      const [line] = await next(1);
      numbers.push((JSON.parse(String(line)) as { number: number }).number);
    }
    assert.deepEqual(numbers, [...Array(100).keys()]);
  });

  it('reads the rest of a file that was renamed, then the new one', async () => {
    await writeFile(path, 'one\n');
    follow();
    await next(1);
    await appendFile(path, 'two\n');
    await rename(path, `${path}.1`);
    await writeFile(path, 'three\n');
    assert.deepEqual(await next(2), ['two', 'three']);
  });

  it('begins again where the file was cut short, or removed and made anew', async () => {
    await writeFile(path, 'long enough to be cut\n');
    follow();
    await next(1);
    await truncate(path, 0);
    await appendFile(path, 'two\n');
    assert.deepEqual(await next(1), ['two']);
    await unlink(path);
    await writeFile(path, 'three\n');
    assert.deepEqual(await next(1), ['three']);
  });

  it('ends at the signal, whether it reads or waits', async () => {
    await writeFile(path, 'one\n');
    follow();
    await next(1);
    const waiting = following?.next();
    stop.abort();
    assert.deepEqual(await waiting, { value: undefined, done: true });
  });
});
