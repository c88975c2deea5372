import pg from 'pg';
import { eq, ne } from '../connection/catalogSql.ts';

/**
 * Whether the role with this oid owns databases that are believed: this role, one that it is a member of, the
 * configured owner, a superuser, or the owner of the registry's table, who could write anything into it anyway.
 *
 * Membership is what the catalog lists: `pg_has_role` says yes to a superuser for every role, and whoever may create a
 * database could then speak for all projects of a superuser's daemon. A role's own word does not count, although before
 * PostgreSQL 15 it could give it: GRANT mate TO daemon, as mate.
 *
 * @param owner an expression, an oid
 * @param ownerRole `registrar.postgres.ownerRole`, null when it is not set
 * @returns SQL for the registry's database alone: elsewhere a table of that name is anybody's
 */
export function believedSql(owner: string, ownerRole: string | null): string {
  const configured = ownerRole === null ? '' : ` or r.rolname ${eq} ${pg.escapeLiteral(ownerRole)}`;
  return `${owner} ${eq} any (array(
      with recursive mine(role) as (
        select r.oid from pg_catalog.pg_roles r where r.rolname ${eq} any (array[session_user, current_user])
        union
        select m.roleid from pg_catalog.pg_auth_members m
        join mine on m.member ${eq} mine.role and m.grantor ${ne} m.roleid)
      select mine.role from mine
      union all select r.oid from pg_catalog.pg_roles r where r.rolsuper${configured}
      union all select c.relowner from pg_catalog.pg_class c
                where c.oid ${eq} pg_catalog.to_regclass('public.projects')))`;
}
