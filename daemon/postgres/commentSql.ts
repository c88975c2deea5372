import pg from 'pg';
import type { CommentChange } from '../registry/ports.ts';

/** COMMENT takes no parameters, so name and text are quoted here; it works from any database and rolls back. */
export function commentSql({ databaseName, comment }: CommentChange): string {
  return `comment on database ${pg.escapeIdentifier(databaseName)} is ${pg.escapeLiteral(comment)}`;
}
