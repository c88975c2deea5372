import type { RegistryRow, Sighting } from '../model.ts';
import type { RegistryPorts } from '../ports.ts';

/**
 * Entries that the registry does not have. If the reply to a row's insertion was lost, the row is there while its entry waits
 * for delivery. Under another name or id by now, no look at the entry's finds it; whoever took the entry for the project would
 * claim it a second time.
 */
export async function unregistered(
  rows: readonly RegistryRow[],
  registry: RegistryPorts['registry'],
): Promise<RegistryRow[]> {
  if (rows.length === 0) return [];
  const there = new Set((await registry.lookIds(rows.map(({ id }) => id))).map(({ row }) => row.id));
  const left: RegistryRow[] = [];
  for (const row of rows) if (!there.has(row.id) && !(await registry.lookFormerId(row.id))) left.push(row);
  return left;
}

/**
 * Outbox entries with their databases. The entries come first: an entry that leaves the outbox while the catalog is
 * queried, because it was given up or delivered, must not pass for a row of the registry.
 *
 * @param rows as the outbox just gave them
 */
export async function sightEntries(
  rows: readonly RegistryRow[],
  { outbox, catalog }: Pick<RegistryPorts, 'outbox' | 'catalog'>,
): Promise<Sighting[]> {
  const entries = rows.map((row) => outbox.sightingOf(row, { presence: 'absent', comment: null }));
  const sightings: Sighting[] = [];
  for (const entry of entries) {
    sightings.push({ ...entry, database: await catalog.lookDatabase(entry.row.databaseName) });
  }
  return sightings;
}
