import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import type { DropObstacle } from '../../registry/ports.ts';
import { eq, ne } from '../connection/catalogSql.ts';
import type { Row } from '../registry/registryDatabase.ts';

/**
 * What DROP DATABASE … WITH (FORCE) refuses: a template, a slot in use, a subscription, prepared transactions, and sessions
 * that this role may not end. Those of a superuser only a superuser ends.
 */
export const obstaclesSql = `
  select d.datistemplate as is_template, current_user as role,
    array(select s.slot_name::pg_catalog.text from pg_catalog.pg_replication_slots s
          where s.database ${eq} d.datname and s.active) as slots,
    array(select s.subname::pg_catalog.text from pg_catalog.pg_subscription s where s.subdbid ${eq} d.oid) as subscriptions,
    array(select x.gid from pg_catalog.pg_prepared_xacts x where x.database ${eq} d.datname) as prepared,
    array(select pg_catalog.concat(r.rolname, ' (', coalesce(a.application_name, ''), ')')
          from pg_catalog.pg_stat_activity a join pg_catalog.pg_roles r on r.oid ${eq} a.usesysid
          where a.datid ${eq} d.oid and a.pid ${ne} pg_catalog.pg_backend_pid()
            and not m.rolsuper and (r.rolsuper or not (
              pg_catalog.pg_has_role(current_user, r.oid, 'USAGE')
              or pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE')))) as sessions
  from pg_catalog.pg_database d join pg_catalog.pg_roles m on m.rolname ${eq} current_user
  where d.datname ${eq} $1`;

/** `mayPass`: it is somebody's session, which may be about to end. */
export interface SeenObstacle extends DropObstacle {
  mayPass?: true;
}

/** The first obstacle, with what helps; null if there is none. */
export function obstacleIn(row: Row | undefined, databaseName: string): SeenObstacle | null {
  if (!row) return null;
  const list = (column: string): string[] => (Array.isArray(row[column]) ? row[column].map(String) : []);
  const [sessions, prepared, slots, subscriptions] = [
    list('sessions'),
    list('prepared'),
    list('slots'),
    list('subscriptions'),
  ];
  const database = sqlIdentifier(databaseName);
  const role = String(row['role']);
  if (row['is_template'] === true)
    return { what: 'it is a template', hint: `As its owner: ALTER DATABASE ${database} IS_TEMPLATE false;` };
  if (prepared.length > 0)
    return {
      what: `transactions are prepared in it: ${prepared.map(named).join(', ')}`,
      hint: 'In that database: COMMIT PREPARED or ROLLBACK PREPARED, as whoever prepared them.',
    };
  if (slots.length > 0)
    return {
      what: `logical replication slots of it are in use: ${slots.map(named).join(', ')}`,
      hint: 'Stop whoever reads them, then: SELECT pg_drop_replication_slot(NAME);',
      mayPass: true,
    };
  if (subscriptions.length > 0)
    return {
      what: `it has subscriptions: ${subscriptions.map(named).join(', ')}`,
      hint: 'In that database: DROP SUBSCRIPTION NAME;',
    };
  if (sessions.length > 0)
    return {
      what: `role ${named(role)} may not end the sessions in it: ${sessions.map(named).join(', ')}`,
      hint: `Ask them to disconnect; or, as a superuser: GRANT pg_signal_backend TO ${sqlIdentifier(role)}; (which does not cover superusers' sessions)`,
      mayPass: true,
    };
  return null;
}
