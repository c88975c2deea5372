import type { RegistryRow } from '../registry/model.ts';
import { announced } from './registryChanges.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import { asked, unwritable } from './registryFaults.ts';
import { sqlState } from './sqlErrors.ts';

/** What became of one row; `conflict` needs a person, `failed` may be tried again. */
export type DeliveryOutcome =
  | { kind: 'delivered' }
  | { kind: 'forgotten' }
  | { kind: 'conflict'; error: { code: string; message: string } }
  | { kind: 'failed'; error: { code: string; message: string } };

/**
 * One statement for the whole batch. ON CONFLICT DO NOTHING keeps one conflict from aborting the others and needs no UPDATE
 * privilege; a database that was marked as forgotten in the meantime is left out in the same statement, so that no
 * delivery can bring back what somebody removed.
 */
const deliverSql = `
  insert into projects (id, name, description, database_name, created_at, updated_at, metadata)
  select e.id, e.name, e.description, e.database_name, e.created_at, now(), e.metadata
  from jsonb_to_recordset($1::jsonb)
    as e(id uuid, name text, description text, database_name text, created_at timestamptz, metadata jsonb)
  left join pg_database d on d.datname = e.database_name::name
  left join pg_shdescription s on s.objoid = d.oid and s.classoid = 'pg_database'::regclass
  where s.description is null or s.description not like '%"forgotten_at"%'
  on conflict do nothing
  returning id`;

const forgottenSql = `
  select d.datname from pg_database d
  join pg_shdescription s on s.objoid = d.oid and s.classoid = 'pg_database'::regclass
  where d.datname = any($1::text[]::name[]) and s.description like '%"forgotten_at"%'`;

const readBackSql = `
  select id, name, database_name, metadata #> '{registrar,formerIds}' as former_ids from projects
  where id = any($1::uuid[]) or name = any($2::text[]) or database_name = any($3::text[])`;

/**
 * Writes outbox rows into the registry.
 *
 * @returns one outcome per row, in order
 * @throws RegistrarError REGISTRY_UNREACHABLE or CREDENTIALS_REQUIRED when no server answers
 */
export async function deliver(database: RegistryDatabase, rows: RegistryRow[]): Promise<DeliveryOutcome[]> {
  try {
    const inserted = await insertBatch(database, rows);
    const missing = rows.filter((row) => !inserted.has(row.id));
    const present = missing.length > 0 ? await readBack(database, missing) : [];
    const forgotten = missing.length > 0 ? await readForgotten(database, missing) : new Set();
    return rows.map((row) =>
      inserted.has(row.id) ? { kind: 'delivered' } : outcomeOf(row, present, forgotten.has(row.databaseName)),
    );
  } catch (error) {
    const state = sqlState(error);
    if (state === null) throw error;
    // A check that one row violates aborts the batch: alone, each row gets its own answer.
    if (state === '23514' && rows.length > 1) {
      const outcomes: DeliveryOutcome[] = [];
      for (const row of rows) outcomes.push(...(await deliver(database, [row])));
      return outcomes;
    }
    const missing = state === '42501' && !(await mayRead(database)) ? asked.read : asked.insert;
    const { message } = unwritable(error, missing, database.role, database.name);
    const kind = state.startsWith('23') || state === '22001' ? 'conflict' : 'failed';
    return rows.map(() => ({ kind, error: { code: state, message } }));
  }
}

async function insertBatch(database: RegistryDatabase, rows: RegistryRow[]): Promise<Set<unknown>> {
  const records = rows.map(({ id, name, description, databaseName, createdAt, metadata, registrar }) => ({
    id,
    name,
    description,
    database_name: databaseName,
    created_at: createdAt,
    metadata: { ...metadata, registrar },
  }));
  const query = { text: announced(deliverSql), values: [JSON.stringify(records)] };
  const insert = () => database.query(query, database.limits.writeMs);
  const inserted = await insert().catch(async (error: unknown) => {
    if (sqlState(error) !== '42P01') throw error;
    // Throws what is missing to make the table: the reason with which the entries stay.
    await database.migrate();
    return insert();
  });
  return new Set(inserted.map((row) => row['id']));
}

/** RETURNING needs SELECT, and PostgreSQL refuses with the same words as for a missing INSERT. */
async function mayRead(database: RegistryDatabase): Promise<boolean> {
  const text = `select has_table_privilege('projects', 'SELECT') as may`;
  const [row] = await database.query({ text, values: [] }, database.limits.lookMs);
  return row?.['may'] === true;
}

async function readBack(database: RegistryDatabase, rows: RegistryRow[]): Promise<Row[]> {
  const values = [rows.map(({ id }) => id), rows.map(({ name }) => name), rows.map(({ databaseName }) => databaseName)];
  return database.query({ text: readBackSql, values }, database.limits.writeMs);
}

async function readForgotten(database: RegistryDatabase, rows: RegistryRow[]): Promise<Set<unknown>> {
  const values = [rows.map(({ databaseName }) => databaseName)];
  const found = await database.query({ text: forgottenSql, values }, database.limits.writeMs);
  return new Set(found.map((row) => row['datname']));
}

function outcomeOf(row: RegistryRow, present: Row[], isForgotten: boolean): DeliveryOutcome {
  if (isForgotten) return { kind: 'forgotten' };
  // Another daemon may have re-keyed the row after a delivery whose end this one did not live to see.
  const sameId = present.find(
    ({ id, former_ids: formerIds }) => id === row.id || (Array.isArray(formerIds) && formerIds.includes(row.id)),
  );
  if (sameId?.['database_name'] === row.databaseName) return { kind: 'delivered' };
  if (sameId) {
    const message = `the registry has this project with database ${String(sameId['database_name'])}`;
    return { kind: 'conflict', error: { code: '23505', message } };
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
  // What it conflicted with is gone by now.
  return { kind: 'failed', error: { code: '40001', message: 'the registry changed while the row was delivered' } };
}
