import type { RegistryEvent } from '../registry/model.ts';
import type { LookKeys } from '../registry/ports.ts';
import { readRegistrarMetadata } from '../registry/rowMetadata.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { believedSql } from './believedOwners.ts';
import { eq, ge } from './catalogSql.ts';
import { announcement } from './registryChanges.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import { sqlState } from './sqlErrors.ts';

/** What is written of a change of a row; who changed it the server adds. */
export type Operation = 'created' | 'claimed' | 'renamed' | 'rekeyed' | 'adopted' | 'forgotten' | 'dropped';

/** The events of a registry, in its table `registrar_events`; where that cannot be made, nothing is written or read. */
export interface RegistryEvents {
  /**
   * @param changed a statement that changes rows of `projects` and returns id, name, database_name and metadata
   * @param values its parameters
   * @returns the statement that also writes an event for each of the rows, and tells everyone that something changed
   */
  recorded(
    operation: Operation,
    changed: string,
    values: readonly unknown[],
  ): Promise<{ text: string; values: unknown[] }>;
  /** ` and …` for those ids that were not dropped after a time; both are SQL. */
  notDroppedSql(id: string, since: string): Promise<string>;
  /** What made or ended projects with this id or name, the newest first. */
  look(keys: LookKeys): Promise<RegistryEvent[]>;
}

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

  async function find(): Promise<Standing> {
    const ask = async () => {
      const query = { text: standingSql(database.ownerRole), values: [] };
      const [row] = await database.read(query, database.limits.writeMs);
      return row;
    };
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
    async recorded(operation, changed, values) {
      if (!(await standing()).writes) return { text: announcement(changed), values: [...values] };
      const [host, by] = [values.length + 1, values.length + 2];
      const event = `insert into public.registrar_events (host, operation, project_id, name, database_name, details)
        select $${String(host)}::pg_catalog.text, '${operation}', c.id, c.name, c.database_name,
               pg_catalog.jsonb_build_object('by', $${String(by)}::pg_catalog.text,
                 'registrar', c.metadata operator(pg_catalog.->) 'registrar')
        from changed c`;
      return { text: announcement(changed, event), values: [...values, options.host, options.creator] };
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
  };
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
    registrar: readRegistrarMetadata(details),
  };
}
