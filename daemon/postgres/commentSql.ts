import type { CommentChange } from '../registry/ports.ts';
import { identifier, literal, projectSql, type ProjectSql } from './projectSql.ts';

/** COMMENT takes no parameters, so name and text are quoted here; it works from any database and rolls back. */
export function commentSql({ databaseName, comment }: CommentChange): ProjectSql {
  return projectSql`comment on database ${identifier(databaseName)} is ${literal(comment)}`;
}
