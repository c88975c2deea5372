import type { RegistryRow, Sighting } from '../model.ts';
import type { RegistryPorts } from '../ports.ts';

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
