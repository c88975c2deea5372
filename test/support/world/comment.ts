import { commentLock } from '../../../daemon/postgres/databases/commentSql.ts';
import type { CommentChange } from '../../../daemon/registry/ports.ts';
import type { Statement, WorldClient } from './client.ts';
import type { Holder } from './locks.ts';
import type { WorldServer } from './server.ts';

/** The lock of whoever sets this database's comment. */
export function takeCommentLock({ locks }: WorldServer, databaseName: string, holder: Holder): Promise<void> {
  return locks.take(`only ${commentLock(databaseName)}`, holder);
}

/** Rolls a change back, as the class of the same name in `daemon/postgres/databases/commentSql.ts` does. */
export class CommentChanged extends Error {}

/**
 * Sets a comment in an open transaction, over no other comment than the one that was seen, while no other daemon sets this
 * database's.
 */
export async function setComment(client: WorldClient, execute: Statement, change: CommentChange): Promise<void> {
  const { server, role } = client;
  const { databaseName, seen, comment } = change;
  await execute('comment-lock', (holder) => takeCommentLock(server, databaseName, holder));
  await execute('comment-seen', () => {
    const before = server.databases.get(databaseName)?.comment;
    if (before === undefined || (before !== seen && before !== comment)) throw new CommentChanged();
  });
  await execute('comment', (transaction) => server.comment(transaction, role, databaseName, comment));
}
