import assert from 'node:assert/strict';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import {
  afterChange,
  afterDelivery,
  entryTransitions,
  type Delivery,
  type OutboxEntry,
} from '../../../daemon/registry/delivery/outboxRules.ts';

const row: RegistryRow = {
  id: '1f2e3d4c-0000-4000-8000-000000000000',
  name: 'shop',
  databaseName: 'cb_proj_shop_1f2e3d4c',
  description: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  metadata: {},
  registrar: { state: 'ready' },
};
const taken = { code: '23505', message: 'the name "shop" is taken.' };
const full = { code: '53100', message: 'registry disk full (53100)' };
const deliveries: Delivery[] = [
  { kind: 'delivered' },
  { kind: 'forgotten' },
  { kind: 'conflict', error: taken },
  { kind: 'failed', error: full },
];

function entry(state: OutboxEntry['state']): OutboxEntry {
  return { registry: 'r', row, state, since: row.createdAt, attempts: 1, error: { code: 'X', message: 'before' } };
}

describe('the outbox entry', () => {
  it('moves as its table says for every state and outcome', () => {
    for (const state of ['pending', 'parked'] as const) {
      for (const delivery of deliveries) {
        const next = afterDelivery(entry(state), delivery);
        assert.equal(next?.state ?? 'gone', entryTransitions[state][delivery.kind], `${state} ${delivery.kind}`);
        if (next) assert.equal(next.attempts, 2);
      }
    }
  });

  it('ends only when it landed, was forgotten, or was given up', () => {
    for (const state of ['pending', 'parked'] as const) {
      const ends = Object.entries(entryTransitions[state]).filter(([, next]) => next === 'gone');
      assert.deepEqual(
        ends.map(([event]) => event),
        ['delivered', 'forgotten', 'given-up'],
      );
    }
  });

  it('is parked by a conflict and comes back only by a person', () => {
    const back = Object.entries(entryTransitions.parked).filter(([, next]) => next === 'pending');
    assert.deepEqual(back, [['changed', 'pending']]);
    assert.equal(afterDelivery(entry('pending'), { kind: 'conflict', error: taken })?.state, 'parked');
  });

  it('keeps the reason that needs a person while the server has trouble of its own', () => {
    const parked = afterDelivery(entry('pending'), { kind: 'conflict', error: taken });
    assert.ok(parked);
    assert.deepEqual(parked.error, { code: '23505', message: 'the name "shop" is taken' });
    assert.deepEqual(afterDelivery(parked, { kind: 'failed', error: full })?.error, parked.error);
  });

  it('is tried again when its name, id or database changes, and not for a note on its row', () => {
    assert.equal(afterChange(entry('parked'), { ...row, name: 'shop-2' }).state, 'pending');
    assert.equal(afterChange(entry('parked'), { ...row, databaseName: 'cb_proj_shop_00000000' }).state, 'pending');
    assert.equal(
      afterChange(entry('parked'), { ...row, registrar: { ...row.registrar, lastUsedAt: 'x' } }).state,
      'parked',
    );
  });
});
