import type { SyncState } from '../../protocol/model.ts';
import type { RegistryRow } from '../model.ts';
import type { LookKeys } from '../ports.ts';

export type EntryState = 'pending' | 'parked';

/** A project that the registry does not know yet, as stored on disk. */
export interface OutboxEntry {
  /** Server and registry that the project was made for; it is never delivered to another. */
  registry: string;
  row: RegistryRow;
  state: EntryState;
  since: string;
  attempts: number;
  error: Reason;
}

export interface Reason {
  /** An SQLSTATE, or one of the error codes. */
  code: string;
  message: string;
}

/** The outcome of trying to deliver one entry. */
export type Delivery =
  | { kind: 'delivered' }
  /** Its database has been marked as forgotten, so it must not come back. */
  | { kind: 'forgotten' }
  /** Another project has its name, id or database, or a check refuses it: retrying cannot help, a person must decide. */
  | { kind: 'conflict'; error: Reason }
  /** The registry cannot be written at present. */
  | { kind: 'failed'; error: Reason };

/** What can happen to an entry: the outcomes of a delivery, and a person who renames the project or gives it up. */
export type EntryEvent = Delivery['kind'] | 'changed' | 'given-up';

/**
 * Every state and event. Only a delivery that landed, a project that somebody forgot, or a person ends an entry; only a
 * person's change brings a parked one back into the retries.
 */
export const entryTransitions: Readonly<Record<EntryState, Readonly<Record<EntryEvent, EntryState | 'gone'>>>> = {
  pending: {
    delivered: 'gone',
    forgotten: 'gone',
    conflict: 'parked',
    failed: 'pending',
    changed: 'pending',
    'given-up': 'gone',
  },
  parked: {
    // Somebody solved the conflict in the registry, and then asked to sync.
    delivered: 'gone',
    forgotten: 'gone',
    conflict: 'parked',
    failed: 'parked',
    changed: 'pending',
    'given-up': 'gone',
  },
};

/** The entry after a delivery was tried; null when it leaves the outbox. */
export function afterDelivery(entry: OutboxEntry, delivery: Delivery): OutboxEntry | null {
  const state = entryTransitions[entry.state][delivery.kind];
  if (state === 'gone') return null;
  const attempted = { ...entry, state, attempts: entry.attempts + 1 };
  // A parked entry keeps the reason that needs a person, whatever trouble the server has at the moment.
  const isNews = delivery.kind === 'conflict' || (delivery.kind === 'failed' && state === 'pending');
  return isNews ? { ...attempted, error: asReason(delivery.error) } : attempted;
}

/** The entry after a person or a resolution changed its row. */
export function afterChange(entry: OutboxEntry, row: RegistryRow): OutboxEntry {
  // A new attempt is worthwhile only after a change to what could have been in conflict.
  const isSame = row.id === entry.row.id && row.name === entry.row.name && row.databaseName === entry.row.databaseName;
  const state = isSame ? entry.state : entryTransitions[entry.state].changed;
  return state === 'gone' ? { ...entry, row } : { ...entry, state, row };
}

/** A failure as part of a sentence: "registry disk full (53100); saved on this machine". */
export function asReason(error: Reason): Reason {
  return { code: error.code, message: error.message.replace(/\.$/, '') };
}

/** Entries that a lookup by these keys finds: by id, by former id, or by name. */
export function matchingEntries(entries: Iterable<OutboxEntry>, keys: LookKeys): OutboxEntry[] {
  return [...entries].filter(({ row }) => {
    const isId = keys.id !== null && (row.id === keys.id || row.registrar.formerIds?.includes(keys.id) === true);
    return isId || (keys.name !== null && row.name === keys.name);
  });
}

/** Entries under an id that another entry of the same project had before it was re-keyed; of two that say so, the older. */
export function supersededEntries(entries: readonly OutboxEntry[]): OutboxEntry[] {
  return entries.filter(({ row }) => entries.some((other) => supersedes(other.row, row)));
}

function supersedes(other: RegistryRow, row: RegistryRow): boolean {
  if (other.databaseName !== row.databaseName || !isFormerId(row.id, other)) return false;
  return !isFormerId(other.id, row) || other.updatedAt > row.updatedAt;
}

function isFormerId(id: string, row: RegistryRow): boolean {
  return id !== row.id && row.registrar.formerIds?.includes(id) === true;
}

/** How an entry shows in answers. */
export function syncStateOf(entry: OutboxEntry, nextAttemptAt: string | null): SyncState {
  return {
    state: entry.state,
    since: entry.since,
    error: { ...entry.error, ...(nextAttemptAt !== null && entry.state === 'pending' ? { nextAttemptAt } : {}) },
  };
}
