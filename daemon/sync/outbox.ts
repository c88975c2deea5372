import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import { parseId } from '../registry/ids.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../registry/model.ts';
import type { Changed, LookKeys, OutboxPort, RowChange } from '../registry/ports.ts';
import { readRegistrarMetadata } from '../registry/rowMetadata.ts';
import {
  afterDelivery,
  afterChange,
  asReason,
  matchingEntries,
  supersededEntries,
  syncStateOf,
  type Delivery,
  type OutboxEntry,
} from '../registry/delivery/outboxRules.ts';

export interface OutboxOptions {
  /** Server and registry that entries are for; those of another stay on disk, untouched and unseen. */
  registry: string;
  /** ISO 8601 in UTC. */
  now: () => string;
  /** Writes a private file so that it is durable, whole or not at all, when the promise resolves. */
  writeFile: (path: string, text: string) => Promise<void>;
  onDamaged: (file: string, reason: string) => void;
}

/**
 * The durable queue of projects that the registry does not know yet: one file per project, fsynced together with its folder
 * before anyone is told that the project exists. Memory holds the same entries; the files are read once, when it opens.
 */
export class Outbox implements OutboxPort {
  readonly #folder: string;
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, OutboxEntry>();
  /** The last write or removal of each entry's file that is under way. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Set by the sync loop: when it tries next. */
  nextAttemptAt: string | null = null;
  #delivering: Promise<unknown> = Promise.resolve();
  /** Called after an entry was added or changed: the sync loop's alarm. */
  onAdded: () => void = () => undefined;

  private constructor(folder: string, options: OutboxOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Opens the queue, and creates its folder if necessary. A file that cannot be read is renamed to `*.damaged` and
   * reported.
   */
  static async open(folder: string, options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(folder, options);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const file of await readdir(folder)) {
      if (!file.endsWith('.json')) continue;
      const path = join(folder, file);
      try {
        const entry = parseEntry(await readFile(path, 'utf8'));
        if (entry.registry === options.registry) outbox.#entries.set(entry.row.id, entry);
      } catch (error) {
        await rename(path, `${path}.damaged`);
        options.onDamaged(`${path}.damaged`, error instanceof Error ? error.message : String(error));
      }
    }
    // A process that died while a project's id changed left the project on disk under both ids.
    for (const { row } of supersededEntries(outbox.entries())) await outbox.#erase(row.id);
    return outbox;
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
    return { row, database, sync: entry ? syncStateOf(entry, this.nextAttemptAt) : { state: 'synced' } };
  }

  async add(row: RegistryRow, failure: ErrorReport): Promise<'added' | 'lost'> {
    if (this.find({ id: row.id, name: row.name }).length > 0) return 'lost';
    const entry: OutboxEntry = {
      registry: this.#options.registry,
      row,
      state: 'pending',
      since: this.#options.now(),
      attempts: 1,
      error: asReason({ code: stateOrCode(failure), message: failure.message }),
    };
    // In memory first: a caller that asks while the file is being written must find the entry, and not add a second
    // one.
    this.#entries.set(row.id, entry);
    try {
      await this.#write(entry);
    } catch (error) {
      this.#entries.delete(row.id);
      throw new RegistrarError(
        {
          ...failure,
          message: `${failure.message} The project could not be kept on this machine either: ${error instanceof Error ? error.message : ''} Nothing was made.`,
        },
        { cause: error },
      );
    }
    this.onAdded();
    return 'added';
  }

  /** Runs a delivery; until it ends no entry is changed or removed by others, so that none can be delivered and changed at once. */
  async whileDelivering(deliver: () => Promise<void>): Promise<void> {
    const delivery = deliver();
    this.#delivering = delivery.catch(() => undefined);
    await delivery;
  }

  async change(observed: RegistryRow, change: RowChange): Promise<Changed> {
    await this.#delivering;
    const entry = this.#entries.get(observed.id);
    if (entry?.row !== observed) return 'lost';
    if (change.name !== undefined && this.find({ id: null, name: change.name }).some(({ id }) => id !== observed.id))
      return 'taken';
    const { registrar, ...columns } = { ...change };
    delete columns.event;
    const row = {
      ...observed,
      ...columns,
      registrar: { ...observed.registrar, ...registrar },
      updatedAt: this.#options.now(),
    };
    await this.#replace(observed.id, afterChange(entry, row));
    if (entry.state === 'parked') this.onAdded();
    return 'done';
  }

  async remove(id: string): Promise<void> {
    await this.#delivering;
    await this.#erase(id);
  }

  async #erase(id: string): Promise<void> {
    this.#entries.delete(id);
    await this.#removeFile(id);
  }

  /** Records the outcome of a delivery, within `whileDelivering`. */
  async settle(entry: OutboxEntry, delivery: Delivery): Promise<void> {
    const current = this.#entries.get(entry.row.id);
    if (!current) return;
    const next = afterDelivery(current, delivery);
    if (!next) return this.#erase(entry.row.id);
    // Counts of failed attempts stay in memory: a thousand entries must not mean a thousand writes at every retry.
    if (next.state === current.state) this.#entries.set(entry.row.id, next);
    else await this.#replace(entry.row.id, next);
  }

  async #replace(id: string, entry: OutboxEntry): Promise<void> {
    this.#entries.delete(id);
    this.#entries.set(entry.row.id, entry);
    await this.#write(entry);
    if (id !== entry.row.id) await this.#removeFile(id);
  }

  async #write(entry: OutboxEntry): Promise<void> {
    const path = join(this.#folder, `${entry.row.id}.json`);
    const { registrar, metadata, ...columns } = entry.row;
    const row = { ...columns, metadata: { ...metadata, registrar } };
    const text = `${JSON.stringify({ version: 1, ...entry, row }, null, 2)}\n`;
    await this.#inTurn(entry.row.id, () => this.#options.writeFile(path, text));
  }

  async #removeFile(id: string): Promise<void> {
    await this.#inTurn(id, () => rm(join(this.#folder, `${id}.json`), { force: true }));
  }

  /** A removal that overtook the write before it would leave a file that comes back as a project at the next start. */
  #inTurn(id: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(id) === settled) this.#turns.delete(id);
      });
    this.#turns.set(id, settled);
    return turn;
  }
}

/** People look up an SQLSTATE, so it is kept where there is one. */
function stateOrCode(failure: ErrorReport): string {
  const state = failure.details?.['sqlState'];
  return typeof state === 'string' ? state : failure.code;
}

function parseEntry(text: string): OutboxEntry {
  const value = JSON.parse(text) as Partial<OutboxEntry> & { version?: unknown };
  const { row, state, error } = value;
  if (value.version !== 1) throw new Error('unknown version');
  if (!row || typeof value.registry !== 'string' || typeof value.since !== 'string')
    throw new Error('fields are missing');
  if (typeof row.id !== 'string' || parseId(row.id) !== row.id) throw new Error('no id');
  if (typeof row.name !== 'string' || typeof row.databaseName !== 'string') throw new Error('no name');
  const { registrar: _registrar, ...metadata } = row.metadata;
  return {
    registry: value.registry,
    row: { ...row, metadata, registrar: readRegistrarMetadata(row.metadata) },
    state: state === 'parked' ? 'parked' : 'pending',
    since: value.since,
    attempts: typeof value.attempts === 'number' ? value.attempts : 0,
    error: { code: error?.code ?? 'INTERNAL', message: error?.message ?? 'not delivered yet' },
  };
}
