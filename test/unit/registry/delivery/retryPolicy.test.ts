import assert from 'node:assert/strict';
import fc from 'fast-check';
import { retryDelayMs, retryDelays } from '../../../../daemon/registry/delivery/retryPolicy.ts';

const below1 = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the retry policy', () => {
  it('doubles the range from 1 s with every failure, up to a minute', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => retryDelayMs(failures, 1));
    assert.deepEqual(longest, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('spreads daemons over nine tenths of the range, and never retries at once', () => {
    assert.equal(retryDelayMs(1, 0), 100);
    assert.equal(retryDelayMs(1, 0.5), 550);
    assert.equal(retryDelayMs(7, 0), 6000);
  });

  it('never waits longer than its ceiling, less than 100 ms, or for a part of a millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), below1, (failures, random) => {
        const delayMs = retryDelayMs(failures, random);
        assert.ok(Number.isInteger(delayMs) && delayMs >= 100 && delayMs <= retryDelays.ceilingMs, String(delayMs));
      }),
    );
  });

  it('never waits shorter after one more failure with the same luck', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), below1, (failures, random) => {
        assert.ok(retryDelayMs(failures + 1, random) >= retryDelayMs(failures, random));
      }),
    );
  });
});
