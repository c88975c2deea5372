import type pg from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { borrowClient, distrustIdle } from './pool.ts';
import { connectionBroke, unreachableFor } from '../registry/registryFaults.ts';
import { isConnectionLoss } from './sqlErrors.ts';
import { withLimit } from '../../time/withLimit.ts';

export type Execute = (text: string, values?: unknown[]) => Promise<pg.QueryResult<Record<string, unknown>>>;

/**
 * Runs `work` in one transaction on one connection of the pool and commits when it returns; a throw rolls back.
 * A connection on which anything went wrong is closed and not reused, since its state is unknown.
 *
 * @param timeoutMs limit for the whole transaction; past it the connection is destroyed, which the server rolls back
 * @throws RegistrarError REGISTRY_UNREACHABLE when the connection breaks or the limit is over, pg's error for refused SQL
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  timeoutMs: number,
  work: (execute: Execute) => Promise<T>,
): Promise<T> {
  const client = await borrowClient(pool, timeoutMs);
  const execute: Execute = (text, values = []) => client.query<Record<string, unknown>>(text, values);
  const whole = async (): Promise<T> => {
    await execute('begin');
    const result = await work(execute);
    await execute('commit');
    return result;
  };
  try {
    const result = await withLimit(timeoutMs, whole(), () => {
      throw unreachableFor('a transaction', timeoutMs);
    });
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    if (isConnectionLoss(error)) distrustIdle(pool);
    if (error instanceof RegistrarError || !isConnectionLoss(error)) throw error;
    throw connectionBroke(error);
  }
}
