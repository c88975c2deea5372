import { RegistrarError } from '../../protocol/registrarError.ts';
import { finishDrop } from '../changes/dropProject.ts';
import { mayNotMark } from '../failures.ts';
import { readMarker, standingOf, type MarkerStanding } from '../marker.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../model.ts';
import { isBelieved } from '../evidence/owners.ts';
import type { Held, RegistryPorts } from '../ports.ts';
import { changeRow, ownComment } from '../settle/rowChanges.ts';
import { startRun } from '../settle/settleRun.ts';
import { settleReference } from '../settle/settleReference.ts';

/** One thing that can be repaired without asking anybody, with what was observed when it was planned. */
export type Repair =
  | { action: 'restore-marker'; sighting: Sighting }
  | { action: 'update-marker'; sighting: Sighting }
  | { action: 'apply-schema'; sighting: Sighting; version: string }
  | { action: 'finish-drop'; sighting: Sighting }
  | { action: 'finish-creation'; sighting: Sighting }
  | { action: 'point-to-database'; sighting: Sighting; databaseName: string }
  /** Of a database whose DROP was interrupted: nobody can connect to it any more. */
  | { action: 'remove-remains'; databaseName: string }
  | { action: 'deliver'; id: string };

export type Repaired = 'applied' | 'skipped';

/**
 * Repairs one thing, unless it has changed since it was observed; then it does nothing.
 *
 * @throws RegistrarError with the code of whatever stands in the way
 */
export async function applyRepair(
  repair: Exclude<Repair, { action: 'deliver' }>,
  ports: RegistryPorts,
): Promise<Repaired> {
  switch (repair.action) {
    case 'restore-marker':
      return whileStanding(repair.sighting, 'none', ports, async (database) => {
        const { row } = repair.sighting;
        const looked = await ports.catalog.lookDatabase(row.databaseName);
        return isBelieved(looked, row) ? mark(row, database, ports) : 'lost';
      });
    case 'update-marker':
      return whileStanding(repair.sighting, 'mine', ports, (database) => mark(repair.sighting.row, database, ports));
    case 'apply-schema':
      return whileStanding(repair.sighting, 'mine', ports, async (database) => {
        const schema = await ports.catalog.projectSchema();
        if (schema?.version !== repair.version) return 'lost';
        const run = startRun(ports, { dryRun: false, expect: null });
        const { row } = repair.sighting;
        const comment = ownComment(run, row, database, schema.version);
        return (await ports.catalog.applySchema(schema, comment, row)) === 'done' ? 'keep' : 'lost';
      });
    case 'finish-drop':
      return (await finishDrop(repair.sighting, ports)) === 'done' ? 'applied' : 'skipped';
    case 'finish-creation':
      return finishCreation(repair.sighting.row, ports);
    case 'point-to-database':
      return pointTo(repair.databaseName, repair.sighting, ports);
    case 'remove-remains': {
      const seen = await ports.catalog.lookDatabase(repair.databaseName);
      if (seen.presence !== 'interrupted') return 'skipped';
      await ports.catalog.finishDrop(repair.databaseName);
      return 'applied';
    }
  }
}

/** Works on the row's database while nobody else does, if its marker still relates to the row as observed. */
async function whileStanding(
  { row }: Sighting,
  expected: MarkerStanding,
  ports: RegistryPorts,
  work: (database: DatabaseSighting) => Promise<Held>,
): Promise<Repaired> {
  const held = await ports.registry.whileHeld(row, async (database) => {
    if (database.presence !== 'present') return 'lost';
    return standingOf(database.comment, row, ports.catalog.registry) === expected ? work(database) : 'lost';
  });
  return held === 'done' ? 'applied' : 'skipped';
}

/** The registry's name counts; which schema the database has is the marker's to know. */
async function mark(row: RegistryRow, database: DatabaseSighting, ports: RegistryPorts): Promise<Held> {
  const reading = readMarker(database.comment);
  const schemaVersion = reading.kind === 'marker' ? reading.marker.schemaVersion : null;
  const run = startRun(ports, { dryRun: false, expect: null });
  const marked = await ports.catalog.comment(ownComment(run, row, database, schemaVersion));
  if (marked === 'forbidden') throw mayNotMark(row);
  return marked === 'done' ? 'keep' : 'lost';
}

/** Thrown into a resolution that meets a different project from the one whose creation was interrupted. */
class NotAsSeen extends Error {}

async function finishCreation(row: RegistryRow, ports: RegistryPorts): Promise<Repaired> {
  const check = (now: RegistryRow): void => {
    if (now.createdAt !== row.createdAt || now.registrar.state === 'dropping') throw new NotAsSeen();
  };
  try {
    await settleReference({ id: row.id }, ports, { dryRun: false, expect: row.id, check });
    return 'applied';
  } catch (error) {
    const isGone = error instanceof RegistrarError && error.code === 'PROJECT_NOT_FOUND';
    if (isGone || error instanceof NotAsSeen) return 'skipped';
    throw error;
  }
}

/** The row's lock suffices as a condition, because whoever forgets or renames the project changes the row first. */
async function pointTo(databaseName: string, sighting: Sighting, ports: RegistryPorts): Promise<Repaired> {
  const { row } = sighting;
  const run = startRun(ports, { dryRun: false, expect: null });
  const [gone, target] = await Promise.all([
    ports.catalog.lookDatabase(row.databaseName),
    ports.catalog.lookDatabase(databaseName),
  ]);
  const isMine =
    target.presence === 'present' &&
    isBelieved(target, row) &&
    standingOf(target.comment, row, ports.catalog.registry) === 'mine';
  if (gone.presence !== 'absent' || !isMine) return 'skipped';
  const changed = await changeRow(run, sighting, { databaseName }, null);
  return changed === 'done' ? 'applied' : 'skipped';
}
