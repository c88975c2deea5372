import type { SyncState } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { parseId } from '../registry/ids.ts';
import { interrupted } from '../registry/failures.ts';
import { folderKey, type Folder, type RegistryRow } from '../registry/model.ts';
import type { LookKeys, RegistryPorts } from '../registry/ports.ts';
import type { Settled, SettleOptions } from '../registry/settle/settleRun.ts';
import { isSilence } from '../registry/silence.ts';
import { settledFromMemory } from '../registry/settle/settledFromMemory.ts';
import type { Request } from './tierAnswer.ts';

/**
 * Settles the project, or answers from what this daemon knew when the server last answered. Memory answers only if the
 * server does not: any refusal is the current truth. A caller that memory can answer waits for a second, others longer.
 *
 * @param permit throws when the kept row must not answer, as where the folder that asks shows no evidence
 */
export async function fromMemoryIfUnreachable(
  { dryRun, expect, onStep }: Pick<Request, 'dryRun' | 'expect' | 'onStep'>,
  ports: RegistryPorts,
  known: { reference: string; folder: Folder | null; name?: string },
  settle: (options: SettleOptions) => Promise<Settled>,
  permit: (row: RegistryRow) => Promise<void> = () => Promise.resolve(),
): Promise<Settled> {
  const keys = { id: parseId(known.reference), name: known.name ?? known.reference };
  const pending = pendingFor(ports, keys, known.folder);
  // A project that waits for the registry counts as known once its database is finished; before that, there is nothing
  // to use.
  const finished = pending?.registrar.state === 'provisioning' ? undefined : pending;
  const recalled = ports.memory.recall(keys, known.folder) ?? (finished && { row: finished, at: finished.updatedAt });
  try {
    return await settle({ dryRun, expect, onStep, patient: !recalled });
  } catch (error) {
    if (!isSilence(error)) throw error;
    if (recalled) await permit(recalled.row);
    if (recalled) return { ...settledFromMemory(recalled, error.toReport()), sync: pendingState(ports, recalled.row) };
    if (error.details?.['begun'] === true) throw error;
    throw pending ? interrupted(error) : unknownHere(error);
  }
}

/** An id says which project is meant. A name alone does so only for the folder that the project was made in. */
function pendingFor(ports: RegistryPorts, keys: LookKeys, folder: Folder | null): RegistryRow | undefined {
  const rows = ports.outbox.find({ id: keys.id, name: keys.id === null ? keys.name : null });
  return rows.find((row) => keys.id !== null || !folder || isClaimedBy(row, folder));
}

function isClaimedBy({ registrar }: RegistryRow, folder: Folder): boolean {
  return registrar.claims?.[folderKey(folder)] !== undefined || registrar.evidence?.folder?.path === folder.path;
}

/** The project's state in the outbox; null if it is not there. */
function pendingState(ports: RegistryPorts, row: RegistryRow): SyncState | null {
  const { sync } = ports.outbox.sightingOf(row, { presence: 'present', comment: null });
  return sync.state === 'synced' ? null : sync;
}

function unknownHere(error: RegistrarError): RegistrarError {
  return new RegistrarError(
    {
      code: error.code,
      message: `${error.message.replace(/\.$/, '')}. This project is not known here, so nothing was made.`,
      hint: error.hint,
      ...(error.details ? { details: error.details } : {}),
    },
    { cause: error },
  );
}
