import assert from 'node:assert/strict';
import { ago, briefPath, untilOtherTime } from '../../../extension/views/words.ts';

const now = new Date('2026-11-03T13:50:00.000Z');
const before = (ms: number): string => new Date(now.getTime() - ms).toISOString();

describe('words on rows', () => {
  it('say how long ago something was, and are drawn again when they are no longer true', () => {
    const text = [1000, 12_000, 185_000, 7_300_000].map((ms) => ago(before(ms), now));
    assert.deepEqual(text, ['now', '12 s ago', '3 min ago', '2 h ago']);
    for (const ms of [0, 12_000, 185_000, 7_300_000]) {
      const waitMs = untilOtherTime(before(ms), now);
      assert.ok(waitMs > 0);
      assert.notEqual(ago(before(ms), new Date(now.getTime() + waitMs)), ago(before(ms), now));
    }
  });

  it('shorten a path to what tells it from others', () => {
    assert.equal(briefPath('/home/a/shop', '/home/a'), '~/shop');
    assert.equal(briefPath('/home/a/work/customers/acme/shop', '/home/a'), '…/shop');
  });
});
