import type { RegistryEvent } from '../../../daemon/registry/model.ts';
import type { Clock } from './clock.ts';
import { jsonb, type Json } from './json.ts';
import { Locks, requireOpen, type Holder } from './locks.ts';
import { ServerError } from './serverError.ts';

/** A row of `public.projects`. */
export interface StoredRow {
  id: string;
  name: string;
  databaseName: string;
  description: string | null;
  createdAt: string;
  updatedAt: string;
  metadata: Json | null;
}

export interface StoredDatabase {
  owner: string;
  comment: string | null;
  /** A DROP was cut short. */
  isInterrupted: boolean;
  /** Tables that somebody made. */
  hasRelations: boolean;
  /** Whoever is connected to it. */
  sessions: Set<{ role: string; isOpen: boolean }>;
}

export interface Role {
  isSuperuser: boolean;
  mayCreateDatabases: boolean;
  memberOf: Set<string>;
  /** What of the registry's table is not granted. */
  lacks: Set<'select' | 'insert' | 'update' | 'delete'>;
}

/** What one transaction has written and nobody else sees yet. */
export interface Transaction extends Holder {
  /** `now()`. */
  readonly at: string;
  /** By the number of the row; null for one that it deleted. */
  readonly writes: Map<number, StoredRow | null>;
  readonly comments: Map<string, string>;
  readonly events: RegistryEvent[];
  /** What else becomes true when it is committed. */
  readonly onCommit: (() => void)[];
  readonly end: () => void;
}

/**
 * PostgreSQL as far as the rules meet it: a registry, databases with owners and comments, and transactions at READ
 * COMMITTED. A statement sees what is committed; one that meets another's uncommitted row or a lock waits for that
 * transaction's end, and looks again.
 */
export class WorldServer {
  readonly registry = 'registrar_world';
  readonly label = 'world:5432';
  readonly clock: Clock;
  readonly rows = new Map<number, StoredRow>();
  readonly databases = new Map<string, StoredDatabase>();
  readonly roles = new Map<string, Role>();
  readonly locks = new Locks();
  events: RegistryEvent[] = [];
  tableOwner = 'registrar';
  /** False where somebody dropped the table `projects`. */
  hasTable = true;
  /** Where codebase-mcp made the table it insists on names of databases that are like its own. */
  isCodebaseMcps = false;
  isReadOnly = false;
  isRunning = true;
  /** Why every INSERT fails, as where the disk is full; null where it does not. */
  refusesRows: ServerError | null = null;
  readonly #open = new Set<Transaction>();
  #lastRow = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.addRole('registrar');
    this.addRole('postgres', { isSuperuser: true });
  }

  addRole(name: string, options: Partial<Omit<Role, 'memberOf'>> & { memberOf?: string[] } = {}): string {
    this.roles.set(name, {
      isSuperuser: false,
      mayCreateDatabases: true,
      lacks: new Set(),
      ...options,
      memberOf: new Set(options.memberOf),
    });
    return name;
  }

  role(name: string): Role {
    const role = this.roles.get(name);
    if (!role) throw new ServerError('28000', `role "${name}" does not exist`);
    return role;
  }

  /** The role and those that it is a member of. */
  memberships(role: string): Set<string> {
    const all = new Set([role]);
    for (const one of all) for (const group of this.roles.get(one)?.memberOf ?? []) all.add(group);
    return all;
  }

  owns(role: string, owner: string): boolean {
    return this.role(role).isSuperuser || this.memberships(role).has(owner);
  }

  begin(): Transaction {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const transaction: Transaction = {
      at: this.clock.now(),
      writes: new Map(),
      comments: new Map(),
      events: [],
      onCommit: [],
      waitsFor: null,
      isOver: false,
      ended,
      end,
    };
    this.#open.add(transaction);
    return transaction;
  }

  commit(transaction: Transaction): void {
    requireOpen(transaction);
    for (const [key, row] of transaction.writes) {
      if (row) this.rows.set(key, row);
      else this.rows.delete(key);
    }
    for (const [name, comment] of transaction.comments) {
      const database = this.databases.get(name);
      if (database) database.comment = comment;
    }
    this.events.push(...transaction.events);
    for (const apply of transaction.onCommit) apply();
    this.#end(transaction);
  }

  rollback(transaction: Transaction): void {
    if (!transaction.isOver) this.#end(transaction);
  }

  /** Every connection ends, and with it what was not committed. */
  stop(): void {
    this.isRunning = false;
    for (const transaction of this.#open) this.rollback(transaction);
  }

  start(): void {
    this.isRunning = true;
  }

  #end(transaction: Transaction): void {
    transaction.isOver = true;
    this.locks.release(transaction);
    this.#open.delete(transaction);
    transaction.end();
  }

  /** Rows as the next statement of a transaction sees them; of none, what is committed. */
  visible(transaction: Transaction | null): StoredRow[] {
    const keys = new Set([...this.rows.keys(), ...(transaction?.writes.keys() ?? [])]);
    return [...keys].flatMap((key) => this.#versionFor(transaction, key) ?? []);
  }

  /** @returns false where `isLenient` and another row has its id, name or database name */
  async insert(transaction: Transaction, row: StoredRow, isLenient: boolean): Promise<boolean> {
    if (this.refusesRows) throw this.refusesRows;
    this.#check(row);
    this.#lastRow += 1;
    const key = this.#lastRow;
    this.locks.hold(rowKey(key), transaction);
    if (await this.#write(transaction, key, row)) return true;
    if (isLenient) return false;
    throw new ServerError('23505', 'duplicate key value violates unique constraint');
  }

  /** Locks the rows that match, looks at each again, and changes those that still do. Null deletes. */
  async change(
    transaction: Transaction,
    matches: (row: StoredRow) => boolean,
    next: (row: StoredRow) => StoredRow | null,
  ): Promise<StoredRow[]> {
    const changed: StoredRow[] = [];
    for (const key of [...this.rows.keys(), ...transaction.writes.keys()]) {
      const seen = this.#versionFor(transaction, key);
      if (!seen || !matches(seen)) continue;
      await this.locks.take(rowKey(key), transaction);
      const row = this.#versionFor(transaction, key);
      if (!row || !matches(row)) continue;
      const wanted = next(row);
      if (wanted === row) {
        changed.push(row);
        continue;
      }
      if (!wanted) transaction.writes.set(key, null);
      else {
        this.#check(wanted);
        if (!(await this.#write(transaction, key, wanted)))
          throw new ServerError('23505', 'duplicate key value violates unique constraint');
      }
      changed.push(wanted ?? row);
    }
    return changed;
  }

  /** Sets a comment; other comments and a DROP wait for the transaction's end. */
  async comment(transaction: Transaction, role: string, databaseName: string, comment: string): Promise<void> {
    this.#requireThere(databaseName);
    await this.locks.take(`database ${databaseName}`, transaction);
    const { owner } = this.#requireThere(databaseName);
    if (!this.owns(role, owner)) throw new ServerError('42501', `must be owner of database ${databaseName}`);
    transaction.comments.set(databaseName, comment);
  }

  /** Without `isForced` sessions in it refuse the drop. */
  async drop(transaction: Transaction, role: string, databaseName: string, isForced: boolean): Promise<void> {
    if (!this.databases.has(databaseName)) return;
    await this.locks.take(`database ${databaseName}`, transaction);
    const database = this.databases.get(databaseName);
    if (!database) return;
    if (!this.owns(role, database.owner)) throw new ServerError('42501', `must be owner of database ${databaseName}`);
    if (!isForced && database.sessions.size > 0)
      throw new ServerError('55006', `database "${databaseName}" is being accessed by other users`);
    for (const session of database.sessions) session.isOpen = false;
    this.databases.delete(databaseName);
  }

  create(role: string, databaseName: string, owner: string): void {
    if (this.isReadOnly) throw new ServerError('25006', 'cannot execute CREATE DATABASE in a read-only transaction');
    const { mayCreateDatabases, isSuperuser } = this.role(role);
    if (!mayCreateDatabases && !isSuperuser) throw new ServerError('42501', 'permission denied to create database');
    if (!this.roles.has(owner)) throw new ServerError('42704', `role "${owner}" does not exist`);
    if (!this.owns(role, owner)) throw new ServerError('42501', `must be able to SET ROLE "${owner}"`);
    if (this.databases.has(databaseName)) throw new ServerError('42P04', `database "${databaseName}" already exists`);
    this.databases.set(databaseName, newDatabase(owner));
  }

  /** A database that can be connected to. */
  enter(databaseName: string): StoredDatabase {
    const database = this.#requireThere(databaseName);
    if (database.isInterrupted) throw new ServerError('55000', `cannot connect to invalid database "${databaseName}"`);
    return database;
  }

  #requireThere(databaseName: string): StoredDatabase {
    const database = this.databases.get(databaseName);
    if (!database) throw new ServerError('3D000', `database "${databaseName}" does not exist`);
    return database;
  }

  #versionFor(transaction: Transaction | null, key: number): StoredRow | null {
    const own = transaction?.writes.get(key);
    return own === undefined ? (this.rows.get(key) ?? null) : own;
  }

  /** Waits for whoever is about to take or give up one of the row's keys; false where they are another row's. */
  async #write(transaction: Transaction, key: number, row: StoredRow): Promise<boolean> {
    for (;;) {
      const inTheWay = this.#whoHas(transaction, row, key);
      if (inTheWay === 'committed') return false;
      // At once, so that nobody writes between the look and the write.
      if (inTheWay === null) {
        requireOpen(transaction);
        transaction.writes.set(key, stored(row));
        return true;
      }
      await this.locks.waitFor(inTheWay, transaction);
    }
  }

  #whoHas(transaction: Transaction, row: StoredRow, ownKey: number): Transaction | 'committed' | null {
    let waitsFor: Transaction | null = null;
    for (const other of this.#open) {
      if (other === transaction) continue;
      for (const [key, written] of other.writes) {
        if (key === ownKey) continue;
        const before = this.rows.get(key);
        if ((written && clash(written, row)) || (before && clash(before, row))) waitsFor = other;
      }
    }
    for (const key of new Set([...this.rows.keys(), ...transaction.writes.keys()])) {
      const version = this.#versionFor(transaction, key);
      const isBeingWritten = [...this.#open].some((other) => other !== transaction && other.writes.has(key));
      if (key !== ownKey && version && !isBeingWritten && clash(version, row)) return 'committed';
    }
    return waitsFor;
  }

  #check({ name, databaseName }: StoredRow): void {
    if (!/^[a-zA-Z0-9_ -]+$/.test(name))
      throw new ServerError('23514', 'new row violates check constraint "valid_name"');
    if (name.length > 255) throw new ServerError('22001', 'value too long for type character varying(255)');
    if (this.isCodebaseMcps && !/^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$/.test(databaseName))
      throw new ServerError('23514', 'new row violates check constraint "valid_database_name"');
  }
}

export function registrarIn(metadata: Json | null): Json {
  return (metadata?.['registrar'] ?? {}) as Json;
}

export function newDatabase(owner: string): StoredDatabase {
  return { owner, comment: null, isInterrupted: false, hasRelations: false, sessions: new Set() };
}

function rowKey(key: number): string {
  return `row ${String(key)}`;
}

function stored(row: StoredRow): StoredRow {
  return { ...row, metadata: jsonb(row.metadata) };
}

function clash(one: StoredRow, other: StoredRow): boolean {
  return one.id === other.id || one.name === other.name || one.databaseName === other.databaseName;
}
