import assert from 'node:assert/strict';
import {
  afterDelivery,
  asReason,
  matchingEntries,
  syncStateOf,
  type OutboxEntry,
} from '../../../../daemon/registry/delivery/outboxRules.ts';

const id = '1f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';
const former = '2f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0';

function entryOf(changes: Partial<OutboxEntry> = {}, row: Partial<OutboxEntry['row']> = {}): OutboxEntry {
  return {
    registry: 'localhost:5432/registry',
    row: {
      id,
      name: 'shop',
      databaseName: 'cb_proj_shop_1f2e3d4c',
      description: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
      metadata: {},
      registrar: { state: 'ready' },
      ...row,
    },
    state: 'pending',
    since: '2026-01-01T00:00:00.000Z',
    attempts: 1,
    error: { code: '53100', message: 'registry disk full (53100)' },
    ...changes,
  };
}

const taken = { code: '23505', message: 'the name "shop" is taken' };
const full = { code: '53200', message: 'registry out of memory (53200)' };

describe('the outbox rules', () => {
  it('keep a pending project that failed, with the newest reason and one more attempt', () => {
    const entry = entryOf();
    assert.deepEqual(afterDelivery(entry, { kind: 'failed', error: full }), { ...entry, attempts: 2, error: full });
  });

  it('find an entry by id, former id or name, and nothing by what is null', () => {
    const shop = entryOf({}, { registrar: { formerIds: [former] } });
    const other = entryOf({}, { id: '3f2e3d4c-5b6a-4978-8796-a5b4c3d2e1f0', name: 'other' });
    const found = (keys: { id: string | null; name: string | null }): OutboxEntry[] =>
      matchingEntries([shop, other], keys);
    assert.deepEqual(found({ id, name: null }), [shop]);
    assert.deepEqual(found({ id: former, name: null }), [shop]);
    assert.deepEqual(found({ id: null, name: 'other' }), [other]);
    assert.deepEqual(found({ id, name: 'other' }), [shop, other]);
    assert.deepEqual(found({ id: null, name: null }), []);
    assert.deepEqual(found({ id: null, name: 'Shop' }), []);
  });

  it('show the next attempt of a pending project, and none of a parked one', () => {
    const next = '2026-01-01T00:01:00.000Z';
    const { error, since } = entryOf();
    assert.deepEqual(syncStateOf(entryOf(), next), {
      state: 'pending',
      since,
      error: { ...error, nextAttemptAt: next },
    });
    assert.deepEqual(syncStateOf(entryOf(), null), { state: 'pending', since, error });
    assert.deepEqual(syncStateOf(entryOf({ state: 'parked' }), next), { state: 'parked', since, error });
  });

  it('cut the full stop off a reason, which goes on as part of a sentence', () => {
    assert.deepEqual(asReason({ code: '42501', message: 'INSERT is missing.' }), {
      code: '42501',
      message: 'INSERT is missing',
    });
    assert.equal(asReason(taken).message, taken.message);
  });
});
