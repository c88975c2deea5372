import type { Client } from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { PostgresAddress } from '../address/address.ts';
import type { HostPort } from '../address/addressParts.ts';
import { connectReached } from './connect.ts';
import { connectionBroke, unreachableFor } from '../registry/registryFaults.ts';
import { isConnectionLoss } from './sqlErrors.ts';
import { cutAfter, withLimit } from '../../time/withLimit.ts';

export interface DirectLimits {
  /** For opening the connection, ms. */
  connectMs: number;
  /** For all that is done on it, ms; past it the connection is destroyed, and what it was doing may still take effect. */
  workMs: number;
}

/** How long a connection may take to say goodbye before its socket is destroyed, ms. */
const goodbyeMs = 1000;

/**
 * Runs `work` on a connection of its own to one database, and closes it.
 *
 * @param work gets the host of the address that answered
 * @returns what `work` returned
 *
 * Throws what `connectClient` throws, pg's error for refused SQL, and REGISTRY_UNREACHABLE when the connection breaks
 * or the limit is over.
 */
export async function withConnection<T>(
  address: PostgresAddress,
  database: string,
  limits: DirectLimits,
  work: (client: Client, host: HostPort) => Promise<T>,
): Promise<T> {
  const { client, host } = await connectReached(address, database, { timeoutMs: limits.connectMs });
  const late = (): never => {
    client.connection.stream.destroy();
    throw unreachableFor(`a query of database ${database}`, limits.workMs);
  };
  try {
    return await withLimit(limits.workMs, work(client, host), late);
  } catch (error) {
    if (error instanceof RegistrarError || !isConnectionLoss(error)) throw error;
    throw connectionBroke(error);
  } finally {
    await closeClient(client);
  }
}

/** Closes a connection. A server that stopped answering never confirms the goodbye, so it gets a limit. */
export async function closeClient(client: Client): Promise<void> {
  await untilSilent(client, goodbyeMs, () => client.end());
}

/**
 * Does the work on a connection whose server may stop answering: the connection is destroyed after `limitMs`, so that
 * the wait ends.
 */
export function untilSilent<T>(client: Client, limitMs: number, work: () => Promise<T>): Promise<T> {
  return cutAfter(limitMs, () => client.connection.stream.destroy(), work);
}
