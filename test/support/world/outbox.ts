import { RegistrarError, type ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../../../daemon/registry/model.ts';
import type { Changed, LookKeys, OutboxPort, RowChange } from '../../../daemon/registry/ports.ts';
import {
  afterChange,
  afterDelivery,
  asReason,
  matchingEntries,
  supersededEntries,
  syncStateOf,
  type Delivery,
  type OutboxEntry,
} from '../../../daemon/registry/delivery/outboxRules.ts';
import { conditions } from './conditions.ts';
import type { Pass } from './passage.ts';

/** The files of an outbox, by id: what is left of it when its daemon dies. */
export type OutboxFiles = Map<string, OutboxEntry>;

/** `daemon/sync/outbox.ts` without a disk: entries are in memory first, and on disk once somebody let the write go on. */
export class WorldOutbox implements OutboxPort {
  readonly #files: OutboxFiles;
  readonly #pass: Pass;
  readonly #now: () => string;
  readonly #entries: OutboxFiles;
  readonly #turns = new Map<string, Promise<void>>();
  #delivering: Promise<unknown> = Promise.resolve();

  constructor(files: OutboxFiles, pass: Pass, now: () => string) {
    this.#files = files;
    this.#pass = pass;
    this.#now = now;
    for (const { row } of supersededEntries([...files.values()])) files.delete(row.id);
    this.#entries = new Map(files);
  }

  entries(): OutboxEntry[] {
    return [...this.#entries.values()];
  }

  find(keys: LookKeys): RegistryRow[] {
    return matchingEntries(this.#entries.values(), keys).map(({ row }) => row);
  }

  rows(): RegistryRow[] {
    return this.entries().map(({ row }) => row);
  }

  sightingOf(row: RegistryRow, database: DatabaseSighting): Sighting {
    const entry = this.#entries.get(row.id);
    return { row, database, sync: entry ? syncStateOf(entry, null) : { state: 'synced' } };
  }

  async add(row: RegistryRow, failure: ErrorReport): Promise<'added' | 'lost'> {
    if (this.find({ id: row.id, name: row.name }).length > 0) return 'lost';
    const state = failure.details?.['sqlState'];
    const error = asReason({ code: typeof state === 'string' ? state : failure.code, message: failure.message });
    const entry: OutboxEntry = { registry: '', row, state: 'pending', since: this.#now(), attempts: 1, error };
    this.#entries.set(row.id, entry);
    try {
      await this.#write(row.id, entry);
    } catch (cause) {
      this.#entries.delete(row.id);
      const message = `${failure.message} The project could not be kept on this machine either: ${cause instanceof Error ? cause.message : ''} Nothing was made.`;
      throw new RegistrarError({ ...failure, message }, { cause });
    }
    return 'added';
  }

  async whileDelivering(deliver: () => Promise<void>): Promise<void> {
    const delivery = deliver();
    this.#delivering = delivery.catch(() => undefined);
    await delivery;
  }

  async change(observed: RegistryRow, change: RowChange): Promise<Changed> {
    await this.#delivering;
    const entry = this.#entries.get(observed.id);
    if (!entry || !conditions.isObservedEntry(entry, observed)) return 'lost';
    const named = change.name === undefined ? [] : this.find({ id: null, name: change.name });
    if (named.some(({ id }) => id !== observed.id)) return 'taken';
    const { registrar, ...columns } = { ...change };
    delete columns.event;
    const kept = { ...observed.registrar, ...registrar };
    const row = { ...observed, ...columns, registrar: kept, updatedAt: this.#now() };
    await this.#replace(observed.id, afterChange(entry, row));
    return 'done';
  }

  async remove(id: string): Promise<void> {
    await this.#delivering;
    await this.#erase(id);
  }

  /** Records what a delivery gave, within `whileDelivering`. */
  async settle(entry: OutboxEntry, delivery: Delivery): Promise<void> {
    const current = this.#entries.get(entry.row.id);
    if (!current) return;
    const next = afterDelivery(current, delivery);
    if (!next) return this.#erase(entry.row.id);
    if (next.state === current.state) this.#entries.set(entry.row.id, next);
    else await this.#replace(entry.row.id, next);
  }

  async #replace(id: string, entry: OutboxEntry): Promise<void> {
    this.#entries.delete(id);
    this.#entries.set(entry.row.id, entry);
    await this.#write(entry.row.id, entry);
    if (id !== entry.row.id) await this.#removeFile(id);
  }

  async #erase(id: string): Promise<void> {
    this.#entries.delete(id);
    await this.#removeFile(id);
  }

  #write(id: string, entry: OutboxEntry): Promise<void> {
    return this.#inTurn(id, async () => {
      if ((await this.#pass('outbox-write')) !== null) throw new Error('ENOSPC: no space left on device');
      this.#files.set(id, entry);
    });
  }

  #removeFile(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#pass('outbox-remove');
      this.#files.delete(id);
    });
  }

  /** No removal overtakes the write of the same file before it. */
  #inTurn(id: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    this.#turns.set(
      id,
      turn.catch(() => undefined),
    );
    return turn;
  }
}
