import type { Client } from 'pg';
import type { PostgresAddress } from '../address/address.ts';
import { eq } from './catalogSql.ts';
import { connectClient } from './connect.ts';
import { sqlState } from './sqlErrors.ts';

/** What connecting to an address revealed. */
export interface PostgresFacts {
  version: string;
  role: string;
  mayCreateDatabases: boolean;
  registry: string;
}

/**
 * Connects once and reports what it finds; creates nothing.
 *
 * @throws RegistrarError as `connectClient` does
 */
export async function tryPostgres(address: PostgresAddress): Promise<PostgresFacts> {
  const client = await connectAnywhere(address);
  try {
    const result = await client.query<{ version: string; role: string; creates: boolean }>(
      `select pg_catalog.current_setting('server_version') as version, current_user as role, rolcreatedb or rolsuper as creates
       from pg_catalog.pg_roles where rolname ${eq} current_user`,
    );
    const row = result.rows[0];
    return {
      version: row?.version ?? 'unknown',
      role: row?.role ?? address.user,
      mayCreateDatabases: row?.creates ?? false,
      registry: address.registryDatabase,
    };
  } finally {
    await client.end();
  }
}

/** The registry's database may not exist yet. */
async function connectAnywhere(address: PostgresAddress): Promise<Client> {
  try {
    return await connectClient(address, address.registryDatabase, { timeoutMs: 5000 });
  } catch (error) {
    if (sqlState(error) !== '3D000') throw error;
    return connectClient(address, 'postgres', { timeoutMs: 5000 });
  }
}
