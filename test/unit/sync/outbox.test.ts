import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import { writePrivateFile } from '../../../daemon/wire/stateFolder.ts';
import { Outbox } from '../../../daemon/sync/outbox.ts';
import type { Delivery } from '../../../daemon/registry/delivery/outboxRules.ts';
import { SyncLoop } from '../../../daemon/sync/syncLoop.ts';
import { storedRow } from '../../contract/storeGround.ts';

const failure = { code: 'REGISTRY_UNREACHABLE', message: 'registry disk full (53100)', hint: '-' } as const;

describe('the outbox', () => {
  let folder: string;
  const damaged: string[] = [];
  const open = (registry = 'here') =>
    Outbox.open(folder, {
      registry,
      now: () => new Date().toISOString(),
      writeFile: writePrivateFile,
      onDamaged: (file) => damaged.push(file),
    });
  /** A loop whose deliveries the test answers one by one. */
  function loopWith(outbox: Outbox) {
    const batches: { rows: RegistryRow[]; answer: (deliveries: Delivery[]) => void }[] = [];
    const reports: string[] = [];
    const loop = new SyncLoop(outbox, {
      deliver: (rows) =>
        new Promise((answer) => {
          batches.push({ rows, answer });
        }),
      now: () => new Date(),
      random: () => 1,
      report: (entry, delivery) => reports.push(`${entry.row.name} ${delivery.kind}`),
    });
    return { loop, batches, reports };
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-outbox-'));
    damaged.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keeps an entry over a restart, whole', async () => {
    const first = await open();
    assert.equal(await first.add(storedRow('shop', 1), failure), 'added');
    const second = await open();
    assert.deepEqual(second.rows(), [storedRow('shop', 1)]);
    assert.equal(second.entries()[0]?.error.message, 'registry disk full (53100)');
  });

  it('holds one entry per id and per name, also while the first is being written', async () => {
    const outbox = await open();
    const results = await Promise.all([
      outbox.add(storedRow('shop', 1), failure),
      outbox.add(storedRow('shop', 2), failure),
      outbox.add(storedRow('other', 1), failure),
    ]);
    assert.deepEqual(results, ['added', 'lost', 'lost']);
    assert.deepEqual(await readdir(folder), [`${storedRow('shop', 1).id}.json`]);
  });

  it('neither shows nor removes entries of another registry', async () => {
    await (await open('there')).add(storedRow('shop', 1), failure);
    assert.deepEqual((await open('here')).rows(), []);
    assert.equal((await open('there')).rows().length, 1);
  });

  it('sets a damaged file aside and opens with the rest', async () => {
    await (await open()).add(storedRow('shop', 1), failure);
    await writeFile(join(folder, 'broken.json'), '{"version": 1, "row"');
    await writeFile(
      join(folder, 'other.json'),
      '{"version": 1, "registry": "here", "since": "x", "row": {"id": "nonsense"}}',
    );
    assert.equal((await open()).rows().length, 1);
    assert.equal(damaged.length, 2);
    assert.equal(await readFile(join(folder, 'broken.json.damaged'), 'utf8'), '{"version": 1, "row"');
  });

  it('refuses what it cannot keep, and forgets it at once', async () => {
    const outbox = await Outbox.open(folder, {
      registry: 'here',
      now: () => new Date().toISOString(),
      writeFile: () => Promise.reject(new Error('ENOSPC: no space left on device')),
      onDamaged: () => undefined,
    });
    await assert.rejects(
      outbox.add(storedRow('shop', 1), failure),
      /disk full.*could not be kept.*ENOSPC.*Nothing was made/,
    );
    assert.deepEqual(outbox.rows(), []);
  });

  it('lets changes and removals wait while a delivery is under way', async () => {
    const outbox = await open();
    const { loop, batches } = loopWith(outbox);
    await outbox.add(storedRow('shop', 1), failure);
    const attempt = loop.attempt();
    const entry = outbox.rows()[0];
    assert.ok(entry && batches[0]);
    const order: string[] = [];
    const change = outbox.change(entry, { name: 'renamed' }).then((changed) => order.push(`change ${changed}`));
    await new Promise(setImmediate);
    assert.deepEqual(order, []);
    batches[0].answer([{ kind: 'delivered' }]);
    await attempt;
    await change;
    // Delivered under its old name, so that the rename has to go to the registry.
    assert.deepEqual(order, ['change lost']);
    await loop.stop();
  });

  it('S3: parks a conflict, delivers the rest, and tries a parked entry only when it changed or somebody asks', async () => {
    const outbox = await open();
    const { loop, batches, reports } = loopWith(outbox);
    await outbox.add(storedRow('shop', 1), failure);
    await outbox.add(storedRow('blog', 2), failure);
    const first = loop.attempt();
    batches
      .at(0)
      ?.answer([
        { kind: 'conflict', error: { code: '23505', message: 'the name "shop" is taken' } },
        { kind: 'delivered' },
      ]);
    await first;
    assert.deepEqual(reports, ['shop conflict', 'blog delivered']);
    await loop.attempt();
    assert.equal(batches.length, 1);
    const parked = loop.status().parked[0];
    assert.equal(parked?.error.message, 'the name "shop" is taken');
    assert.equal(parked.nextAttemptAt, null);

    const asked = loop.attempt(true);
    assert.deepEqual(
      batches.at(1)?.rows.map(({ name }) => name),
      ['shop'],
    );
    batches.at(1)?.answer([{ kind: 'conflict', error: { code: '23505', message: 'the name "shop" is taken' } }]);
    await asked;

    const row = outbox.rows()[0];
    assert.ok(row);
    assert.equal(await outbox.change(row, { name: 'shop-2' }), 'done');
    assert.equal(loop.status().pending[0]?.name, 'shop-2');
    const third = loop.attempt();
    assert.deepEqual(
      batches.at(2)?.rows.map(({ name }) => name),
      ['shop-2'],
    );
    batches.at(2)?.answer([{ kind: 'delivered' }]);
    await third;
    assert.deepEqual(await readdir(folder), []);
    await loop.stop();
  });

  it('counts what it did in one place', async () => {
    const outbox = await open();
    const { loop, batches } = loopWith(outbox);
    await outbox.add(storedRow('shop', 1), failure);
    const first = loop.attempt();
    batches.at(0)?.answer([{ kind: 'failed', error: { code: '53100', message: 'registry disk full (53100)' } }]);
    await first;
    const status = loop.status();
    assert.deepEqual(status.failuresByCode, { '53100': 1 });
    assert.equal(status.pending[0]?.attempts, 2);
    assert.ok(status.pending.at(0)?.nextAttemptAt);
    assert.ok((status.oldestPendingAgeMs ?? -1) >= 0);
    await loop.stop();
  });
});
