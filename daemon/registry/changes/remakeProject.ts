import { databaseRenamed, nothingToRemake, remakeUnconfirmed } from '../failures.ts';
import type { RegistryPorts } from '../ports.ts';
import { databasesElsewhere } from '../settle/rowChanges.ts';
import { type Settled, type SettleOptions, startRun } from '../settle/settleRun.ts';
import { findSighting, settleReference } from '../settle/settleReference.ts';

/**
 * Creates a new, empty database in the place of one that is gone. A process that is killed in between leaves a row that
 * says that its database is being made again. Any later resolve completes it, because a person has asked for it.
 *
 * @param confirm the name of the project's database, as a person typed it
 * @returns the project, with DATABASE_RECREATED if this call or a concurrent one created the database
 * @throws RegistrarError CONFIRMATION_REQUIRED, PROJECT_NOT_FOUND, INVALID_ARGUMENT when the database is there,
 *   DATABASE_MISSING when it has only another name, and whatever making a database refuses
 */
export async function remakeProject(
  reference: string,
  confirm: string | null,
  ports: RegistryPorts,
  onStep?: SettleOptions['onStep'],
): Promise<Settled> {
  const { row, database } = await findSighting(reference, ports);
  const options = { dryRun: false, expect: row.id, remake: true, onStep };
  const isBegun = row.registrar.recreating === true;
  if (database.presence === 'present' && !isBegun) throw nothingToRemake(row);
  if (database.presence === 'absent') {
    const [elsewhere] = await databasesElsewhere(startRun(ports, options), row);
    if (elsewhere !== undefined) throw databaseRenamed(row, elsewhere);
  }
  if (confirm !== row.databaseName && !isBegun) throw remakeUnconfirmed(row);
  return settleReference({ id: row.id }, ports, options);
}
