import assert from 'node:assert/strict';
import { cutAfter, withLimit } from '../../../daemon/time/withLimit.ts';

const never = new Promise<string>(() => undefined);
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('work with a limit', () => {
  it('gives what it gives in time, and keeps no timer', async () => {
    // The runner's own timer for this test starts when the test first waits.
    await Promise.resolve();
    const before = timers();
    assert.equal(await withLimit(60_000, Promise.resolve('done'), () => 'late'), 'done');
    await assert.rejects(
      withLimit(60_000, Promise.reject(new Error('failed')), () => 'late'),
      /failed/,
    );
    assert.equal(timers(), before);
  });

  it('gives the other when it is late', async () => {
    assert.equal(await withLimit(1, never, () => 'late'), 'late');
  });

  it('throws what the late one throws', async () => {
    const late = (): never => {
      throw new Error('too late');
    };
    await assert.rejects(withLimit(1, never, late), /too late/);
  });
});

describe('work that is cut off', () => {
  it('gives what it gives in time, and keeps no timer', async () => {
    await Promise.resolve();
    const before = timers();
    const cut = (): void => assert.fail('it was in time');
    assert.equal(await cutAfter(60_000, cut, () => Promise.resolve('done')), 'done');
    await assert.rejects(
      cutAfter(60_000, cut, () => Promise.reject(new Error('failed'))),
      /failed/,
    );
    assert.equal(timers(), before);
  });

  it('ends with what it makes of the cut', async () => {
    const stop = new AbortController();
    const cut = (): void => {
      stop.abort();
    };
    const work = (): Promise<string> =>
      new Promise((resolve) => {
        stop.signal.addEventListener('abort', () => {
          resolve('cut');
        });
      });
    assert.equal(await cutAfter(1, cut, work), 'cut');
  });
});
