import type { SyncState } from '../protocol/model.ts';
import type { RegistryRow } from '../registry/model.ts';
import type { LookKeys } from '../registry/ports.ts';

/** A project that the registry does not know yet, as it stands on disk. */
export interface OutboxEntry {
  /** Server and registry that the project was made for; it is never delivered to another. */
  registry: string;
  row: RegistryRow;
  state: 'pending' | 'parked';
  since: string;
  attempts: number;
  error: { code: string; message: string };
}

/** What trying to deliver one entry gave. */
export type Delivery =
  | { kind: 'delivered' }
  /** Its database was marked as forgotten meanwhile: it must not come back. */
  | { kind: 'forgotten' }
  /** Another project has its name, id or database, or a check refuses it: retrying cannot help, a person must decide. */
  | { kind: 'conflict'; error: { code: string; message: string } }
  /** The registry cannot be written at present. */
  | { kind: 'failed'; error: { code: string; message: string } };

/** The entry after a delivery was tried; null when it leaves the outbox. */
export function afterDelivery(entry: OutboxEntry, delivery: Delivery): OutboxEntry | null {
  switch (delivery.kind) {
    case 'delivered':
    case 'forgotten':
      return null;
    case 'conflict':
      return { ...entry, state: 'parked', attempts: entry.attempts + 1, error: asReason(delivery.error) };
    case 'failed':
      return { ...entry, attempts: entry.attempts + 1, error: asReason(delivery.error) };
  }
}

/** A failure as part of a sentence: "registry disk full (53100); saved on this machine". */
export function asReason(error: { code: string; message: string }): { code: string; message: string } {
  return { code: error.code, message: error.message.replace(/\.$/, '') };
}

/** Entries that a lookup by these keys finds: by id, by former id, or by name. */
export function matchingEntries(entries: Iterable<OutboxEntry>, keys: LookKeys): OutboxEntry[] {
  return [...entries].filter(({ row }) => {
    const isId = keys.id !== null && (row.id === keys.id || row.registrar.formerIds?.includes(keys.id) === true);
    return isId || (keys.name !== null && row.name === keys.name);
  });
}

/** How an entry shows in answers. */
export function syncStateOf(entry: OutboxEntry, nextAttemptAt: string | null): SyncState {
  return {
    state: entry.state,
    since: entry.since,
    error: { ...entry.error, ...(nextAttemptAt !== null && entry.state === 'pending' ? { nextAttemptAt } : {}) },
  };
}
