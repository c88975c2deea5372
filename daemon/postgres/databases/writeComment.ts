import type { CommentChange } from '../../registry/ports.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { commentSql, isThereSql } from './commentSql.ts';

/** Sets a database's comment, as `CatalogPort` says. */
export async function writeComment(
  registry: RegistryDatabase,
  change: CommentChange,
): Promise<'done' | 'lost' | 'forbidden'> {
  const { writeMs } = registry.limits;
  try {
    await registry.query({ text: commentSql(change), values: [] }, writeMs);
    const there = await registry.query({ text: isThereSql, values: [change.databaseName] }, writeMs);
    return there.length > 0 ? 'done' : 'lost';
  } catch (error) {
    const state = sqlState(error);
    if (state === '42501') return 'forbidden';
    // 3D000: dropped meanwhile. XX000 and 23505: somebody else is writing the same comment; what it says is read again.
    if (state === '3D000' || state === 'XX000' || state === '23505') return 'lost';
    throw error;
  }
}
