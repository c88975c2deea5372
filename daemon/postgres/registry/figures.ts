import type { DatabaseFacts } from '../../protocol/control.ts';
import { inProjectDatabase } from '../connection/projectConnection.ts';
import { projectSql } from '../connection/projectSql.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import { sqlState } from '../connection/sqlErrors.ts';

const factsSql = projectSql`
  select pg_database_size(current_database())::float8 as bytes,
         (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p') and not c.relispartition
            and n.nspname <> 'information_schema' and n.nspname !~ '^pg_') as tables`;

/** Size and tables of one database, over a connection of its own. Throws what `inProjectDatabase` throws. */
export async function databaseFacts(registry: RegistryDatabase, databaseName: string): Promise<DatabaseFacts> {
  const { lookMs, writeMs } = registry.limits;
  const limits = { connectMs: lookMs, workMs: writeMs, access: 'read only' } as const;
  return inProjectDatabase(registry, databaseName, limits, async (connection) => {
    const [facts] = await connection.run<DatabaseFacts>(factsSql);
    return { bytes: facts?.bytes ?? 0, tables: facts?.tables ?? 0 };
  });
}

/** How many projects the registry has; 0 while it has no table. Throws REGISTRY_UNREACHABLE and pg's errors. */
export async function countProjects(registry: RegistryDatabase): Promise<number> {
  try {
    const query = {
      name: 'countProjects',
      text: 'select pg_catalog.count(*)::int as projects from public.projects',
      values: [],
    };
    const [row] = await registry.read(query, registry.limits.writeMs);
    return Number(row?.['projects'] ?? 0);
  } catch (error) {
    if (sqlState(error) === '42P01') return 0;
    throw error;
  }
}
