import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';

/**
 * Fails deliveries until the engine's own next attempt is so far away that it comes between no two statements of a test.
 * The backoff is random: tried until it is a long one.
 */
export async function backOff(engine: Engine): Promise<void> {
  let waitMs = 0;
  while (waitMs < 30_000) {
    const [entry] = (await engine.syncNow()).pending;
    assert.ok(entry?.nextAttemptAt, 'nothing waits for its next attempt');
    waitMs = Date.parse(entry.nextAttemptAt) - Date.now();
  }
}
