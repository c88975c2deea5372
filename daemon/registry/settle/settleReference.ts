import { projectAmbiguous, projectNotFound, shortIdAmbiguous } from '../failures.ts';
import { parseId } from '../ids.ts';
import type { Sighting } from '../model.ts';
import { RegistrarError, type ErrorReport } from '../../protocol/registrarError.ts';
import type { RegistryPorts } from '../ports.ts';
import { sightEntries, unregistered } from './sightEntries.ts';
import { settle } from './settle.ts';
import { type Settled, type SettleOptions, startRun } from './settleRun.ts';
import { recordUse, type Claimed } from './recordUse.ts';
import { settledFromMemory } from './settledFromMemory.ts';

/** What a caller said: an id in any spelling, a former id, or a name; `{ id }` where no name can be meant. */
export type Reference = string | { id: string };

/**
 * The project that a reference names.
 *
 * @throws RegistrarError PROJECT_NOT_FOUND, PROJECT_AMBIGUOUS, or the refusal of its database
 */
export async function settleReference(
  reference: Reference,
  ports: RegistryPorts,
  options: SettleOptions & { claimed?: Claimed },
): Promise<Settled> {
  const run = startRun(ports, options);
  const settled = await settle(
    run,
    async () => {
      const found = await findProject(reference, run.ports, options.patient ?? true);
      if (found.kind === 'seen') return { kind: 'row', sighting: found.sighting };
      return { kind: 'done', settled: settledFromMemory(found.recalled, found.because) };
    },
    null,
  );
  if (!options.dryRun) await recordUse(run, settled, options.claimed ?? null);
  return settled;
}

/**
 * The project as the registry or the outbox has it, for changes: memory does not count here.
 *
 * @throws RegistrarError as `findProject` does
 */
export async function findSighting(reference: Reference, ports: RegistryPorts): Promise<Sighting> {
  const forgetful = { ...ports.memory, recall: () => null };
  const found = await findProject(reference, { ...ports, memory: forgetful }, true);
  if (found.kind === 'seen') return found.sighting;
  throw projectNotFound(typeof reference === 'string' ? reference : reference.id);
}

type Found =
  | { kind: 'seen'; sighting: Sighting }
  | { kind: 'recalled'; recalled: NonNullable<ReturnType<RegistryPorts['memory']['recall']>>; because: ErrorReport };

/**
 * Finds a project by reference: registry, then outbox; memory only when the registry cannot be read.
 *
 * @throws RegistrarError PROJECT_NOT_FOUND, PROJECT_AMBIGUOUS, or why the registry cannot be read
 */
export async function findProject(asked: Reference, ports: RegistryPorts, patient: boolean): Promise<Found> {
  const { registry, outbox, memory } = ports;
  const reference = typeof asked === 'string' ? asked : asked.id;
  // No text in PostgreSQL holds a NUL, and the server would refuse the question instead of answering it.
  if (reference.includes('\0')) throw projectNotFound(reference);
  const keys = { id: parseId(reference), name: typeof asked === 'string' ? asked : null };
  const looked = await registry.look(keys, patient);
  const sightings = looked.kind === 'seen' ? [...looked.sightings] : [];
  if (looked.kind === 'seen' && keys.id !== null && !sightings.some(({ row }) => row.id === keys.id)) {
    const former = await registry.lookFormerId(keys.id);
    if (former) sightings.unshift(former);
  }
  // The registry decides about an id and about a name: a parked project waits with another project's name.
  const waiting = outbox
    .find(keys)
    .filter(
      (row) => !sightings.some((seen) => seen.row.id === row.id || (row.id !== keys.id && seen.row.name === row.name)),
    );
  const entries = looked.kind === 'seen' ? await unregistered(waiting, registry) : waiting;
  sightings.push(...(await sightEntries(entries, ports)));
  if (looked.kind === 'seen' && sightings.length === 0) sightings.push(...(await byShortId(reference, ports)));
  const [first, second] = sightings;
  if (first && second && first.row.id !== second.row.id) {
    if (isShortId(reference)) throw shortIdAmbiguous(reference, first.row, second.row);
    const [byId, byName] = second.row.name === reference ? [first, second] : [second, first];
    throw projectAmbiguous(reference, byId.row, byName.row);
  }
  if (first) return { kind: 'seen', sighting: first };
  if (looked.kind === 'seen') throw projectNotFound(reference);
  const recalled = memory.recall(keys, null);
  if (recalled) return { kind: 'recalled', recalled, because: looked.failure };
  throw new RegistrarError(looked.failure);
}

/** The first 8 digits of an id are what listings and hints show, so people type them; they count only where nothing else fits. */
function isShortId(reference: string): boolean {
  return /^[0-9a-f]{8}$/i.test(reference);
}

async function byShortId(reference: string, ports: RegistryPorts): Promise<Sighting[]> {
  if (!isShortId(reference)) return [];
  const prefix = reference.toLowerCase();
  const sightings = await ports.registry.lookIdPrefix(prefix);
  const waiting = ports.outbox
    .rows()
    .filter(({ id }) => id.startsWith(prefix) && !sightings.some(({ row }) => row.id === id));
  return [...sightings, ...(await sightEntries(waiting, ports))];
}
