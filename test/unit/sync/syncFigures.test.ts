import assert from 'node:assert/strict';
import { DeliveryCounts } from '../../../daemon/sync/syncFigures.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');

describe('the sync figures', () => {
  it('count deliveries, failures by code and retries, and name the last of each', () => {
    const counts = new DeliveryCounts();
    counts.add({ kind: 'failed', error: { code: '53100', message: 'full' } }, 1, start);
    counts.add({ kind: 'failed', error: { code: '53100', message: 'full' } }, 2, start + 1000);
    counts.add({ kind: 'conflict', error: { code: '23505', message: 'taken' } }, 1, start + 2000);
    counts.add({ kind: 'delivered' }, 3, start + 3000);
    assert.deepEqual(counts.figures(start + 4000), {
      delivered: 1,
      failed: 3,
      failuresByCode: { '53100': 2, '23505': 1 },
      retries: 2,
      successRateLastHour: 0.25,
      lastSuccessAt: '2026-01-01T00:00:03.000Z',
      lastError: { code: '23505', message: 'taken', at: '2026-01-01T00:00:02.000Z' },
    });
  });

  it('forget after an hour what the rate is about, and keep the totals', () => {
    const counts = new DeliveryCounts();
    counts.add({ kind: 'failed', error: { code: '53100', message: 'full' } }, 1, start);
    counts.add({ kind: 'delivered' }, 1, start + 30 * 60_000);
    assert.equal(counts.figures(start + 59 * 60_000).successRateLastHour, 0.5);
    assert.equal(counts.figures(start + 61 * 60_000).successRateLastHour, 1);
    const late = counts.figures(start + 91 * 60_000);
    assert.equal(late.successRateLastHour, null);
    assert.equal(late.failed, 1);
  });

  it('do not count a project that somebody forgot as a failure', () => {
    const counts = new DeliveryCounts();
    counts.add({ kind: 'forgotten' }, 1, start);
    assert.equal(counts.figures(start).successRateLastHour, null);
    assert.equal(counts.figures(start).failed, 0);
  });
});
