import assert from 'node:assert/strict';
import { withLimit } from '../../../daemon/engine/withLimit.ts';

describe('work with a limit', () => {
  const never = new Promise<string>(() => undefined);

  it('gives what it gives in time, and keeps no timer', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    // The runner's own timer for this test starts when the test first waits.
    await Promise.resolve();
    const before = timers();
    assert.equal(await withLimit(60_000, Promise.resolve('done'), 'late'), 'done');
    await assert.rejects(withLimit(60_000, Promise.reject(new Error('failed')), 'late'), /failed/);
    assert.equal(timers(), before);
  });

  it('gives the other when it is late', async () => {
    assert.equal(await withLimit(1, never, 'late'), 'late');
  });
});
