import { checkName } from './names.ts';
import { nameInvalid, nameTaken, notSettled, projectDropping } from './failures.ts';
import type { Sighting } from './model.ts';
import type { RegistryPorts } from './ports.ts';
import { changeRow, commentFollowing, startRun } from './settle.ts';
import { findSighting } from './settleReference.ts';

/**
 * Renames a project in the registry (or the outbox) and in its marker; its database keeps its name.
 *
 * @returns the project as it was before
 * @throws RegistrarError NAME_INVALID, PROJECT_NOT_FOUND, PROJECT_CONFLICT when the name is taken,
 *   PROJECT_FORGOTTEN while it is being dropped
 */
export async function renameProject(reference: string, name: string, ports: RegistryPorts): Promise<Sighting> {
  const checked = checkName(name);
  if (!checked.ok) throw nameInvalid(name, checked.reason, checked.proposal);
  const run = startRun(ports, { dryRun: false, expect: null });
  for (let attempt = 0; attempt < 3; attempt++) {
    const sighting = await findSighting(reference, ports);
    if (sighting.row.registrar.state === 'dropping') throw projectDropping(sighting.row);
    if (sighting.row.name === name) return sighting;
    const changed = await changeRow(run, sighting, { name }, commentFollowing(run, sighting, { name }));
    if (changed === 'done') return sighting;
    if (changed === 'taken') throw nameTaken(name, (await findSighting(name, ports)).row);
  }
  throw notSettled(name);
}
