import pg from 'pg';
import { believedSql } from '../databases/believedOwners.ts';
import { eq, gt, ne } from '../connection/catalogSql.ts';
import type { Execute } from '../connection/transaction.ts';
import { readMarker } from '../../registry/marker.ts';

interface Migration {
  number: number;
  name: string;
  apply: (execute: Execute, registry: string, ownerRole: string | null) => Promise<void>;
}

/** Additive only: an older Registrar must keep working with a newer one on the same registry. */
const migrations: readonly Migration[] = [
  { number: 1, name: 'projects', apply: createProjects },
  { number: 2, name: 'events', apply: createEvents },
];

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
  // `to_regclass` may answer from what this session remembers, which the wait for the lock does not refresh: the catalog itself
  // shows what whoever had the lock has committed.
  const found = await execute(`
    select coalesce(pg_catalog.bool_or(c.relname ${eq} 'projects'), false) as projects,
           coalesce(pg_catalog.bool_or(c.relname ${eq} 'registrar_migrations'), false) as migrations,
           coalesce(pg_catalog.bool_or(c.relname ${eq} 'registrar_events'), false) as events
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid ${eq} c.relnamespace
    where n.nspname ${eq} 'public'`);
  const hasProjects = found.rows[0]?.['projects'] === true;
  if (found.rows[0]?.['migrations'] !== true) {
    await execute(`create table public.registrar_migrations (
      number integer primary key, name pg_catalog.text not null,
      applied_at timestamp with time zone not null default pg_catalog.now())`);
    // Version 0.1 makes the table where no number 1 is recorded.
    if (hasProjects) await execute(`insert into public.registrar_migrations (number, name) values (1, 'codebase-mcp')`);
  }
  // A lost table is created again, whatever the records say.
  if (!hasProjects) await execute(`delete from public.registrar_migrations where number ${eq} 1`);
  if (found.rows[0]?.['events'] !== true || !hasProjects)
    await execute(`delete from public.registrar_migrations where number ${eq} 2`);
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
 * Who did what to which project. Members can only add rows, and the server records who did it: members may not write
 * that column. Where Registrar made the registry, a project's database may have any name from here on.
 */
async function createEvents(execute: Execute): Promise<void> {
  await execute(`create table if not exists public.registrar_events (
    id bigint generated always as identity primary key,
    at timestamp with time zone not null default pg_catalog.now(),
    actor pg_catalog.text not null default session_user,
    host pg_catalog.text,
    operation pg_catalog.text not null,
    project_id pg_catalog.uuid,
    name pg_catalog.text,
    database_name pg_catalog.text,
    details pg_catalog.jsonb not null default '{}')`);
  await execute('create index if not exists registrar_events_project_id on public.registrar_events (project_id)');
  await execute('create index if not exists registrar_events_name on public.registrar_events (name)');
  const [owners] = (
    await execute(`select p.rolname as projects, e.rolname as events
      from pg_catalog.pg_class c join pg_catalog.pg_roles p on p.oid ${eq} c.relowner,
           pg_catalog.pg_class v join pg_catalog.pg_roles e on e.oid ${eq} v.relowner
      where c.oid ${eq} 'public.projects'::pg_catalog.regclass
        and v.oid ${eq} 'public.registrar_events'::pg_catalog.regclass`)
  ).rows;
  if (owners?.['projects'] !== owners?.['events'])
    await execute(`alter table public.registrar_events owner to ${pg.escapeIdentifier(String(owners?.['projects']))}`);
  await grantAsOnProjects(execute);
  const [first] = (await execute(`select name from public.registrar_migrations where number ${eq} 1`)).rows;
  if (first?.['name'] !== 'projects') return;
  // Everybody's lookups wait behind this statement, so it does not wait long for a drop that holds its row.
  await execute(`set local lock_timeout = '2s'`);
  await execute('alter table public.projects drop constraint if exists valid_database_name');
}

/** What members write of an event; the server writes the rest. */
export const memberColumns = 'host, operation, project_id, name, database_name, details';

/** Whoever reads the projects reads their events; whoever adds projects adds events. */
async function grantAsOnProjects(execute: Execute): Promise<void> {
  const granted = await execute(`
    select distinct coalesce(pg_catalog.quote_ident(r.rolname), 'public') as grantee, a.privilege_type as privilege
    from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    left join pg_catalog.pg_roles r on r.oid ${eq} a.grantee
    where c.oid ${eq} 'public.projects'::pg_catalog.regclass and a.grantee ${ne} c.relowner
      and a.privilege_type ${eq} any (array['SELECT', 'INSERT'])`);
  for (const { grantee, privilege } of granted.rows) {
    const what = privilege === 'INSERT' ? `insert (${memberColumns})` : 'select';
    await execute(`grant ${what} on public.registrar_events to ${String(grantee)}`);
  }
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
