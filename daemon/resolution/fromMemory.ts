import { RegistrarError } from '../protocol/registrarError.ts';
import { parseId } from '../registry/ids.ts';
import type { Folder } from '../registry/model.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import type { Settled } from '../registry/settle.ts';
import { settledFromMemory } from '../registry/settleClaim.ts';

/**
 * Settles, or answers from what this daemon knew when the server last answered. Only a server that does not answer lets
 * memory speak: any refusal is the truth of now. Who has something to fall back on waits a second, who has not waits longer.
 */
export async function fromMemoryIfUnreachable(
  ports: RegistryPorts,
  known: { reference: string; folder: Folder | null; name?: string },
  settle: (patient: boolean) => Promise<Settled>,
): Promise<Settled> {
  const keys = { id: parseId(known.reference), name: known.name ?? known.reference };
  const pending = ports.outbox.find(keys)[0];
  const recalled = ports.memory.recall(keys, known.folder) ?? (pending && { row: pending, at: pending.updatedAt });
  try {
    return await settle(!recalled);
  } catch (error) {
    if (!(error instanceof RegistrarError) || error.code !== 'REGISTRY_UNREACHABLE') throw error;
    if (recalled) return settledFromMemory(recalled, error.toReport());
    throw unknownHere(error);
  }
}

function unknownHere(error: RegistrarError): RegistrarError {
  return new RegistrarError(
    {
      code: 'REGISTRY_UNREACHABLE',
      message: `${error.message.replace(/\.$/, '')}. This project is not known here, so nothing was made.`,
      hint: error.hint,
      ...(error.details ? { details: error.details } : {}),
    },
    { cause: error },
  );
}
