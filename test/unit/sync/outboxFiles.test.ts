import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import { Outbox } from '../../../daemon/sync/outbox.ts';

const at = '2026-11-23T12:00:00.000Z';
const failure = { code: 'REGISTRY_UNREACHABLE', message: 'registry disk full', hint: 'wait' } as const;

function rowOf(id: string, formerIds: string[] = [], updatedAt = at): RegistryRow {
  return {
    id,
    name: 'shop',
    databaseName: 'cb_proj_shop_11111111',
    description: null,
    createdAt: at,
    updatedAt,
    metadata: {},
    registrar: { state: 'ready', formerIds },
  };
}

const one = rowOf('11111111-1111-4111-8111-111111111111');
const two = rowOf('22222222-2222-4222-8222-222222222222', [one.id]);

describe('the outbox’s files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-test-outbox-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (write: (path: string, text: string) => Promise<void> = writeFile): Promise<Outbox> =>
    Outbox.open(folder, {
      registry: 'here/registry',
      now: () => at,
      writeFile: write,
      onDamaged: (file, reason) => assert.fail(`${file}: ${reason}`),
    });

  it('keeps no file of an entry that was removed while it was being written', async () => {
    let finishWriting = (): void => undefined;
    const outbox = await open(async (path, text) => {
      await new Promise<void>((resolve) => {
        finishWriting = resolve;
      });
      await writeFile(path, text);
    });
    const added = outbox.add(one, failure);
    const removed = outbox.remove(one.id);
    // Looks at the same folder that come after it, so that a removal that waits for nobody is over by then.
    for (let look = 0; look < 50; look++) await readdir(folder);
    finishWriting();
    await Promise.all([added, removed]);
    assert.deepEqual(outbox.entries(), []);
    assert.deepEqual(await readdir(folder), []);
  });

  it('S2: opens with the newer of two files that a killed re-keying left of one project', async () => {
    const file = (row: RegistryRow): Promise<void> => {
      const { registrar, metadata, ...columns } = row;
      const entry = { version: 1, registry: 'here/registry', state: 'pending', since: at, attempts: 1 };
      const text = JSON.stringify({ ...entry, row: { ...columns, metadata: { ...metadata, registrar } } });
      return writeFile(join(folder, `${row.id}.json`), text);
    };
    await file(one);
    await file(two);
    assert.deepEqual((await open()).rows(), [two]);
    assert.deepEqual(await readdir(folder), [`${two.id}.json`]);

    // Changed back, each says that it was the other before.
    const back = rowOf(one.id, [two.id], '2026-11-23T12:00:00.001Z');
    await file(back);
    assert.deepEqual((await open()).rows(), [back]);
    assert.deepEqual(await readdir(folder), [`${one.id}.json`]);
  });
});
