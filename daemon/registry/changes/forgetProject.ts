import { notSettled, projectDropping } from '../failures.ts';
import { readMarker, writeMarker } from '../marker.ts';
import type { Sighting } from '../model.ts';
import { isBelieved } from '../evidence/owners.ts';
import type { CommentChange, RegistryPorts } from '../ports.ts';
import { findSighting } from '../settle/settleReference.ts';
import { rowMarker } from '../rowMarker.ts';

/**
 * Unregisters a project and leaves its data alone. The marker records that this was intended, so that no window,
 * daemon, outbox or rebuild brings the project back by itself.
 *
 * @returns the project as it was
 * @throws RegistrarError PROJECT_NOT_FOUND, REGISTRY_FORBIDDEN naming what is missing
 */
export async function forgetProject(reference: string, ports: RegistryPorts): Promise<Sighting> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const sighting = await findSighting(reference, ports);
    const { row, sync } = sighting;
    if (row.registrar.state === 'dropping') throw projectDropping(row);
    const comment = await forgottenComment(sighting, ports);
    if (sync.state === 'synced') {
      if ((await ports.registry.remove(row, comment)) !== 'done') continue;
    } else if (comment && (await ports.catalog.comment(comment)) === 'lost') {
      continue;
    }
    await ports.outbox.remove(row.id);
    ports.memory.forget(row.id);
    // A delivery that began before the marker was written has made the entry a row; that row goes too.
    if (sync.state !== 'synced' && (await isRegistered(row.id, ports))) continue;
    if (sync.state !== 'synced') await ports.events.ended('forgotten', row);
    return sighting;
  }
  throw notSettled(reference);
}

async function isRegistered(id: string, ports: RegistryPorts): Promise<boolean> {
  const looked = await ports.registry.look({ id, name: null }, true);
  return looked.kind === 'seen' && looked.sightings.length > 0;
}

/** Null if there is no database to mark, or if it is somebody else's. */
async function forgottenComment({ row, database }: Sighting, ports: RegistryPorts): Promise<CommentChange | null> {
  if (database.presence !== 'present') return null;
  const reading = readMarker(database.comment);
  const isForeign =
    reading.kind === 'marker' &&
    (reading.marker.projectId !== row.id || reading.marker.registry !== ports.catalog.registry);
  if (isForeign) return null;
  if (reading.kind === 'none' && !isBelieved(await ports.catalog.lookDatabase(row.databaseName), row)) return null;
  const schemaVersion = reading.kind === 'marker' ? reading.marker.schemaVersion : null;
  const marker = rowMarker(row, schemaVersion, ports, ports.origin.now());
  return { databaseName: row.databaseName, seen: database.comment, comment: writeMarker(marker, database.comment) };
}
