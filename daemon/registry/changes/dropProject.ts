import { RegistrarError } from '../../protocol/registrarError.ts';
import {
  beingMade,
  dropUnconfirmed,
  databaseForeign,
  databaseRenamed,
  dropRefused,
  mayNotDrop,
  notSettled,
  projectForgotten,
} from '../failures.ts';
import { standingOf } from '../marker.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../model.ts';
import { requireBelieved } from '../evidence/owners.ts';
import type { CommentChange, Held, RegistryPorts } from '../ports.ts';
import { isFreshReservation } from '../settle/reservation.ts';
import { changeRow, commentFollowing, databasesElsewhere, ownComment, ownerOf } from '../settle/rowChanges.ts';
import { startRun } from '../settle/settleRun.ts';
import { findSighting, type Reference } from '../settle/settleReference.ts';

/** Changes and lost races that one drop survives. If there are more, somebody keeps changing the project. */
const attempts = 8;

/**
 * Destroys a project: its database and its row. First the row becomes `dropping`, which refuses every resolve; then the
 * database goes, then the row. Whoever finds a row `dropping` may finish the drop, and so does calling this again.
 *
 * @param confirm the name of the project's database, as a person typed it
 * @param delivered resolves when no delivery of the outbox is under way
 * @returns the project as it was
 * @throws RegistrarError CONFIRMATION_REQUIRED, PROJECT_NOT_FOUND, DATABASE_FOREIGN when the database is not (known to
 *   be) the project's, DATABASE_MISSING when it was renamed, PROJECT_CONFLICT while it is being made,
 *   REGISTRY_FORBIDDEN, PROVISION_FAILED when the server refuses the drop
 */
export async function dropProject(
  reference: string,
  confirm: string | null,
  ports: RegistryPorts,
  delivered: () => Promise<void>,
): Promise<Sighting> {
  const first = await findSighting(reference, ports);
  let sighting = first;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (confirm !== sighting.row.databaseName) throw dropUnconfirmed(sighting.row);
    const isFinal = sighting.row.registrar.state === 'dropping';
    if (isFinal) await finishDrop(sighting, ports);
    else await beginDrop(sighting, ports);
    const isUnregistered = isFinal && sighting.sync.state !== 'synced';
    // A delivery that was under way may have put the row into the registry after it left the outbox.
    if (isUnregistered) await delivered();
    const left = await lookAgain(first.row, ports, isUnregistered);
    if (!left) {
      ports.memory.forget(first.row.id);
      return first;
    }
    sighting = left;
  }
  throw notSettled(first.row.name);
}

/**
 * Completes a drop that was begun. If the marker says that the database is not the project's, it has taken the place of
 * one that is already gone, and is left alone.
 *
 * If the server refuses to drop the database, the project is usable again at once.
 *
 * @returns `lost` when the row is not as it was seen: someone else finished, or changed it
 * @throws RegistrarError PROVISION_FAILED with the server's reason
 */
export async function finishDrop(sighting: Sighting, ports: RegistryPorts): Promise<'done' | 'lost'> {
  try {
    return await destroyBoth(sighting, ports);
  } catch (error) {
    if (error instanceof RegistrarError && typeof error.details?.['sqlState'] === 'string')
      await takeBack(sighting, ports);
    throw error;
  }
}

/** DROP DATABASE refuses before it has changed anything, or leaves remains that nobody can use. */
async function takeBack(sighting: Sighting, ports: RegistryPorts): Promise<void> {
  const { row } = sighting;
  const { presence } = await ports.catalog.lookDatabase(row.databaseName);
  if (presence !== 'present') return;
  const run = startRun(ports, { dryRun: false, expect: null });
  await changeRow(run, sighting, { registrar: { state: 'ready' } }, null);
}

async function destroyBoth({ row, database, sync }: Sighting, ports: RegistryPorts): Promise<'done' | 'lost'> {
  const isMine = (comment: string | null): boolean => standingOf(comment, row, ports.catalog.registry) === 'mine';
  // Whoever asks for the project later can read what it contained.
  const facts =
    database.presence === 'present' && isMine(database.comment) ? await ports.catalog.facts(row.databaseName) : null;
  const destroy = async (seen: DatabaseSighting): Promise<Held> => {
    if (seen.presence !== 'absent' && isMine(seen.comment)) await ports.catalog.dropDatabase(row.databaseName, isMine);
    return 'delete';
  };
  if (sync.state === 'synced') {
    return (await ports.registry.whileHeld(row, destroy, facts ?? {})) === 'done' ? 'done' : 'lost';
  }
  await destroy(database);
  await ports.outbox.remove(row.id);
  await ports.events.ended('dropped', row, facts ?? {});
  return 'done';
}

/**
 * Sets the row to `dropping` and writes the marker in the same transaction. A role that does not own the database, and
 * so may not drop it, is refused here, before anything has changed. From here on, the marker alone says what may be
 * destroyed.
 */
async function beginDrop(sighting: Sighting, ports: RegistryPorts): Promise<void> {
  const { row, database } = sighting;
  const run = startRun(ports, { dryRun: false, expect: null });
  if (isFreshReservation(row, ports.origin.now())) throw beingMade(row);
  if (database.presence === 'absent') {
    const [elsewhere] = await databasesElsewhere(run, row);
    if (elsewhere !== undefined) throw databaseRenamed(row, elsewhere);
  }
  const obstacle = database.presence === 'present' ? await ports.catalog.dropObstacle(row.databaseName) : null;
  let comment: CommentChange | null = null;
  if (database.presence !== 'absent') {
    const standing = standingOf(database.comment, row, ports.catalog.registry);
    const isKnown = standing === 'mine' || (standing === 'none' && (row.registrar.state ?? 'ready') === 'ready');
    if (standing === 'forgotten') throw projectForgotten(row.name, row.databaseName);
    if (!isKnown) throw databaseForeign(row, row.databaseName, ownerOf(run, database));
    if (standing === 'none')
      await requireBelieved(row.databaseName, await ports.catalog.lookDatabase(row.databaseName), row, ports.catalog);
    comment = commentFollowing(run, sighting, {}) ?? ownComment(run, row, database, null);
  }
  if (obstacle) throw dropRefused(row, obstacle);
  if (comment && sighting.sync.state !== 'synced') {
    const commented = await ports.catalog.comment(comment);
    if (commented === 'forbidden') throw mayNotDrop(row);
    // The caller looks again.
    if (commented === 'lost') return;
  }
  await changeRow(run, sighting, { registrar: { state: 'dropping' } }, comment);
}

/**
 * The same project, if anything is left of it. A project that was created again since, with the same id, is a different
 * one.
 *
 * @param mayBeUnreadable the registry never had it, as far as this daemon knows, and may be the reason why
 */
async function lookAgain(row: RegistryRow, ports: RegistryPorts, mayBeUnreadable: boolean): Promise<Sighting | null> {
  const reference: Reference = { id: row.id };
  try {
    const left = await findSighting(reference, ports);
    return left.row.createdAt === row.createdAt ? left : null;
  } catch (error) {
    if (error instanceof RegistrarError && (mayBeUnreadable || error.code === 'PROJECT_NOT_FOUND')) return null;
    throw error;
  }
}
