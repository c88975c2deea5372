import assert from 'node:assert/strict';
import type { RegistryRow, Sighting } from '../../../../daemon/registry/model.ts';
import type { CatalogPort, OutboxPort } from '../../../../daemon/registry/ports.ts';
import { sightEntries } from '../../../../daemon/registry/settle/sightEntries.ts';

const row: RegistryRow = {
  id: '11111111-1111-4111-8111-111111111111',
  name: 'shop',
  databaseName: 'cb_proj_shop_11111111',
  description: null,
  createdAt: '2026-11-23T12:00:00.000Z',
  updatedAt: '2026-11-23T12:00:00.000Z',
  metadata: {},
  registrar: { state: 'provisioning' },
};

describe('seeing what waits in the outbox', () => {
  it('takes no entry that leaves while the catalog is asked for a row of the registry', async () => {
    let isThere = true;
    const outbox = {
      sightingOf: (entry: RegistryRow, database: Sighting['database']): Sighting => ({
        row: entry,
        database,
        sync: { state: isThere ? 'pending' : 'synced' },
      }),
    };
    const catalog = {
      lookDatabase: async (databaseName: string): Promise<Sighting['database']> => {
        assert.equal(databaseName, row.databaseName);
        isThere = false;
        return { presence: 'present', comment: 'a note' };
      },
    };
    const ports = { outbox: outbox as unknown as OutboxPort, catalog: catalog as unknown as CatalogPort };
    assert.deepEqual(await sightEntries([row, row], ports), [
      { row, database: { presence: 'present', comment: 'a note' }, sync: { state: 'pending' } },
      { row, database: { presence: 'present', comment: 'a note' }, sync: { state: 'pending' } },
    ]);
  });
});
