import type { CommentChange } from '../../registry/ports.ts';
import { commentsJoinSql, eq } from '../connection/catalogSql.ts';
import { identifier, literal, projectSql, type ProjectSql } from '../connection/projectSql.ts';
import type { Execute } from '../connection/transaction.ts';
import { takeLockSql } from '../registry/registryLock.ts';

/** COMMENT takes no parameters, so name and text are quoted here; it works from any database and rolls back. */
export function commentSql({ databaseName, comment }: CommentChange): ProjectSql {
  return projectSql`comment on database ${identifier(databaseName)} is ${literal(comment)}`;
}

/** Of the registry's locks, the one that whoever sets this database's comment holds. */
export function commentLock(databaseName: string): string {
  return `comment of ${databaseName}`;
}

const seenSql = `select s.description from pg_catalog.pg_database d ${commentsJoinSql} where d.datname ${eq} $1`;

/** Rolls back a change whose database is gone, or has another comment by now than the one that was seen. */
export class CommentChanged extends Error {}

/**
 * Sets a comment in an open transaction, over no other comment than the one that was seen. Daemons of one registry do so one
 * after the other: whoever waited for the lock sees what the one before has committed.
 *
 * @param lock what `RegistryDatabase.lockText` makes of `commentLock`
 * @throws CommentChanged, upon which the caller rolls back
 */
export async function setComment(execute: Execute, lock: string, change: CommentChange): Promise<void> {
  const { databaseName, seen, comment } = change;
  await execute(takeLockSql, [lock]);
  const [found] = (await execute(seenSql, [databaseName])).rows;
  const before = found?.['description'] ?? null;
  if (!found || (before !== seen && before !== comment)) throw new CommentChanged();
  await execute(commentSql(change));
  // PostgreSQL only warns about a COMMENT on a database that was dropped meanwhile.
  if ((await execute(seenSql, [databaseName])).rows.length === 0) throw new CommentChanged();
}
