import { isDroppedSince } from '../../registry/changes/droppedProject.ts';
import { projectDropped } from '../../registry/failures.ts';
import type { RegistryEvent, RegistryRow } from '../../registry/model.ts';
import { believedSql } from '../databases/believedOwners.ts';
import { commentsJoinSql, eq, gt } from '../connection/catalogSql.ts';
import type { RegistryEvents } from './registryEvents.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import { asked, unwritable } from './registryFaults.ts';
import { sqlState } from '../connection/sqlErrors.ts';

/** What became of one row; `conflict` needs a person, `failed` may be tried again. */
export type DeliveryOutcome =
  | { kind: 'delivered' }
  | { kind: 'forgotten' }
  | { kind: 'conflict'; error: { code: string; message: string } }
  | { kind: 'failed'; error: { code: string; message: string } };

/**
 * One statement for the whole batch. ON CONFLICT DO NOTHING keeps one conflict from aborting the others and needs no UPDATE
 * privilege; a database that was marked as forgotten in the meantime, by somebody whose marks count, is left out in the same statement, so that no
 * delivery can bring back what somebody removed.
 */
const deliverSql = (ownerRole: string | null, notDropped: string): string => `
  insert into public.projects (id, name, description, database_name, created_at, updated_at, metadata)
  select e.id, e.name, e.description, e.database_name, e.created_at, pg_catalog.now(), e.metadata
  from pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb)
    as e(id pg_catalog.uuid, name pg_catalog.text, description pg_catalog.text, database_name pg_catalog.text,
         created_at timestamp with time zone, metadata pg_catalog.jsonb)
  left join pg_catalog.pg_database d on d.datname ${eq} e.database_name::pg_catalog.name
  ${commentsJoinSql}
  where (pg_catalog.strpos(s.description, '"forgotten_at"') ${gt} 0 and ${believedSql('d.datdba', ownerRole)}) is not true${notDropped}
  on conflict do nothing
  returning id, name, database_name, metadata`;

const forgottenSql = (ownerRole: string | null): string => `
  select d.datname from pg_catalog.pg_database d
  ${commentsJoinSql}
  where d.datname ${eq} any ($1::pg_catalog.text[]::pg_catalog.name[])
    and pg_catalog.strpos(s.description, '"forgotten_at"') ${gt} 0 and ${believedSql('d.datdba', ownerRole)}`;

const readBackSql = `
  select id, name, database_name, metadata operator(pg_catalog.#>) '{registrar,formerIds}' as former_ids
  from public.projects
  where id ${eq} any ($1::pg_catalog.uuid[]) or name ${eq} any ($2::pg_catalog.text[])
     or database_name ${eq} any ($3::pg_catalog.text[])`;

/**
 * Adds former ids to a row. Another daemon may have created it from the database's marker, which has only the newest
 * id, while the entry has those that config files still name.
 */
const mergeSql = `
  update public.projects p
  set metadata = pg_catalog.jsonb_set(coalesce(p.metadata, '{}'), '{registrar}',
    coalesce(p.metadata operator(pg_catalog.->) 'registrar', '{}') operator(pg_catalog.||)
      pg_catalog.jsonb_build_object('formerIds', (
        select pg_catalog.jsonb_agg(distinct former.id)
        from pg_catalog.jsonb_array_elements(
          coalesce(p.metadata operator(pg_catalog.#>) '{registrar,formerIds}', '[]')
            operator(pg_catalog.||) $2::pg_catalog.jsonb) as former(id))))
  where p.id ${eq} $1 and p.database_name ${eq} $3`;

/**
 * Writes outbox rows into the registry.
 *
 * @returns one outcome per row, in order
 * @throws RegistrarError REGISTRY_UNREACHABLE or CREDENTIALS_REQUIRED when no server answers
 */
export async function deliver(
  database: RegistryDatabase,
  events: RegistryEvents,
  rows: RegistryRow[],
): Promise<DeliveryOutcome[]> {
  try {
    const inserted = await insertBatch(database, events, rows);
    const missing = rows.filter((row) => !inserted.has(row.id));
    const present = missing.length > 0 ? await readBack(database, missing) : [];
    const forgotten = missing.length > 0 ? await readForgotten(database, missing) : new Set();
    const dropped = await readDropped(events, missing);
    const outcomes: DeliveryOutcome[] = [];
    for (const row of rows) {
      const isForgotten = forgotten.has(row.databaseName);
      const outcome = inserted.has(row.id)
        ? { kind: 'delivered' as const }
        : outcomeOf(row, present, { isForgotten, dropped: dropped.get(row.id) });
      const unmerged = outcome.kind === 'delivered' ? await mergeFormerIds(database, row, present) : null;
      outcomes.push(unmerged ?? outcome);
    }
    return outcomes;
  } catch (error) {
    const state = sqlState(error);
    if (state === null) throw error;
    // A check that one row violates, or a value that cannot be stored, aborts the batch: alone, each row gets its own answer.
    if ((state === '23514' || state.startsWith('22')) && rows.length > 1) {
      const outcomes: DeliveryOutcome[] = [];
      for (const row of rows) outcomes.push(...(await deliver(database, events, [row])));
      return outcomes;
    }
    const missing = state === '42501' && !(await mayRead(database)) ? asked.read : asked.insert;
    const { message } = unwritable(error, missing, database.role, database.name);
    const kind = state.startsWith('23') || state.startsWith('22') ? 'conflict' : 'failed';
    return rows.map(() => ({ kind, error: { code: state, message } }));
  }
}

/** Those that somebody dropped after their entry was made. */
async function readDropped(events: RegistryEvents, rows: readonly RegistryRow[]): Promise<Map<string, RegistryEvent>> {
  const dropped = new Map<string, RegistryEvent>();
  for (const row of rows) {
    const [newest] = await events.look({ id: row.id, name: null });
    if (newest && isDroppedSince(newest, row)) dropped.set(row.id, newest);
  }
  return dropped;
}

async function insertBatch(
  database: RegistryDatabase,
  events: RegistryEvents,
  rows: RegistryRow[],
): Promise<Set<unknown>> {
  const records = rows.map(({ id, name, description, databaseName, createdAt, metadata, registrar }) => ({
    id,
    name,
    description,
    database_name: databaseName,
    created_at: createdAt,
    metadata: { ...metadata, registrar },
  }));
  const insert = async () => {
    const inserting = deliverSql(database.ownerRole, await events.notDroppedSql('e.id', 'e.created_at'));
    const query = await events.recorded('created', inserting, [JSON.stringify(records)]);
    return database.query(query, database.limits.writeMs);
  };
  const inserted = await insert().catch(async (error: unknown) => {
    if (sqlState(error) !== '42P01') throw error;
    // Throws what is missing for creating the table, which is why the entries stay.
    await database.migrate();
    return insert();
  });
  return new Set(inserted.map((row) => row['id']));
}

/** RETURNING needs SELECT, and PostgreSQL refuses with the same words as for a missing INSERT. */
async function mayRead(database: RegistryDatabase): Promise<boolean> {
  const text = `select pg_catalog.has_table_privilege('public.projects', 'SELECT') as may`;
  const [row] = await database.query({ text, values: [] }, database.limits.lookMs);
  return row?.['may'] === true;
}

async function readBack(database: RegistryDatabase, rows: RegistryRow[]): Promise<Row[]> {
  const values = [rows.map(({ id }) => id), rows.map(({ name }) => name), rows.map(({ databaseName }) => databaseName)];
  return database.query({ text: readBackSql, values }, database.limits.writeMs);
}

async function readForgotten(database: RegistryDatabase, rows: RegistryRow[]): Promise<Set<unknown>> {
  const values = [rows.map(({ databaseName }) => databaseName)];
  const found = await database.query({ text: forgottenSql(database.ownerRole), values }, database.limits.writeMs);
  return new Set(found.map((row) => row['datname']));
}

/** @returns null when the registry's row has all former ids of the entry; else why it could not get them */
async function mergeFormerIds(
  database: RegistryDatabase,
  row: RegistryRow,
  present: readonly Row[],
): Promise<DeliveryOutcome | null> {
  const same = sameProject(row, present);
  const unknown = same ? unknownIds(row, same['id'], same['former_ids']) : [];
  if (!same || unknown.length === 0) return null;
  try {
    const values = [same['id'], JSON.stringify(unknown), row.databaseName];
    await database.query({ text: mergeSql, values }, database.limits.writeMs);
    return null;
  } catch (error) {
    const code = sqlState(error);
    if (code === null) throw error;
    const { message } = unwritable(error, asked.update, database.role, database.name);
    return { kind: 'failed', error: { code, message } };
  }
}

/** The former ids of an entry that the registry's row lacks. */
export function unknownIds({ registrar }: RegistryRow, id: unknown, formerIds: unknown): string[] {
  const known: unknown[] = [id, ...(Array.isArray(formerIds) ? (formerIds as unknown[]) : [])];
  return (registrar.formerIds ?? []).filter((one) => !known.includes(one));
}

function sameProject(row: RegistryRow, present: readonly Row[]): Row | undefined {
  // Another daemon may have re-keyed the row after a delivery whose end this one did not live to see.
  return present.find(
    ({ id, former_ids: formerIds }) => id === row.id || (Array.isArray(formerIds) && formerIds.includes(row.id)),
  );
}

function outcomeOf(
  row: RegistryRow,
  present: Row[],
  { isForgotten, dropped }: { isForgotten: boolean; dropped: RegistryEvent | undefined },
): DeliveryOutcome {
  if (isForgotten) return { kind: 'forgotten' };
  const sameId = sameProject(row, present);
  if (sameId?.['database_name'] === row.databaseName) return { kind: 'delivered' };
  if (sameId) {
    const message = `the registry has this project with database ${String(sameId['database_name'])}`;
    return { kind: 'conflict', error: { code: '23505', message } };
  }
  if (dropped) {
    const { code, message } = projectDropped(row.name, dropped);
    return { kind: 'conflict', error: { code, message } };
  }
  if (present.some((other) => other['name'] === row.name)) {
    return { kind: 'conflict', error: { code: '23505', message: `the name "${row.name}" is taken` } };
  }
  if (present.some((other) => other['database_name'] === row.databaseName)) {
    return {
      kind: 'conflict',
      error: { code: '23505', message: `the database ${row.databaseName} is another project's` },
    };
  }
  // What it conflicted with has gone since.
  return { kind: 'failed', error: { code: '40001', message: 'the registry changed while the row was delivered' } };
}
