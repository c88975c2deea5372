import type {
  Held,
  ListKeys,
  Look,
  LookKeys,
  RegistryPort,
  Changed,
  CommentChange,
  Reserved,
  RowChange,
} from '../../registry/ports.ts';
import type { DatabaseSighting, RegistryRow, Sighting } from '../../registry/model.ts';
import { readRegistrarMetadata } from '../../registry/rowMetadata.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { announcement } from './registryChanges.ts';
import type { Operation, RegistryEvents } from './registryEvents.ts';
import { commentsJoinSql, eq, ge, gt, interruptedSql, le } from '../connection/catalogSql.ts';
import { commentSql, isThereSql } from '../databases/commentSql.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import {
  asked,
  notARegistry,
  notOwner,
  registryForbidden,
  unreachableFor,
  unwritable,
  type Asked,
} from './registryFaults.ts';
import { saidBy, sqlState } from '../connection/sqlErrors.ts';
import { Turns } from '../connection/turns.ts';

/**
 * Row, database and marker in one statement. The cast to `name` lets the catalog's index answer; without it every lookup
 * reads all of pg_database. Joining pg_shdescription costs less than shobj_description() does, and one column of JSON a
 * third less than ten columns: each of those is described, sent and parsed by itself.
 */
const sightingSql = `
  select pg_catalog.json_build_object('id', p.id, 'name', p.name, 'database_name', p.database_name, 'description', p.description,
           'created_at', p.created_at, 'updated_at', p.updated_at, 'metadata', p.metadata,
           'present', d.datname is not null, 'interrupted', ${interruptedSql}, 'comment', s.description) as sighting
  from public.projects p
  left join pg_catalog.pg_database d on d.datname ${eq} p.database_name::pg_catalog.name
  ${commentsJoinSql}`;

const lookSql = `${sightingSql} where p.id ${eq} $1 or p.name ${eq} $2`;
const formerIdSql = `${sightingSql} where p.metadata operator(pg_catalog.@>)
  pg_catalog.jsonb_build_object('registrar', pg_catalog.jsonb_build_object('formerIds', pg_catalog.jsonb_build_array($1::pg_catalog.text)))`;
const ownerSql = `${sightingSql} where p.database_name ${eq} $1`;
const listSql = `${sightingSql}
  where ($1::pg_catalog.text is null or p.name ${gt} $1)
    and ($2::pg_catalog.text is null or pg_catalog.strpos(pg_catalog.lower(p.name), pg_catalog.lower($2)) ${gt} 0)
  order by p.name limit $3`;

const idsSql = `${sightingSql} where p.id ${eq} any ($1::pg_catalog.uuid[])`;
const idPrefixSql = `${sightingSql} where p.id ${ge} $1 and p.id ${le} $2 limit 2`;

/** What an event is made of. */
const returningSql = 'returning id, name, database_name, metadata';

const deleteSql = `delete from public.projects where id ${eq} $1 ${returningSql}`;

const removeSql = `
  delete from public.projects where id ${eq} $1 and name ${eq} $2 and database_name ${eq} $3
    and coalesce(metadata operator(pg_catalog.#>>) '{registrar,state}', 'ready') ${eq} $4 ${returningSql}`;

const insertSql = `
  insert into public.projects (id, name, description, database_name, created_at, updated_at, metadata)
  values ($1, $2, $3, $4, $5, $6, $7)`;

/** Rolls a change back whose comment found no database. */
class DatabaseGone extends Error {}

/** The registry table `projects` behind the rules' port. */
export function projectsTable(database: RegistryDatabase, events: RegistryEvents): RegistryPort {
  const { limits } = database;

  async function look(keys: LookKeys, patient: boolean): Promise<Look> {
    const timeoutMs = patient ? limits.writeMs : limits.lookMs;
    const read = () => database.read({ name: 'look', text: lookSql, values: [keys.id, keys.name] }, timeoutMs);
    try {
      return { kind: 'seen', sightings: (await readMigrated(read)).map(sightingIn) };
    } catch (error) {
      if (error instanceof RegistrarError && error.code === 'REGISTRY_FORBIDDEN' && isTablePrivilege(error)) {
        return { kind: 'unreadable', failure: error.toReport() };
      }
      throw error;
    }
  }

  async function readMigrated(read: () => Promise<Row[]>): Promise<Row[]> {
    try {
      return await read();
    } catch (error) {
      if (sqlState(error) !== '42P01') throw refused(error, asked.read);
      if (!database.makes) return [];
    }
    await database.migrate();
    return read().catch((error: unknown) => {
      throw refused(error, asked.read);
    });
  }

  async function reserve(row: RegistryRow): Promise<Reserved> {
    try {
      const reserving = await events.recorded(
        'created',
        `${insertSql} on conflict do nothing ${returningSql}`,
        columnsOf(row),
      );
      const inserted = await database.query({ name: 'reserve', ...reserving }, limits.writeMs);
      if (inserted.length > 0) {
        database.onUsable();
        return { kind: 'reserved' };
      }
      const others = await database.query(
        {
          name: 'whoseConflict',
          text: `select id ${eq} $1 or name ${eq} $2 as same from public.projects where id ${eq} $1 or name ${eq} $2 or database_name ${eq} $3`,
          values: [row.id, row.name, row.databaseName],
        },
        limits.writeMs,
      );
      const isDatabaseOnly = others.length > 0 && others.every((other) => other['same'] !== true);
      return { kind: isDatabaseOnly ? 'database-taken' : 'lost' };
    } catch (error) {
      return { kind: 'unwritable', failure: unwritable(error, asked.insert, database.role, database.name) };
    }
  }

  /**
   * One conditional statement; with a comment, both in one transaction. The row first and then the comment: the row's lock
   * makes everyone who would write the comment wait in line.
   */
  async function conditionally(
    what: Asked,
    changing: { name: string; text: string; values: unknown[]; operation: Operation | null },
    comment: CommentChange | null,
  ): Promise<Changed> {
    const progress = { isCommenting: false };
    try {
      const { name, operation } = changing;
      const { text, values } =
        operation === null
          ? { text: announcement(changing.text), values: changing.values }
          : await events.recorded(operation, changing.text, changing.values);
      if (!comment) return (await database.query({ name, text, values }, limits.writeMs)).length > 0 ? 'done' : 'lost';
      return await database.transaction(limits.writeMs, async (execute) => {
        const { rows } = await execute(text, values);
        if (rows.length === 0) return 'lost';
        progress.isCommenting = true;
        await execute(commentSql(comment));
        if ((await execute(isThereSql, [comment.databaseName])).rows.length === 0) throw new DatabaseGone();
        return 'done';
      });
    } catch (error) {
      if (error instanceof DatabaseGone) return 'lost';
      const state = sqlState(error);
      if (state === '23505' && !progress.isCommenting) return 'taken';
      if (isLostRace(error)) return 'lost';
      if (state === '42501' && progress.isCommenting && comment) throw notOwner(comment.databaseName, database.role);
      throw refused(error, what);
    }
  }

  // `work` needs a connection beside the one that holds the row: if holders took them all, each would wait for another.
  const holds = new Turns(4);

  async function whileHeld(
    observed: RegistryRow,
    work: (database: DatabaseSighting) => Promise<Held>,
    details?: object,
  ): Promise<Changed> {
    // Longer than anything that `work` may take, so that the lock outlives it.
    const timeoutMs = limits.provisionMs + limits.writeMs;
    const hold = async (): Promise<Changed> => {
      const deleting = await events.recorded('dropped', deleteSql, [observed.id], details);
      return database.transaction(timeoutMs, async (execute) => {
        const held = await execute(holdSql, observedValues(observed));
        if (held.rows.length === 0) return 'lost';
        // Read again, now that the row is locked: the statement that waited for the lock saw the catalog as it was before.
        const [row] = (await execute(`${sightingSql} where p.id ${eq} $1`, [observed.id])).rows;
        const outcome = row ? await work(sightingIn(row).database) : 'lost';
        if (outcome === 'delete') await execute(deleting.text, deleting.values);
        return outcome === 'lost' ? 'lost' : 'done';
      });
    };
    try {
      return await holds.run(timeoutMs, () => unreachableFor('earlier requests', timeoutMs), hold);
    } catch (error) {
      if (isLostRace(error)) return 'lost';
      throw refused(error, asked.update);
    }
  }

  function refused(error: unknown, what: Asked): unknown {
    // It says already what is missing, though the server's own refusal may be among its causes.
    if (error instanceof RegistrarError) return error;
    const state = sqlState(error);
    if (state === '42501') return registryForbidden(what, database.role, database.name);
    if (state === '42703' || state === '42804' || state === '42883') {
      return notARegistry(database.name, error instanceof Error ? saidBy(error) : 'its columns differ');
    }
    if (state === null) return error;
    return new RegistrarError(unwritable(error, what, database.role, database.name), { cause: error });
  }

  return {
    look,
    reserve,
    change: (observed, wanted, comment) =>
      conditionally(
        asked.update,
        { name: 'change', text: changeSql, values: changeValues(observed, wanted), operation: operationOf(wanted) },
        comment,
      ),
    insert: (row, comment) =>
      conditionally(
        asked.insert,
        { name: 'insert', text: `${insertSql} ${returningSql}`, values: columnsOf(row), operation: 'adopted' },
        comment,
      ),
    remove: (observed, comment) =>
      conditionally(
        asked.delete,
        { name: 'remove', text: removeSql, values: observedValues(observed).slice(0, 4), operation: 'forgotten' },
        comment,
      ),
    whileHeld,
    lookEvents: (keys) => events.look(keys),
    async lookIds(ids) {
      const query = { name: 'ids', text: idsSql, values: [ids] };
      return (await readMigrated(() => database.read(query, limits.writeMs))).map(sightingIn);
    },
    async lookIdPrefix(prefix) {
      const range = ['00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff'].map(
        (rest) => prefix + rest.slice(prefix.length),
      );
      const query = { name: 'idPrefix', text: idPrefixSql, values: range };
      return (await readMigrated(() => database.read(query, limits.writeMs))).map(sightingIn);
    },
    async lookFormerId(id) {
      const rows = await readMigrated(() =>
        database.read({ name: 'formerId', text: formerIdSql, values: [id] }, limits.writeMs),
      );
      return rows[0] ? sightingIn(rows[0]) : null;
    },
    async lookDatabaseOwner(databaseName) {
      const query = { name: 'databaseOwner', text: ownerSql, values: [databaseName] };
      const rows = await readMigrated(() => database.read(query, limits.writeMs));
      return rows[0] ? sightingIn(rows[0]) : null;
    },
    async list({ query, after, limit }: ListKeys) {
      const values = [after, query, limit];
      const rows = await readMigrated(() => database.read({ name: 'list', text: listSql, values }, limits.writeMs));
      return rows.map(sightingIn);
    },
  };
}

/**
 * Compare-and-set: nothing happens unless id, name, database, state and folder are still those that the decision was made
 * on. Only what people see counts as an update of the project; notes under `metadata.registrar` do not.
 */
const observedSql = `p.id ${eq} $1 and p.name ${eq} $2 and p.database_name ${eq} $3
    and coalesce(p.metadata operator(pg_catalog.#>>) '{registrar,state}', 'ready') ${eq} $4
    and coalesce(p.metadata operator(pg_catalog.#>) '{registrar,folder}', 'null') ${eq} coalesce($5::pg_catalog.jsonb, 'null')`;

const holdSql = `select p.id from public.projects p where ${observedSql} for update`;

const changeSql = `
  update public.projects p set
    id = coalesce($6::pg_catalog.uuid, p.id),
    name = coalesce($7, p.name),
    database_name = coalesce($8, p.database_name),
    description = case when $9 then $10 else p.description end,
    metadata = pg_catalog.jsonb_set(coalesce(p.metadata, '{}'), '{registrar}',
      coalesce(p.metadata operator(pg_catalog.->) 'registrar', '{}') operator(pg_catalog.||) $11::pg_catalog.jsonb),
    updated_at = case when $12 then pg_catalog.now() else p.updated_at end
  where ${observedSql}
    and (not $13 or coalesce(p.metadata operator(pg_catalog.#>) '{registrar,evidence}', 'null') ${eq} coalesce($14::pg_catalog.jsonb, 'null'))
  returning p.id, p.name, p.database_name, p.metadata`;

/** What a change is to whoever reads the events; null for notes that nobody asks for. */
function operationOf({ id, name, registrar, event }: RowChange): Operation | null {
  if (event !== undefined) return event;
  if (id !== undefined) return 'rekeyed';
  if (name !== undefined) return 'renamed';
  return registrar?.folder === undefined ? null : 'claimed';
}

function observedValues({ id, name, databaseName, registrar: { state, folder } }: RegistryRow): unknown[] {
  return [id, name, databaseName, state ?? 'ready', folder ? JSON.stringify(folder) : null];
}

function changeValues(observed: RegistryRow, wanted: RowChange): unknown[] {
  const isVisible =
    wanted.id !== undefined ||
    wanted.name !== undefined ||
    wanted.databaseName !== undefined ||
    wanted.description !== undefined;
  return [
    ...observedValues(observed),
    wanted.id ?? null,
    wanted.name ?? null,
    wanted.databaseName ?? null,
    wanted.description !== undefined,
    wanted.description ?? null,
    JSON.stringify(wanted.registrar ?? {}),
    isVisible,
    // It is written whole, so that what another daemon added meanwhile must not be lost.
    wanted.registrar?.evidence !== undefined,
    evidenceAsStored(observed),
  ];
}

/** As it was read, with what a newer version may have put there. */
function evidenceAsStored({ metadata }: RegistryRow): string | null {
  const { evidence } = (metadata['registrar'] ?? {}) as { evidence?: unknown };
  return evidence === undefined ? null : JSON.stringify(evidence);
}

function columnsOf(row: RegistryRow): unknown[] {
  const metadata = JSON.stringify({ ...row.metadata, registrar: row.registrar });
  return [row.id, row.name, row.description, row.databaseName, row.createdAt, row.updatedAt, metadata];
}

/** 40001 and 40P01 are lost by design; "tuple concurrently updated" (XX000) is two COMMENT ON the same database; 3D000 a database that went away. */
function isLostRace(error: unknown): boolean {
  const state = sqlState(error);
  if (state === '40001' || state === '40P01' || state === '3D000') return true;
  return state === 'XX000' && error instanceof Error && error.message.includes('concurrently');
}

function isTablePrivilege(error: RegistrarError): boolean {
  const privilege = error.details?.['privilege'];
  return privilege === asked.read.privilege || privilege === asked.createTable.privilege;
}

/** The answer of a statement that begins as `sightingSql` does. */
function sightingIn(row: Row): Sighting {
  return sightingOf(row['sighting'] as Row);
}

/** What `sightingSql` reads, in these names. */
export function sightingOf(row: Row): Sighting {
  const metadata = (row['metadata'] ?? {}) as Record<string, unknown>;
  return {
    row: {
      id: textOf(row, 'id'),
      name: textOf(row, 'name'),
      databaseName: textOf(row, 'database_name'),
      description: typeof row['description'] === 'string' ? row['description'] : null,
      createdAt: timeOf(row['created_at']),
      updatedAt: timeOf(row['updated_at']),
      metadata,
      registrar: readRegistrarMetadata(metadata),
    },
    database: {
      presence: row['interrupted'] === true ? 'interrupted' : row['present'] === true ? 'present' : 'absent',
      comment: typeof row['comment'] === 'string' ? row['comment'] : null,
    },
    sync: { state: 'synced' },
  };
}

function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} of projects is not text`);
  return value;
}

/** In ISO 8601 as JSON has it, or parsed already. codebase-mcp allows null times, PostgreSQL infinite ones. */
function timeOf(value: unknown): string {
  // As the server wrote it for many rows at once, which is taken as it is: parsing each takes longer than all else.
  if (typeof value === 'string' && inUtc.test(value)) return value;
  const time = typeof value === 'string' ? new Date(value) : value;
  return (time instanceof Date && !Number.isNaN(time.getTime()) ? time : new Date(0)).toISOString();
}

const inUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
