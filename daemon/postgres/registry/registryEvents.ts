import type { ListedEvent } from '../../protocol/answers.ts';
import type { EventsTrouble } from '../../protocol/control.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import type { RegistryEvent, RegistryRow } from '../../registry/model.ts';
import type { LookKeys } from '../../registry/ports.ts';
import { readRegistrarMetadata } from '../../registry/rowMetadata.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { believedSql } from '../databases/believedOwners.ts';
import { eq, ge } from '../connection/catalogSql.ts';
import { memberColumns } from './migrations.ts';
import { announcement } from './registryChanges.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import { sqlState } from '../connection/sqlErrors.ts';

/** What is written of a change of a row; who changed it the server adds. */
export type Operation =
  | 'created'
  | 'claimed'
  | 'used'
  | 'renamed'
  | 'rekeyed'
  | 'adopted'
  | 'forgotten'
  | 'dropped'
  | 'refused'
  | 'handed_over';

/** The events of a registry, in its table `registrar_events`; where that cannot be made, nothing is written or read. */
export interface RegistryEvents {
  /**
   * @param changed a statement that changes rows of `projects` and returns id, name, database_name and metadata
   * @param values its parameters
   * @param details what else the event says
   * @returns the statement that also writes an event for each of the rows, and tells everyone that something changed
   */
  recorded(
    operation: Operation,
    changed: string,
    values: readonly unknown[],
    details?: object,
  ): Promise<{ text: string; values: unknown[] }>;
  /**
   * Writes an event that changes no row.
   *
   * @param isDaily writes nothing where the same role wrote the same today, of the same `folder` in the details
   * @returns false where no events are kept
   */
  write(operation: Operation, project: EventProject, details: object, isDaily: boolean): Promise<boolean>;
  /** ` and …` for those ids that were not dropped after a time; both are SQL. */
  notDroppedSql(id: string, since: string): Promise<string>;
  /** What made or ended projects with this id or name, the newest first. */
  look(keys: LookKeys): Promise<RegistryEvent[]>;
  /** The latest events within a time, ms, of all projects or of one by whatever name it had; the newest first, at most `limit`. */
  list(asked: { project: LookKeys | null; sinceMs: number; limit: number }): Promise<ListedEvent[]>;
  /** Asks anew why no events are kept or read; null where they are, or will be with the first change. */
  trouble(): Promise<EventsTrouble | null>;
}

type EventProject = Pick<RegistryRow, 'id' | 'name' | 'databaseName'>;

export interface RegistryEventsOptions {
  /** The machine's name. */
  host: string;
  /** `user@host`. */
  creator: string;
  /** Told once where there is no table and none can be made. */
  onMissing(reason: string): void;
}

interface Standing {
  reads: boolean;
  writes: boolean;
}

/**
 * A table of that name that a stranger made is not touched: its triggers would run as whoever writes into it, and the
 * functions of a view as whoever reads it.
 */
const standingSql = (ownerRole: string | null): string => `
  select c.relkind ${eq} 'r' and ${believedSql('c.relowner', ownerRole)} as is_believed,
         current_user::pg_catalog.text as role,
         pg_catalog.has_table_privilege(c.oid, 'SELECT') as reads,
         pg_catalog.has_any_column_privilege(c.oid, 'INSERT') as writes
  from pg_catalog.pg_class c where c.oid ${eq} pg_catalog.to_regclass('public.registrar_events')`;

const lookSql = `
  select pg_catalog.json_build_object('at', e.at, 'actor', e.actor, 'host', e.host, 'operation', e.operation,
           'project_id', e.project_id, 'name', e.name, 'database_name', e.database_name, 'details', e.details) as event
  from public.registrar_events e
  where (e.project_id ${eq} $1 or e.name ${eq} $2)
    and e.operation ${eq} any (array['created', 'adopted', 'dropped'])
  order by e.id desc limit 50`;

const listSql = `
  select pg_catalog.json_build_object('at', e.at, 'actor', e.actor, 'host', e.host, 'operation', e.operation,
           'project_id', e.project_id, 'name', e.name, 'database_name', e.database_name,
           'details', e.details operator(pg_catalog.-) 'registrar') as event
  from public.registrar_events e
  where e.at ${ge} (pg_catalog.now() operator(pg_catalog.-) $1::interval)
    and ($2::pg_catalog.uuid is null and $3::pg_catalog.text is null
      or e.project_id ${eq} $2 or e.name ${eq} $3
      or e.project_id ${eq} any (array(select v.project_id from public.registrar_events v where v.name ${eq} $3)))
  order by e.id desc limit $4`;

const notYetTodaySql = `
  where not exists (
    select from public.registrar_events v
    where v.project_id ${eq} $3 and v.operation ${eq} $2 and v.actor ${eq} session_user::pg_catalog.text
      and v.at ${ge} pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC')
      and coalesce(v.details operator(pg_catalog.->>) 'folder', '')
        ${eq} coalesce($6::pg_catalog.jsonb operator(pg_catalog.->>) 'folder', ''))`;

const writeSql = `
  insert into public.registrar_events (host, operation, project_id, name, database_name, details)
  select $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.uuid, $4::pg_catalog.text, $5::pg_catalog.text,
         $6::pg_catalog.jsonb`;

/** Whether a first change would make the table: whoever has the table of projects, and may add to its schema. */
const mayMakeSql = `
  select pg_catalog.pg_has_role(c.relowner, 'USAGE') and pg_catalog.has_schema_privilege('public', 'CREATE') as makes,
         current_user::pg_catalog.text as role
  from pg_catalog.pg_class c where c.oid ${eq} pg_catalog.to_regclass('public.projects')`;

export function registryEvents(database: RegistryDatabase, options: RegistryEventsOptions): RegistryEvents {
  let known: Promise<Standing> | null = null;
  let isMissingSaid = false;

  const missing = (reason: string): Standing => {
    if (!isMissingSaid && database.makes) options.onMissing(reason);
    isMissingSaid = true;
    return { reads: false, writes: false };
  };

  async function standing(): Promise<Standing> {
    known ??= find().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  }

  const ask = async (): Promise<Row | undefined> => {
    const query = { text: standingSql(database.ownerRole), values: [] };
    const [row] = await database.read(query, database.limits.writeMs);
    return row;
  };

  async function find(): Promise<Standing> {
    let row = await ask();
    if (!row && database.makes) {
      try {
        await database.migrate();
      } catch (error) {
        if (error instanceof RegistrarError && error.code === 'REGISTRY_FORBIDDEN') return missing(error.message);
        // The change of the project is not kept waiting; whoever comes next tries again.
        if (error instanceof RegistrarError && ['REGISTRY_BUSY', 'REGISTRY_READ_ONLY'].includes(error.code)) {
          known = null;
          return { reads: false, writes: false };
        }
        if (sqlState(error) !== null) return missing(error instanceof Error ? error.message : String(error));
        throw error;
      }
      row = await ask();
    }
    // Whoever only looks does not make it: somebody else may at any moment.
    if (!row && !database.makes) known = null;
    if (!row) return missing('the table registrar_events is not there');
    if (row['is_believed'] !== true) return missing('the table registrar_events is a stranger’s');
    if (row['writes'] !== true) missing('this role may not write into the table registrar_events');
    return { reads: row['reads'] === true, writes: row['writes'] === true };
  }

  return {
    async recorded(operation, changed, values, details = {}) {
      if (!(await standing()).writes) return { text: announcement(changed), values: [...values] };
      const [host, by, more] = [values.length + 1, values.length + 2, values.length + 3];
      const event = `insert into public.registrar_events (host, operation, project_id, name, database_name, details)
        select $${String(host)}::pg_catalog.text, '${operation}', c.id, c.name, c.database_name,
               $${String(more)}::pg_catalog.jsonb operator(pg_catalog.||)
                 pg_catalog.jsonb_build_object('by', $${String(by)}::pg_catalog.text,
                   'registrar', c.metadata operator(pg_catalog.->) 'registrar')
        from changed c`;
      const added = [options.host, options.creator, JSON.stringify(details)];
      return { text: announcement(changed, event), values: [...values, ...added] };
    },
    async write(operation, { id, name, databaseName }, details, isDaily) {
      const { reads, writes } = await standing();
      if (!writes) return false;
      const said = JSON.stringify({ ...details, by: options.creator });
      // Who may not read what stands there relies on what the daemon remembers.
      const text = isDaily && reads ? writeSql + notYetTodaySql : writeSql;
      const values = [options.host, operation, id, name, databaseName, said];
      await database.query({ text, values }, database.limits.writeMs);
      return true;
    },
    async notDroppedSql(id, since) {
      if (!(await standing()).reads) return '';
      return ` and (select v.operation ${eq} 'dropped' and v.at ${ge} ${since} from public.registrar_events v
        where v.project_id ${eq} ${id} and v.operation ${eq} any (array['created', 'adopted', 'dropped'])
        order by v.id desc limit 1) is not true`;
    },
    async look({ id, name }) {
      if (!(await standing()).reads) return [];
      const query = { name: 'events', text: lookSql, values: [id, name] };
      const rows = await database.read(query, database.limits.writeMs);
      return rows.map((row) => eventOf(row['event'] as Record<string, unknown>));
    },
    async list({ project, sinceMs, limit }) {
      if (!(await standing()).reads) return [];
      const values = [`${String(sinceMs)} milliseconds`, project?.id ?? null, project?.name ?? null, limit];
      const rows = await database.read({ text: listSql, values }, database.limits.writeMs);
      return rows.map((row) => listedOf(row['event'] as Record<string, unknown>));
    },
    async trouble() {
      const row = await ask();
      if (row) {
        const found = troubleOf(row);
        // Somebody may have granted what was missing since it was asked.
        if (!found) known = null;
        return found;
      }
      const [projects] = await database.read({ text: mayMakeSql, values: [] }, database.limits.writeMs);
      if (!projects || projects['makes'] === true) return null;
      return {
        reason: `the table registrar_events is not there, and role ${named(String(projects['role']))} may not make it`,
        hint: 'Have the owner of public.projects create or change a project with this version, which makes the table.',
      };
    },
  };
}

function troubleOf(row: Row): EventsTrouble | null {
  if (row['is_believed'] !== true)
    return {
      reason: 'the table registrar_events is a stranger’s',
      hint: 'As a superuser: ALTER TABLE public.registrar_events RENAME TO not_registrar_events;',
    };
  const missing = [...(row['reads'] === true ? [] : ['read']), ...(row['writes'] === true ? [] : ['write into'])];
  if (missing.length === 0) return null;
  const role = String(row['role']);
  return {
    reason: `role ${named(role)} may not ${missing.join(' or ')} the table registrar_events`,
    hint: `As its owner: GRANT SELECT, INSERT (${memberColumns}) ON public.registrar_events TO ${sqlIdentifier(role)};`,
  };
}

function listedOf(event: Record<string, unknown>): ListedEvent {
  const { at, actor, host, by, operation, projectId, name, databaseName } = eventOf(event);
  const { by: _by, ...details } = (event['details'] ?? {}) as Record<string, unknown>;
  return { at, operation, actor, by, host, project: { id: projectId, name }, databaseName, details };
}

function eventOf(event: Record<string, unknown>): RegistryEvent {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const details = (event['details'] ?? {}) as Record<string, unknown>;
  return {
    at: new Date(text(event['at'])).toISOString(),
    actor: text(event['actor']),
    host: text(event['host']),
    by: typeof details['by'] === 'string' ? details['by'] : null,
    operation: text(event['operation']),
    projectId: text(event['project_id']),
    name: text(event['name']),
    databaseName: text(event['database_name']),
    bytes: typeof details['bytes'] === 'number' ? details['bytes'] : null,
    tables: typeof details['tables'] === 'number' ? details['tables'] : null,
    registrar: readRegistrarMetadata(details),
  };
}
