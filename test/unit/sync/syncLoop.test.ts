import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePrivateFile } from '../../../daemon/wire/stateFolder.ts';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import { Outbox } from '../../../daemon/sync/outbox.ts';
import type { Delivery } from '../../../daemon/registry/delivery/outboxRules.ts';
import { SyncLoop } from '../../../daemon/sync/syncLoop.ts';

const row: RegistryRow = {
  id: '00000001-0000-4000-8000-000000000000',
  name: 'shop',
  databaseName: 'cb_proj_shop_00000001',
  description: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  metadata: {},
  registrar: { state: 'ready' },
};

describe('the sync loop', () => {
  let folder: string;
  let outbox: Outbox;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-sync-'));
    outbox = await Outbox.open(folder, {
      registry: 'here',
      now: () => new Date().toISOString(),
      writeFile: writePrivateFile,
      onDamaged: () => assert.fail('nothing is damaged'),
    });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('S1: does not sit out its backoff when the registry answers again', async () => {
    const answers: Delivery['kind'][] = [];
    let delivered: () => void = () => undefined;
    const registered = new Promise<void>((resolve) => {
      delivered = resolve;
    });
    let isBack = false;
    const loop = new SyncLoop(outbox, {
      deliver: (rows) => {
        const error = { code: '53100', message: 'registry disk full (53100)' };
        return Promise.resolve(rows.map(() => (isBack ? { kind: 'delivered' } : { kind: 'failed', error })));
      },
      now: () => new Date(),
      random: () => 1,
      report: (_entry, { kind }) => {
        answers.push(kind);
        if (kind === 'delivered') delivered();
      },
    });
    await outbox.add(row, { code: 'REGISTRY_UNREACHABLE', message: 'registry disk full (53100)', hint: '-' });
    for (let attempt = 0; attempt < 8; attempt += 1) await loop.attempt();
    const waitsMs = Date.parse(loop.status().pending[0]?.nextAttemptAt ?? '') - Date.now();
    assert.ok(waitsMs > 50_000, String(waitsMs));

    isBack = true;
    loop.wake();
    await registered;
    await loop.stop();
    assert.equal(answers.length, 9);
    assert.deepEqual(outbox.entries(), []);
  });

  it('S1: tries again for whoever asks while it is trying, once for all who do, and what is parked, too', async () => {
    const batches: { rows: RegistryRow[]; answer(kind: 'delivered' | 'conflict'): void }[] = [];
    let begun: () => void = () => undefined;
    const loop = new SyncLoop(outbox, {
      deliver: (rows) =>
        new Promise((resolve) => {
          batches.push({
            rows,
            answer: (kind) => {
              const error = { code: '23505', message: 'the name "shop" is taken' };
              resolve(rows.map(() => (kind === 'delivered' ? { kind } : { kind, error })));
            },
          });
          begun();
        }),
      now: () => new Date(),
      random: () => 1,
      report: () => undefined,
    });
    await outbox.add(row, { code: 'REGISTRY_UNREACHABLE', message: '-', hint: '-' });
    const unasked = loop.attempt();
    const asked = [loop.attempt(true), loop.attempt(true)];
    const again = new Promise<void>((resolve) => {
      begun = resolve;
    });
    batches[0]?.answer('conflict');
    await unasked;
    assert.equal(outbox.entries()[0]?.state, 'parked');
    await again;
    batches[1]?.answer('delivered');
    await Promise.all(asked);
    assert.equal(batches.length, 2);
    assert.deepEqual(outbox.entries(), []);
    await loop.stop();
  });

  it('asks nobody when it is woken with nothing to deliver, or after its end', async () => {
    let asked = 0;
    const loop = new SyncLoop(outbox, {
      deliver: (rows) => {
        asked += 1;
        return Promise.resolve(rows.map(() => ({ kind: 'delivered' })));
      },
      now: () => new Date(),
      random: () => 1,
      report: () => undefined,
    });
    loop.wake();
    await outbox.add(row, { code: 'REGISTRY_UNREACHABLE', message: '-', hint: '-' });
    await loop.stop();
    loop.wake();
    await loop.stop();
    assert.equal(asked, 0);
  });
});
