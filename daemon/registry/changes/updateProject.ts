import { checkName } from '../../protocol/names.ts';
import { nameInvalid, nameTaken, notSettled, projectDropping } from '../failures.ts';
import type { Sighting } from '../model.ts';
import type { RegistryPorts, RowChange } from '../ports.ts';
import { changeRow, commentFollowing } from '../settle/rowChanges.ts';
import { startRun } from '../settle/settleRun.ts';
import { findSighting } from '../settle/settleReference.ts';

/**
 * Renames a project or changes its description, in the registry or the outbox. Its marker gets the name too; its
 * database keeps its own name.
 *
 * @returns the project as it was before
 * @throws RegistrarError NAME_INVALID, PROJECT_NOT_FOUND, PROJECT_CONFLICT when the name is taken, PROJECT_FORGOTTEN
 *   while it is being dropped
 */
export async function updateProject(
  reference: string,
  wanted: Pick<RowChange, 'name' | 'description'>,
  ports: RegistryPorts,
): Promise<Sighting> {
  const { name, description } = wanted;
  const checked = name === undefined ? null : checkName(name);
  if (name !== undefined && checked?.ok === false) throw nameInvalid(name, checked.reason, checked.proposal);
  const run = startRun(ports, { dryRun: false, expect: null });
  for (let attempt = 0; attempt < 3; attempt++) {
    const sighting = await findSighting(reference, ports);
    const { row } = sighting;
    if (row.registrar.state === 'dropping') throw projectDropping(row);
    const change: RowChange = {
      ...(name === undefined || name === row.name ? {} : { name }),
      ...(description === undefined || description === row.description ? {} : { description }),
    };
    if (Object.keys(change).length === 0) return sighting;
    const comment = change.name === undefined ? null : commentFollowing(run, sighting, change);
    const changed = await changeRow(run, sighting, change, comment);
    if (changed === 'done') return sighting;
    if (changed === 'taken' && name !== undefined) throw nameTaken(name, (await findSighting(name, ports)).row);
  }
  throw notSettled(reference);
}
