import type { CommentChange } from '../../registry/ports.ts';
import { eq } from '../connection/catalogSql.ts';
import { identifier, literal, projectSql, type ProjectSql } from '../connection/projectSql.ts';

/** COMMENT takes no parameters, so name and text are quoted here; it works from any database and rolls back. */
export function commentSql({ databaseName, comment }: CommentChange): ProjectSql {
  return projectSql`comment on database ${identifier(databaseName)} is ${literal(comment)}`;
}

/**
 * For PostgreSQL, COMMENT on a database that does not exist is a warning and not an error, so callers that need the
 * comment check the database afterwards.
 */
export const isThereSql = `select from pg_catalog.pg_database d where d.datname ${eq} $1`;
