import { eq } from '../connection/catalogSql.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';

/** Sizes are read from the files, which takes long where there are many: the server stops by itself, too. */
const sizesSql = `
  select datname as name, pg_catalog.pg_database_size(oid) as bytes from pg_catalog.pg_database
  where datname ${eq} any ($1::pg_catalog.name[])
    and (pg_catalog.has_database_privilege(oid, 'connect') or pg_catalog.pg_has_role('pg_read_all_stats', 'usage'))`;

/**
 * The sizes of databases in bytes, by name, in one statement; without those that are gone or closed to this role.
 *
 * @throws RegistrarError REGISTRY_UNREACHABLE when it takes too long, and pg's error when a database is dropped meanwhile
 */
export async function databaseSizes(
  database: RegistryDatabase,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map();
  const limitMs = database.limits.writeMs;
  const rows = await database.transaction(limitMs, async (execute) => {
    await execute(`set local statement_timeout = ${limitMs}`);
    return (await execute(sizesSql, [names])).rows;
  });
  return new Map(rows.map((row) => [String(row['name']), Number(row['bytes'])]));
}
