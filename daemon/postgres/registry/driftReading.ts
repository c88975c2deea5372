import type { NamedDatabase, Sighting } from '../../registry/model.ts';
import { believedSql } from '../databases/believedOwners.ts';
import { commentsJoinSql, eq, gt, interruptedSql } from '../connection/catalogSql.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import { asked, notARegistry, registryForbidden } from './registryFaults.ts';
import { sightingOf } from './sightingSql.ts';
import { saidBy, sqlState } from '../connection/sqlErrors.ts';

/** The registry and the server's databases at one instant. */
export interface RegistryReading {
  rows: Sighting[];
  /** Those that are marked, or named like a project's. */
  databases: NamedDatabase[];
}

/** ISO 8601, made by the server: two hundred thousand times that are parsed and written again take longer than all else. */
function iso(column: string): string {
  return `pg_catalog.to_char(${column}::timestamp with time zone at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * Rows and databases in one statement, so in one snapshot: read one after the other, a project that is made or forgotten in
 * between would look like an orphan.
 */
const driftSql = (ownerRole: string | null): string => `
  select p.id, p.name, p.database_name, p.description, ${iso('p.created_at')} as created_at,
         ${iso('p.updated_at')} as updated_at, p.metadata,
         d.datname, d.datname is not null as present, coalesce(${interruptedSql}, false) as interrupted, d.comment, d.owner, d.is_believed
  from public.projects p
  full join (
    select d.datname, d.datconnlimit, s.description as comment, o.rolname as owner,
           ${believedSql('d.datdba', ownerRole)} as is_believed
    from pg_catalog.pg_database d
    left join pg_catalog.pg_roles o on o.oid ${eq} d.datdba
    ${commentsJoinSql}
    where pg_catalog.starts_with(d.datname::pg_catalog.text, 'cb_proj_')
       or pg_catalog.strpos(s.description, '"registrar"') ${gt} 0
  ) d on d.datname ${eq} p.database_name::pg_catalog.name
  order by p.id`;

/**
 * Reads everything that drift is about from the server, in one statement however many projects there are. A registry that
 * lost its table is first filled from the markers.
 *
 * @throws RegistrarError REGISTRY_UNREACHABLE, CREDENTIALS_REQUIRED, REGISTRY_FORBIDDEN, REGISTRY_SCHEMA
 */
export async function readRegistry(database: RegistryDatabase): Promise<RegistryReading> {
  const read = (): Promise<Row[]> =>
    database.read({ name: 'drift', text: driftSql(database.ownerRole), values: [] }, database.limits.provisionMs);
  try {
    return readingOf(await read().catch(migratedOr(database, read)));
  } catch (error) {
    const state = sqlState(error);
    if (state === '42501') throw registryForbidden(asked.read, database.role, database.name);
    if (state === '42703' || state === '42804' || state === '42883') {
      throw notARegistry(database.name, error instanceof Error ? saidBy(error) : 'its columns differ');
    }
    throw error;
  }
}

function migratedOr(database: RegistryDatabase, read: () => Promise<Row[]>): (error: unknown) => Promise<Row[]> {
  return async (error) => {
    if (sqlState(error) !== '42P01') throw error;
    await database.migrate();
    return read();
  };
}

function readingOf(rows: Row[]): RegistryReading {
  const databases = new Map<string, NamedDatabase>();
  const sightings: Sighting[] = [];
  for (const row of rows) {
    if (row['id'] !== null) sightings.push(sightingOf(row));
    const databaseName = row['datname'];
    if (typeof databaseName !== 'string') continue;
    databases.set(databaseName, {
      databaseName,
      presence: row['interrupted'] === true ? 'interrupted' : 'present',
      comment: typeof row['comment'] === 'string' ? row['comment'] : null,
      owner: typeof row['owner'] === 'string' ? row['owner'] : null,
      isOwnerBelieved: row['is_believed'] === true,
    });
  }
  return { rows: sightings, databases: [...databases.values()] };
}
