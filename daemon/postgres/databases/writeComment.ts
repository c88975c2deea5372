import type { CommentChange } from '../../registry/ports.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { commentLock, CommentChanged, setComment } from './commentSql.ts';

/** Sets a database's comment, as `CatalogPort` says. */
export async function writeComment(
  registry: RegistryDatabase,
  change: CommentChange,
): Promise<'done' | 'lost' | 'forbidden'> {
  try {
    const lock = await registry.lockText(commentLock(change.databaseName));
    await registry.transaction(registry.limits.writeMs, (execute) => setComment(execute, lock, change));
    return 'done';
  } catch (error) {
    if (error instanceof CommentChanged) return 'lost';
    const state = sqlState(error);
    if (state === '42501') return 'forbidden';
    // 3D000: dropped meanwhile. XX000 and 23505: somebody else is writing the same comment; what it says is read again.
    if (state === '3D000' || state === 'XX000' || state === '23505') return 'lost';
    throw error;
  }
}
