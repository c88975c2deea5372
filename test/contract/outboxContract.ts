import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { Outbox } from '../../daemon/sync/outbox.ts';
import { storedRow, type StoreGround } from './storeGround.ts';

export type OutboxStore = Pick<
  Outbox,
  'entries' | 'find' | 'rows' | 'sightingOf' | 'add' | 'change' | 'remove' | 'settle' | 'whileDelivering'
>;

const failure = {
  code: 'DISK_FULL',
  message: 'The disk of the server is full.',
  hint: '-',
  details: { sqlState: '53100' },
} as const;
const absent = { presence: 'absent', comment: null } as const;

/** What the rules may rely on of the queue of projects that the registry does not know yet, on a disk and in the world. */
export function outboxContract(newGround: () => Promise<StoreGround<OutboxStore>>): void {
  let ground: StoreGround<OutboxStore>;
  let outbox: OutboxStore;
  beforeEach(async () => {
    ground = await newGround();
    outbox = await ground.open();
  });
  afterEach(() => ground.close());

  it('keeps an entry with its reason, also for whoever opens it after a kill', async () => {
    const row = storedRow('shop', 1);
    const since = ground.now();
    assert.equal(await outbox.add(row, failure), 'added');
    ground.move(1000);
    for (const one of [outbox, await ground.open()]) {
      assert.deepEqual(one.rows(), [row]);
      const sync = { state: 'pending', since, error: { code: '53100', message: 'The disk of the server is full' } };
      assert.deepEqual(one.sightingOf(row, absent), { row, database: absent, sync });
      const other = storedRow('wiki', 2);
      assert.deepEqual(one.sightingOf(other, absent), { row: other, database: absent, sync: { state: 'synced' } });
      assert.deepEqual(one.entries()[0]?.attempts, 1);
    }
  });

  it('has one entry of an id and of a name, also while the first is being written', async () => {
    const row = storedRow('shop', 1);
    const others = [storedRow('wiki', 1), storedRow('shop', 2)];
    const added = [row, ...others].map((one) => outbox.add(one, failure));
    assert.deepEqual(await Promise.all(added), ['added', 'lost', 'lost']);
    assert.deepEqual((await ground.open()).rows(), [row]);
  });

  it('finds by id, by former id and by name', async () => {
    const row = { ...storedRow('shop', 1), registrar: { state: 'ready' as const, formerIds: [storedRow('', 9).id] } };
    await outbox.add(row, failure);
    await outbox.add(storedRow('wiki', 2), failure);
    const found = (id: string | null, name: string | null): string[] =>
      outbox.find({ id, name }).map((one) => one.name);
    assert.deepEqual(found(row.id, null), ['shop']);
    assert.deepEqual(found(storedRow('', 9).id, null), ['shop']);
    assert.deepEqual(found(null, 'shop'), ['shop']);
    assert.deepEqual(found(row.id, 'wiki'), ['shop', 'wiki']);
    assert.deepEqual(found(storedRow('', 3).id, 'blog'), []);
  });

  it('changes an entry that is as it was observed, and stores nothing but the row', async () => {
    const row = storedRow('shop', 1);
    await outbox.add(row, failure);
    await outbox.add(storedRow('wiki', 2), failure);
    assert.equal(await outbox.change(row, { name: 'wiki' }), 'taken');
    ground.move(1000);
    const change = { description: 'new', registrar: { lastUsedAt: ground.now() }, event: 'used' } as const;
    assert.equal(await outbox.change(row, change), 'done');
    const registrar = { ...row.registrar, lastUsedAt: ground.now() };
    const changed = { ...row, description: 'new', registrar, updatedAt: ground.now() };
    assert.deepEqual(outbox.find({ id: row.id, name: null }), [changed]);
    assert.equal(await outbox.change(row, { description: 'again' }), 'lost');
    assert.deepEqual((await ground.open()).find({ id: row.id, name: null }), [changed]);
  });

  it('has an entry that got another id under that one alone', async () => {
    const row = storedRow('shop', 1);
    await outbox.add(row, failure);
    const { id } = storedRow('', 5);
    assert.equal(await outbox.change(row, { id, registrar: { formerIds: [row.id] } }), 'done');
    for (const one of [outbox, await ground.open()]) {
      assert.deepEqual(
        one.entries().map((entry) => [entry.row.id, entry.row.registrar.formerIds]),
        [[id, [row.id]]],
      );
    }
  });

  it('has no entry that the disk refused, and says both reasons', async () => {
    await ground.refuse(true);
    const added = outbox.add(storedRow('shop', 1), failure);
    await assert.rejects(added, {
      code: 'DISK_FULL',
      message:
        /^The disk of the server is full\. The project could not be kept on this machine either: .+ Nothing was made\.$/,
    });
    await ground.refuse(false);
    for (const one of [outbox, await ground.open()]) assert.deepEqual(one.rows(), []);
    assert.equal(await outbox.add(storedRow('shop', 1), failure), 'added');
  });

  it('lets nobody change or remove an entry while it is delivered', async () => {
    const row = storedRow('shop', 1);
    const kept = storedRow('wiki', 2);
    for (const one of [row, kept]) await outbox.add(one, failure);
    const [entry] = outbox.entries();
    assert.ok(entry);
    let end: () => void = () => undefined;
    const delivering = outbox.whileDelivering(async () => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      await outbox.settle(entry, { kind: 'delivered' });
    });
    const changing = outbox.change(row, { description: 'late' });
    const removing = outbox.remove(kept.id);
    await setImmediate();
    assert.deepEqual(outbox.rows(), [row, kept]);
    end();
    await delivering;
    assert.equal(await changing, 'lost');
    await removing;
    for (const one of [outbox, await ground.open()]) assert.deepEqual(one.rows(), []);
  });

  it('parks what is in conflict until it is changed, and counts failed attempts in memory alone', async () => {
    const row = storedRow('shop', 1);
    await outbox.add(row, failure);
    const settle = async (kind: 'failed' | 'conflict'): Promise<void> => {
      const [entry] = outbox.entries();
      assert.ok(entry);
      const error = { code: '23505', message: 'Another project has this name.' };
      await outbox.whileDelivering(() => outbox.settle(entry, { kind, error }));
    };
    const shown = (one: OutboxStore): unknown[] => one.entries().map(({ state, attempts }) => [state, attempts]);
    await settle('failed');
    assert.deepEqual(shown(outbox), [['pending', 2]]);
    assert.deepEqual(shown(await ground.open()), [['pending', 1]]);
    await settle('conflict');
    for (const one of [outbox, await ground.open()]) {
      assert.deepEqual(shown(one), [['parked', 3]]);
      assert.equal(one.entries()[0]?.error.message, 'Another project has this name');
    }
    assert.equal(await outbox.change(row, { name: 'store' }), 'done');
    assert.deepEqual(shown(await ground.open()), [['pending', 3]]);
  });
}
