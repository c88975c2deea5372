import { judgeClaim } from '../evidence/claimEvidence.ts';
import { isAdmitted, person } from '../evidence/evidence.ts';
import type { Claim, RegistryEvent, RegistryRow } from '../model.ts';
import type { RegistryPorts } from '../ports.ts';

/**
 * The event that dropped the project that a claim means; null if it was not dropped, or was created again since. An id
 * says which project is meant. A name does so only if that project's evidence covers the folder, so that another
 * repository may take the name.
 */
export async function droppedFor(claim: Claim, ports: RegistryPorts): Promise<RegistryEvent | null> {
  if (claim.id === null && claim.folder === null) return null;
  for (const event of await ports.registry.lookEvents({ id: claim.id, name: claim.name })) {
    if (!isById(claim, event) && !(await covers(claim, event, ports))) continue;
    return event.operation === 'dropped' ? event : null;
  }
  return null;
}

/** The event that dropped a project after this outbox entry was made. */
export async function droppedSince(row: RegistryRow, ports: RegistryPorts): Promise<RegistryEvent | null> {
  const [newest] = await ports.registry.lookEvents({ id: row.id, name: null });
  return newest && isDroppedSince(newest, row) ? newest : null;
}

/** @param newest the newest event of the row's id */
export function isDroppedSince({ operation, at }: RegistryEvent, { createdAt }: RegistryRow): boolean {
  return operation === 'dropped' && Date.parse(at) >= Date.parse(createdAt);
}

function isById({ id }: Claim, { projectId, registrar }: RegistryEvent): boolean {
  return id !== null && (projectId === id || registrar.formerIds?.includes(id) === true);
}

/** Whoever asks: what an agent may claim does not change what was dropped. */
async function covers(claim: Claim, event: RegistryEvent, ports: RegistryPorts): Promise<boolean> {
  if (event.name !== claim.name) return false;
  const row: RegistryRow = {
    id: event.projectId,
    name: event.name,
    databaseName: event.databaseName,
    description: null,
    createdAt: event.at,
    updatedAt: event.at,
    metadata: {},
    registrar: event.registrar,
  };
  const judged = await judgeClaim(claim, row, ports, person);
  return judged !== null && judged.decision !== 'first-claim' && isAdmitted(judged.decision);
}
