import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import {
  asked,
  notOwner,
  registryForbidden,
  unwritable,
  type Asked,
} from '../../../daemon/postgres/registry/registryFaults.ts';
import { sqlState } from '../../../daemon/postgres/connection/sqlErrors.ts';
import type { RegistryEvent, RegistryRow, Sighting } from '../../../daemon/registry/model.ts';
import type {
  Changed,
  CommentChange,
  Look,
  LookKeys,
  RegistryPort,
  Reserved,
  RowChange,
} from '../../../daemon/registry/ports.ts';
import { readRegistrarMetadata } from '../../../daemon/registry/rowMetadata.ts';
import type { WorldClient } from './client.ts';
import { CommentChanged, setComment } from './comment.ts';
import { conditions } from './conditions.ts';
import { jsonb, type Json } from './json.ts';
import type { StatementPoint } from './points.ts';
import { rebuild } from './rebuild.ts';
import { ServerError } from './serverError.ts';
import { registrarIn, type StoredRow, type Transaction, type WorldServer } from './server.ts';

/** Who writes events. */
export interface Writer {
  host: string;
  creator: string;
}

/** The registry table of the world behind the rules' port, as `daemon/postgres/registry/projectsTable.ts` keeps it in PostgreSQL. */
export function worldRegistry(client: WorldClient, writer: Writer, makes: boolean): RegistryPort {
  const { server, role } = client;

  async function read(what: StatementPoint, pick: (rows: StoredRow[]) => StoredRow[]): Promise<Sighting[]> {
    try {
      return await client.read(what, async (transaction) => {
        if (!server.hasTable && !makes) return [];
        if (!server.hasTable) await rebuild(server, transaction, client);
        need('select');
        return pick(server.visible(transaction)).map((row) => sightingIn(server, row));
      });
    } catch (error) {
      throw refused(error, asked.read);
    }
  }

  function need(privilege: 'select' | 'insert' | 'update' | 'delete'): void {
    const { lacks, isSuperuser } = server.role(role);
    // Whoever writes reads, too: a condition, or what RETURNING gives.
    if ((lacks.has(privilege) || lacks.has('select')) && !isSuperuser)
      throw new ServerError('42501', 'permission denied for table projects');
    if (server.isReadOnly && privilege !== 'select')
      throw new ServerError('25006', 'cannot execute this in a read-only transaction');
  }

  function refused(error: unknown, what: Asked): unknown {
    if (error instanceof RegistrarError) return error;
    const state = sqlState(error);
    if (state === '42501') return registryForbidden(what, role, server.registry);
    return state === null
      ? error
      : new RegistrarError(unwritable(error, what, role, server.registry), { cause: error });
  }

  function record(transaction: Transaction, operation: string, rows: readonly StoredRow[]): void {
    transaction.events.push(...rows.map((row) => eventOf(row, operation, transaction.at)));
  }

  function eventOf({ id, name, databaseName, metadata }: StoredRow, operation: string, at: string): RegistryEvent {
    const kept = { projectId: id, name, databaseName, registrar: readRegistrarMetadata(metadata) };
    return { at, actor: role, host: writer.host, by: writer.creator, operation, bytes: null, tables: null, ...kept };
  }

  /** The row first and then the comment, in one transaction. */
  async function conditionally(
    what: Asked,
    changing: {
      name: StatementPoint;
      operation: string | null;
      apply: (transaction: Transaction) => Promise<StoredRow[]>;
    },
    comment: CommentChange | null,
  ): Promise<Changed> {
    const progress = { isCommenting: false };
    const change = async (transaction: Transaction): Promise<number> => {
      const rows = await changing.apply(transaction);
      if (changing.operation !== null) record(transaction, changing.operation, rows);
      return rows.length;
    };
    try {
      if (!comment) return (await client.run(changing.name, change)) > 0 ? 'done' : 'lost';
      return await client.transaction(async (execute) => {
        if ((await execute(changing.name, change)) === 0) return 'lost';
        progress.isCommenting = true;
        await setComment(client, execute, comment);
        return 'done';
      });
    } catch (error) {
      const state = sqlState(error);
      if (error instanceof CommentChanged) return 'lost';
      if (state === '23505' && !progress.isCommenting) return 'taken';
      if (state === '40P01' || state === '3D000') return 'lost';
      if (state === '42501' && progress.isCommenting && comment) throw notOwner(comment.databaseName, role);
      throw refused(error, what);
    }
  }

  async function look(keys: LookKeys): Promise<Look> {
    try {
      const sightings = await read('look', (rows) =>
        rows.filter(({ id, name }) => id === keys.id || name === keys.name),
      );
      return { kind: 'seen', sightings };
    } catch (error) {
      if (error instanceof RegistrarError && error.details?.['privilege'] === asked.read.privilege)
        return { kind: 'unreadable', failure: error.toReport() };
      throw error;
    }
  }

  async function reserve(row: RegistryRow): Promise<Reserved> {
    try {
      const isInserted = await client.run('reserve', async (transaction) => {
        need('insert');
        const isFree = await server.insert(transaction, storedOf(row), true);
        if (isFree) record(transaction, 'created', [storedOf(row)]);
        return isFree;
      });
      if (isInserted) return { kind: 'reserved' };
      const others = await client.run('whose-conflict', (transaction) =>
        server
          .visible(transaction)
          .filter(
            ({ id, name, databaseName }) => id === row.id || name === row.name || databaseName === row.databaseName,
          ),
      );
      const isDatabaseOnly = others.length > 0 && others.every(({ id, name }) => id !== row.id && name !== row.name);
      return { kind: isDatabaseOnly ? 'database-taken' : 'lost' };
    } catch (error) {
      return { kind: 'unwritable', failure: unwritable(error, asked.insert, role, server.registry) };
    }
  }

  return {
    look,
    reserve,
    change: (observed, wanted, comment) =>
      conditionally(
        asked.update,
        {
          name: 'change',
          operation: operationOf(wanted),
          apply: async (transaction) => {
            need('update');
            return server.change(
              transaction,
              (row) => isAsObserved(row, observed) && conditions.hasSameEvidence(row, observed, wanted),
              (row) => changed(row, wanted, transaction.at),
            );
          },
        },
        comment,
      ),
    insert: (row, comment) =>
      conditionally(
        asked.insert,
        {
          name: 'insert',
          operation: 'adopted',
          apply: async (transaction) => {
            need('insert');
            await server.insert(transaction, storedOf(row), false);
            return [storedOf(row)];
          },
        },
        comment,
      ),
    remove: (observed, comment) =>
      conditionally(
        asked.delete,
        {
          name: 'remove',
          operation: 'forgotten',
          apply: async (transaction) => {
            need('delete');
            return server.change(
              transaction,
              (row) => isAsNamed(row, observed),
              () => null,
            );
          },
        },
        comment,
      ),
    async whileHeld(observed, work) {
      try {
        return await client.transaction(async (execute) => {
          const held = await execute('hold', (transaction) => {
            need('update');
            return server.change(
              transaction,
              (row) => isAsObserved(row, observed),
              (row) => row,
            );
          });
          if (held.length === 0) return 'lost';
          const [row] = await execute('look-held', (transaction) =>
            server.visible(transaction).filter(({ id }) => id === observed.id),
          );
          const outcome = row ? await work(sightingIn(server, row).database) : 'lost';
          if (outcome === 'delete') {
            await execute('delete', async (transaction) => {
              need('delete');
              const rows = await server.change(
                transaction,
                ({ id }) => id === observed.id,
                () => null,
              );
              record(transaction, 'dropped', rows);
            });
          }
          return outcome === 'lost' ? 'lost' : 'done';
        });
      } catch (error) {
        const state = sqlState(error);
        if (state === '40P01' || state === '3D000') return 'lost';
        throw refused(error, asked.update);
      }
    },
    async lookEvents({ id, name }) {
      const isAsked = (event: RegistryEvent): boolean => event.projectId === id || event.name === name;
      const ends = ['created', 'adopted', 'dropped'];
      return client.read('events', () =>
        jsonb(server.events.filter((event) => isAsked(event) && ends.includes(event.operation)).reverse()).slice(0, 50),
      );
    },
    lookIds: (ids) => read('ids', (rows) => rows.filter(({ id }) => ids.includes(id))),
    lookIdPrefix: (prefix) =>
      read('id-prefix', (rows) => rows.filter(({ id }) => id.replaceAll('-', '').startsWith(prefix)).slice(0, 2)),
    async lookFormerId(id) {
      const isFormer = ({ metadata }: StoredRow): boolean => formerIdsIn(metadata).includes(id);
      return (await read('former-id', (rows) => rows.filter(isFormer)))[0] ?? null;
    },
    async lookDatabaseOwner(databaseName) {
      const isNamed = (row: StoredRow): boolean => row.databaseName === databaseName;
      return (await read('database-owner', (rows) => rows.filter(isNamed)))[0] ?? null;
    },
    list({ query, after, limit }) {
      const wanted = query?.toLowerCase() ?? '';
      return read('list', (rows) =>
        rows
          .filter(({ name }) => (after === null || name > after) && name.toLowerCase().includes(wanted))
          .sort((one, other) => (one.name < other.name ? -1 : 1))
          .slice(0, limit),
      );
    },
  };
}

/** A row with the database that it names, as one statement sees both. */
export function sightingIn(server: WorldServer, row: StoredRow): Sighting {
  const database = server.databases.get(row.databaseName);
  const metadata = jsonb(row.metadata ?? {});
  return {
    row: { ...row, metadata, registrar: readRegistrarMetadata(metadata) },
    database: {
      presence: !database ? 'absent' : database.isInterrupted ? 'interrupted' : 'present',
      comment: database?.comment ?? null,
    },
    sync: { state: 'synced' },
  };
}

export function storedOf({ registrar, metadata, ...columns }: RegistryRow): StoredRow {
  return { ...columns, metadata: { ...metadata, registrar } };
}

export function formerIdsIn(metadata: Json | null): unknown[] {
  const { formerIds } = registrarIn(metadata) as { formerIds?: unknown };
  return Array.isArray(formerIds) ? formerIds : [];
}

/** `removeSql` */
function isAsNamed(row: StoredRow, observed: RegistryRow): boolean {
  return row.id === observed.id && conditions.isAsNamed(row, observed);
}

/** `observedSql` */
function isAsObserved(row: StoredRow, observed: RegistryRow): boolean {
  return isAsNamed(row, observed) && conditions.isOfSameFolder(row, observed);
}

/** `changeSql` */
function changed(row: StoredRow, { registrar, ...columns }: RowChange, now: string): StoredRow {
  const isVisible = Object.keys(columns).length > 0;
  return {
    ...row,
    ...columns,
    metadata: { ...row.metadata, registrar: { ...registrarIn(row.metadata), ...jsonb(registrar ?? {}) } },
    updatedAt: isVisible ? now : row.updatedAt,
  };
}

function operationOf({ id, name, registrar, event }: RowChange): string | null {
  if (event !== undefined) return event;
  if (id !== undefined) return 'rekeyed';
  if (name !== undefined) return 'renamed';
  return registrar?.folder === undefined ? null : 'claimed';
}
