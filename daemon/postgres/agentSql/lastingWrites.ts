import type { ProjectConnection } from '../connection/projectConnection.ts';
import { listed, literal, projectSql, quotedByServer, type ProjectSql } from '../connection/projectSql.ts';

/** Its messages reach the write-ahead log, and whoever decodes it, also when the transaction is rolled back. */
const messages = ['pg_logical_emit_message'];
/** Before PostgreSQL 16 a read-only transaction lets them write: rolled back, they leave dead rows and log. */
const largeObjects = [
  'lo_creat',
  'lo_create',
  'lo_from_bytea',
  'lo_put',
  'lo_truncate',
  'lo_truncate64',
  'lo_unlink',
  'lowrite',
];

const literals = (names: readonly string[]): ProjectSql => listed(names.map(literal));

/** The system's functions whose effect a rollback of a read-only transaction does not undo. */
const lastingFunctions = projectSql`
  pg_catalog.pg_proc p where p.pronamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
    and (p.proname OPERATOR(pg_catalog.=) any (array[${literals(messages)}]::pg_catalog.name[])
         or p.proname OPERATOR(pg_catalog.=) any (array[${literals(largeObjects)}]::pg_catalog.name[])
            and pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 160000)`;

/** Those that the session's role may call, as REVOKE takes them, in an array; null when there are none. */
export const lastingWritesSql = projectSql`
  select pg_catalog.array_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text order by p.oid) from ${lastingFunctions}
    and pg_catalog.has_function_privilege(p.oid, 'EXECUTE')`;

/**
 * Those that everybody may call and whose owner this role is. Roles of an app that keep large objects go on with them: what
 * belongs to somebody else than the database's owner or a superuser shows that there are some.
 */
const closableSql = projectSql`
  select pg_catalog.format('pg_catalog.%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) as signature
  from ${lastingFunctions}
    and pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE') and pg_catalog.pg_has_role(p.proowner, 'USAGE')
    and (p.proname OPERATOR(pg_catalog.=) any (array[${literals(messages)}]::pg_catalog.name[]) or not exists (
      select from pg_catalog.pg_largeobject_metadata l
      join pg_catalog.pg_roles r on r.oid OPERATOR(pg_catalog.=) l.lomowner and not r.rolsuper
      join pg_catalog.pg_database d on d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
      where d.datdba OPERATOR(pg_catalog.<>) l.lomowner))`;

/**
 * Revokes them from everybody but superusers and the database's owner, usually the app, in this connection's database.
 * Only a superuser can; for other roles nothing changes, and `lastingWritesSql` keeps naming them.
 */
export async function closeLastingWrites(connection: ProjectConnection): Promise<void> {
  const rows = await connection.run<{ signature: string }>(closableSql);
  if (rows.length === 0) return;
  const functions = listed(rows.map(({ signature }) => quotedByServer(signature)));
  await connection.run(projectSql`grant execute on function ${functions} to pg_database_owner`);
  await connection.run(projectSql`revoke execute on function ${functions} from public`);
}
