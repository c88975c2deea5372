import type pg from 'pg';

/** Gives a row where new databases let everybody make tables, which PostgreSQL does up to 14, and this role may end it. */
export const opensPublicSql = `
  select from pg_catalog.pg_roles me
  where me.rolname OPERATOR(pg_catalog.=) current_user and me.rolsuper
    and pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 150000`;

/**
 * Makes schema `public` of a database that was just made what it is from PostgreSQL 15 on: the database's owner may make
 * tables there, everybody else may not, the agents' role among them. Without a superuser it stays as it is.
 */
export async function closePublicSchema(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(`${opensPublicSql} and pg_catalog.to_regnamespace('public') is not null`);
  if (rowCount === 0) return;
  await client.query('alter schema public owner to pg_database_owner');
  await client.query('revoke create on schema public from public');
}
