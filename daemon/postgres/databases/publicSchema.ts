import type { ProjectConnection } from '../connection/projectConnection.ts';
import { projectSql } from '../connection/projectSql.ts';

/**
 * Returns a row if new databases let everybody create tables, as PostgreSQL does up to 14, and this role may change
 * that.
 */
export const opensPublicSql = projectSql`
  select from pg_catalog.pg_roles me
  where me.rolname OPERATOR(pg_catalog.=) current_user and me.rolsuper
    and pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 150000`;

/**
 * Makes schema `public` of a database that was just made what it is from PostgreSQL 15 on: the database's owner may make
 * tables there, everybody else may not, the agents' role among them. Without a superuser it stays as it is.
 */
export async function closePublicSchema(connection: ProjectConnection): Promise<void> {
  const rows = await connection.run(projectSql`${opensPublicSql} and pg_catalog.to_regnamespace('public') is not null`);
  if (rows.length === 0) return;
  await connection.run(projectSql`alter schema public owner to pg_database_owner`);
  await connection.run(projectSql`revoke create on schema public from public`);
}
