import type { Execute } from './transaction.ts';
import { readMarker } from '../registry/marker.ts';

interface Migration {
  number: number;
  name: string;
  apply: (execute: Execute, registry: string) => Promise<void>;
}

/** Additive only: an older Registrar must keep working beside a newer one on the same registry. */
const migrations: readonly Migration[] = [{ number: 1, name: 'projects', apply: createProjects }];

/** Any constant; it only has to be the same in every version and used for nothing else ("registra" in ASCII). */
const lockKey = '0x7265676973747261';

/**
 * Brings a registry database up to date. To be run in a transaction: the advisory lock makes a second runner wait and then
 * find nothing to do, since concurrent CREATE TABLE IF NOT EXISTS fail with 23505. A table `projects` that is already
 * there, codebase-mcp's for one, is used as it is.
 *
 * @param registry the registry's name as markers carry it
 */
export async function migrate(execute: Execute, registry: string): Promise<void> {
  await execute(`select pg_advisory_xact_lock(('x' || '${lockKey.slice(2)}')::bit(64)::bigint)`);
  const found = await execute(`select to_regclass('projects') is not null as projects,
                                      to_regclass('registrar_migrations') is not null as migrations`);
  const hasProjects = found.rows[0]?.['projects'] === true;
  if (found.rows[0]?.['migrations'] !== true) {
    // A codebase-mcp registry stays without it until there is something to record.
    if (hasProjects) return;
    await execute(`create table registrar_migrations (
      number integer primary key, name text not null, applied_at timestamptz not null default now())`);
  }
  // A lost table is made again whatever the records say.
  if (!hasProjects) await execute('delete from registrar_migrations where number = 1');
  const applied = await execute('select number from registrar_migrations');
  const numbers = new Set(applied.rows.map((row) => row['number']));
  for (const migration of migrations) {
    if (numbers.has(migration.number)) continue;
    await migration.apply(execute, registry);
    await execute('insert into registrar_migrations (number, name) values ($1, $2)', [
      migration.number,
      migration.name,
    ]);
  }
}

async function createProjects(execute: Execute, registry: string): Promise<void> {
  await execute(`create table projects (
    id uuid primary key default gen_random_uuid(),
    name varchar(255) unique not null,
    description text,
    database_name varchar(255) unique not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    metadata jsonb default '{}'::jsonb,
    constraint valid_database_name check (database_name ~ '^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$'),
    constraint valid_name check (name ~ '^[a-zA-Z0-9_ -]+$'))`);
  await execute('create index idx_projects_metadata on projects using gin (metadata jsonb_path_ops)');
  await fillFromMarkers(execute, registry);
}

/**
 * A registry that lost its table gets every project back from the markers, before anyone can reserve a name that is in use.
 * Forgotten projects stay forgotten.
 */
async function fillFromMarkers(execute: Execute, registry: string): Promise<void> {
  const marked = await execute(markedDatabasesSql);
  for (const row of marked.rows) {
    const reading = readMarker(typeof row['comment'] === 'string' ? row['comment'] : null);
    if (reading.kind === 'none' || reading.marker.registry !== registry || reading.marker.forgottenAt !== null)
      continue;
    const { projectId, name, createdAt } = reading.marker;
    await execute(
      `insert into projects (id, name, database_name, created_at, metadata)
       select $1, $2::text, $3::text, coalesce($4::timestamptz, now()), '{"registrar": {"state": "ready", "rebuilt": true}}'
       where $2::text ~ '^[a-zA-Z0-9_ -]+$' and $3::text ~ '^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$'
       on conflict do nothing`,
      [projectId, name, row['database_name'], Number.isNaN(Date.parse(createdAt)) ? null : createdAt],
    );
  }
}

/** Every database of the server whose comment could be a marker. */
export const markedDatabasesSql = `
  select d.datname as database_name, s.description as comment
  from pg_shdescription s
  join pg_database d on d.oid = s.objoid and d.datconnlimit <> -2
  where s.classoid = 'pg_database'::regclass and s.description like '%"registrar"%'`;
