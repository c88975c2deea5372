import type { Client } from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { PostgresAddress } from '../address/address.ts';
import type { HostPort } from '../address/addressParts.ts';
import { connectReached } from './connect.ts';
import { connectionBroke, unreachableFor } from '../registry/registryFaults.ts';
import { isConnectionLoss } from './sqlErrors.ts';

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
 * @param work is told which host of the address answered
 * @returns what `work` returned
 *
 * Throws what `connectClient` throws, pg's error for refused SQL, and REGISTRY_UNREACHABLE when the connection breaks or the
 * limit is over.
 */
export async function withConnection<T>(
  address: PostgresAddress,
  database: string,
  limits: DirectLimits,
  work: (client: Client, host: HostPort) => Promise<T>,
): Promise<T> {
  const { client, host } = await connectReached(address, database, { timeoutMs: limits.connectMs });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      client.connection.stream.destroy();
      reject(unreachableFor(`a request to database ${database}`, limits.workMs));
    }, limits.workMs);
  });
  try {
    return await Promise.race([work(client, host), limit]);
  } catch (error) {
    if (error instanceof RegistrarError || !isConnectionLoss(error)) throw error;
    throw connectionBroke(error);
  } finally {
    clearTimeout(timer);
    await closeClient(client);
  }
}

/** Closes a connection. A server that stopped answering never confirms the goodbye, so it gets a limit. */
export async function closeClient(client: Client): Promise<void> {
  const timer = setTimeout(() => {
    client.connection.stream.destroy();
  }, goodbyeMs);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
}
