import { RegistrarError } from '../../protocol/registrarError.ts';
import type { PostgresAddress } from '../address/address.ts';
import { connectClient } from './connect.ts';
import { closeClient, untilSilent } from './directConnection.ts';

/** What a server showed while another request of ours waits for it; `none`: it did not answer at all. */
export type ServerSign = 'none' | 'slow' | 'locked';

/** Whether anybody waits for a lock in this database. */
const waitingSql = `
  select exists (
    select from pg_catalog.pg_locks l
    join pg_catalog.pg_database d on d.oid OPERATOR(pg_catalog.=) l.database
    where not l.granted and d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
  ) as locked`;

/**
 * Asks a server over a separate connection whether it is there: on the one that waits, a lock and a cut cable look
 * alike. Never rejects.
 *
 * @param timeoutMs for all of it
 */
export async function askServer(address: PostgresAddress, database: string, timeoutMs: number): Promise<ServerSign> {
  let client: Awaited<ReturnType<typeof connectClient>>;
  try {
    client = await connectClient(address, database, { timeoutMs });
  } catch (error) {
    // A server that refuses is there.
    return error instanceof RegistrarError && error.code === 'REGISTRY_UNREACHABLE' ? 'none' : 'slow';
  }
  const ask = () => client.query<{ locked: boolean }>(waitingSql);
  try {
    const { rows } = await untilSilent(client, timeoutMs, ask);
    return rows[0]?.locked === true ? 'locked' : 'slow';
  } catch {
    return 'none';
  } finally {
    await closeClient(client).catch(() => undefined);
  }
}

/** REGISTRY_BUSY: the server is there, and what was asked waited in vain. */
export function tooBusy(label: string, timeoutMs: number, sign: ServerSign): RegistrarError {
  const why = sign === 'locked' ? 'locked by another session' : 'it is slow';
  return new RegistrarError({
    code: 'REGISTRY_BUSY',
    message: `Waited ${timeoutMs / 1000} s for the registry on ${label} (${why}).`,
    hint: 'Try again. If it keeps happening, pg_stat_activity shows who holds the lock or keeps the server busy.',
    details: { reason: 'timeout', timeoutMs, sign },
  });
}
