import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { startTimeLimit } from '../../../daemon/time/timeLimit.ts';

describe('a time limit', () => {
  it('is over after its time', async () => {
    const started = performance.now();
    await new Promise<void>((resolve) => startTimeLimit(50, resolve));
    assert.ok(performance.now() - started >= 45);
  });

  it('is not over because this process was suspended, before it could read what came meanwhile', async () => {
    let isOver = false;
    const stop = startTimeLimit(20, () => (isOver = true));
    const until = performance.now() + 100;
    while (performance.now() < until);
    await turn();
    await turn();
    assert.equal(isOver, false);
    stop();
  });
});
