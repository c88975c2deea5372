import { parseAddress } from '../../daemon/postgres/address/address.ts';
import type { PostgresAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { testServer } from './testServer.ts';

/** The test server's address, with parts replaced; nothing of this machine's environment counts. */
export async function serverAddress(changes: Partial<PostgresAddress> = {}): Promise<PostgresAddress> {
  const { url } = await testServer();
  return { ...parseAddress(url, {}, localSurroundings()), ...changes };
}

/** An address for this URL, independent of this machine's environment. */
export function addressOf(url: string): PostgresAddress {
  return parseAddress(url, {}, localSurroundings());
}
