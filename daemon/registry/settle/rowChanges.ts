import { ownerByMarker } from '../handOver.ts';
import { readMarker, standingOf, writeMarker } from '../marker.ts';
import type { DatabaseCase } from './databaseRules.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../model.ts';
import type { Changed, CommentChange, RowChange } from '../ports.ts';
import type { Run } from './settleRun.ts';
import { rowMarker } from '../rowMarker.ts';

/** Applies a change where the row lives: in the registry, or in the outbox until it is delivered. */
export async function changeRow(
  run: Run,
  sighting: Sighting,
  change: RowChange,
  comment: CommentChange | null,
): Promise<Changed> {
  const { registry, catalog, outbox } = run.ports;
  if (sighting.sync.state === 'synced') return registry.change(sighting.row, change, comment);
  if (change.id !== undefined) {
    // The entry records the former id, so a kill in between leaves a marker that is still recognized as its own. In the
    // other order, it would leave a database with an id that nobody has.
    const changed = await outbox.change(sighting.row, change);
    if (changed === 'done' && comment) await catalog.comment(comment);
    return changed;
  }
  if (comment && (await catalog.comment(comment)) === 'lost') return 'lost';
  return outbox.change(sighting.row, change);
}

/** The comment that makes `row` the owner of its database, or null where that database is not (yet) its own. */
export function commentFollowing(run: Run, sighting: Sighting, change: RowChange): CommentChange | null {
  const { row, database } = sighting;
  if (database.presence !== 'present' || markerStanding(run, row, database) !== 'mine') return null;
  const marker = readMarker(database.comment);
  const schemaVersion = marker.kind === 'marker' ? marker.marker.schemaVersion : null;
  const registrar = { ...row.registrar, ...change.registrar };
  const changed = { ...row, id: change.id ?? row.id, name: change.name ?? row.name, registrar };
  return ownComment(run, changed, database, schemaVersion, row.id);
}

/**
 * The comment that makes the row the owner of its database.
 *
 * @param formerId the id that its marker has so far, where the row is about to get another
 */
export function ownComment(
  run: Run,
  row: RegistryRow,
  database: DatabaseSighting,
  schemaVersion: string | null,
  formerId = row.id,
): CommentChange {
  const marker = rowMarker(row, schemaVersion, run.ports);
  const comment = writeMarker(marker, database.comment, formerId);
  return { databaseName: row.databaseName, seen: database.comment, comment };
}

/** How the database's marker relates to the row. */
export function markerStanding(run: Run, row: RegistryRow, database: DatabaseSighting): DatabaseCase['marker'] {
  return standingOf(database.comment, row, run.ports.catalog.registry);
}

/** Who owns the database according to its marker, as the end of a sentence. */
export function ownerOf(run: Run, database: DatabaseSighting): string {
  return ownerByMarker(database.comment, run.ports.catalog.registry);
}

/** Other databases that carry the row's marker: its own database, renamed without Registrar. */
export async function databasesElsewhere(run: Run, row: RegistryRow): Promise<string[]> {
  const marked = await run.ports.catalog.findMarked({ id: row.id, name: null }, row);
  return marked
    .filter(({ databaseName, marker }) => databaseName !== row.databaseName && marker.forgottenAt === null)
    .map(({ databaseName }) => databaseName);
}
