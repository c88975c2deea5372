import pg from 'pg';

import type { BundledAddress } from '../../daemon/embedded/bundledServerOptions.ts';

/** Logs in and returns the server's data folder; null when nobody answers within the limit (ms) or it refuses. */
export async function probe(address: BundledAddress, timeoutMs: number): Promise<string | null> {
  const client = new pg.Client({
    ...address,
    database: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // A server that goes down under the probe is an answer, not a crash of the test.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return rows[0]?.data_directory ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}
