import { believedSql } from './believedOwners.ts';
import { eq, gt, ne } from './catalogSql.ts';
import type { Execute } from './transaction.ts';
import { readMarker } from '../registry/marker.ts';

interface Migration {
  number: number;
  name: string;
  apply: (execute: Execute, registry: string, ownerRole: string | null) => Promise<void>;
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
 * @param ownerRole `registrar.postgres.ownerRole`, null when it is not set
 */
export async function migrate(execute: Execute, registry: string, ownerRole: string | null): Promise<void> {
  await execute(`select pg_catalog.pg_advisory_xact_lock('x${lockKey.slice(2)}'::bit(64)::bigint)`);
  const found = await execute(`select pg_catalog.to_regclass('public.projects') is not null as projects,
                                      pg_catalog.to_regclass('public.registrar_migrations') is not null as migrations`);
  const hasProjects = found.rows[0]?.['projects'] === true;
  if (found.rows[0]?.['migrations'] !== true) {
    // A codebase-mcp registry stays without it until there is something to record.
    if (hasProjects) return;
    await execute(`create table public.registrar_migrations (
      number integer primary key, name pg_catalog.text not null,
      applied_at timestamp with time zone not null default pg_catalog.now())`);
  }
  // A lost table is made again whatever the records say.
  if (!hasProjects) await execute(`delete from public.registrar_migrations where number ${eq} 1`);
  const applied = await execute('select number from public.registrar_migrations');
  const numbers = new Set(applied.rows.map((row) => row['number']));
  for (const migration of migrations) {
    if (numbers.has(migration.number)) continue;
    await migration.apply(execute, registry, ownerRole);
    await execute('insert into public.registrar_migrations (number, name) values ($1, $2)', [
      migration.number,
      migration.name,
    ]);
  }
}

async function createProjects(execute: Execute, registry: string, ownerRole: string | null): Promise<void> {
  await execute(`create table public.projects (
    id pg_catalog.uuid primary key default pg_catalog.gen_random_uuid(),
    name varchar(255) unique not null,
    description pg_catalog.text,
    database_name varchar(255) unique not null,
    created_at timestamp with time zone not null default pg_catalog.now(),
    updated_at timestamp with time zone not null default pg_catalog.now(),
    metadata pg_catalog.jsonb default '{}'::pg_catalog.jsonb,
    constraint valid_database_name check (database_name operator(pg_catalog.~) '^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$'),
    constraint valid_name check (name operator(pg_catalog.~) '^[a-zA-Z0-9_ -]+$'))`);
  await execute('create index idx_projects_metadata on public.projects using gin (metadata pg_catalog.jsonb_path_ops)');
  await fillFromMarkers(execute, registry, ownerRole);
}

/**
 * A registry that lost its table gets every project back from the markers, before anyone can reserve a name that is in use.
 * Forgotten projects stay forgotten, and markers of strangers do not count.
 */
async function fillFromMarkers(execute: Execute, registry: string, ownerRole: string | null): Promise<void> {
  const marked = await execute(markedDatabasesSql(ownerRole));
  for (const row of marked.rows) {
    if (row['is_believed'] !== true) continue;
    const reading = readMarker(typeof row['comment'] === 'string' ? row['comment'] : null);
    if (reading.kind === 'none' || reading.marker.registry !== registry || reading.marker.forgottenAt !== null)
      continue;
    const { projectId, name, createdAt, evidence: hashes = [] } = reading.marker;
    // What the marker keeps of the evidence is enough for the clones of its repository to be known again.
    const evidence = hashes.length === 0 ? {} : { evidence: { origins: [], folder: null, claims: [], hashes } };
    const metadata = { registrar: { state: 'ready', rebuilt: true, ...evidence } };
    await execute(
      `insert into public.projects (id, name, database_name, created_at, metadata)
       select $1, $2::pg_catalog.text, $3::pg_catalog.text, coalesce($4::timestamp with time zone, pg_catalog.now()),
              $5::pg_catalog.jsonb
       where $2::pg_catalog.text operator(pg_catalog.~) '^[a-zA-Z0-9_ -]+$'
         and $3::pg_catalog.text operator(pg_catalog.~) '^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$'
       on conflict do nothing`,
      [
        projectId,
        name,
        row['database_name'],
        Number.isNaN(Date.parse(createdAt)) ? null : createdAt,
        JSON.stringify(metadata),
      ],
    );
  }
}

/** Every database of the server whose comment could be a marker, with its owner and whether that one is believed. */
export const markedDatabasesSql = (ownerRole: string | null): string => `
  select d.datname as database_name, s.description as comment, o.rolname as owner,
         ${believedSql('d.datdba', ownerRole)} as is_believed
  from pg_catalog.pg_shdescription s
  join pg_catalog.pg_database d on d.oid ${eq} s.objoid and d.datconnlimit ${ne} -2
  left join pg_catalog.pg_roles o on o.oid ${eq} d.datdba
  where s.classoid ${eq} 'pg_catalog.pg_database'::pg_catalog.regclass and pg_catalog.strpos(s.description, '"registrar"') ${gt} 0`;
