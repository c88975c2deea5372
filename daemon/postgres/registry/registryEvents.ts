import type { ListedEvent } from '../../protocol/answers.ts';
import type { EventsTrouble } from '../../protocol/control.ts';
import type { RegistryEvent, RegistryRow } from '../../registry/model.ts';
import type { LookKeys } from '../../registry/ports.ts';
import { readRegistrarMetadata } from '../../registry/rowMetadata.ts';
import { eq, ge } from '../connection/catalogSql.ts';
import { EventsStanding } from './eventsStanding.ts';
import { announcement } from './registryChanges.ts';
import type { RegistryDatabase } from './registryDatabase.ts';

/** What is written about a change of a row; the server adds who changed it. */
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

type EventProject = Pick<RegistryRow, 'id' | 'name' | 'databaseName'>;

interface AskedEvents {
  project: LookKeys | null;
  sinceMs: number;
  limit: number;
}

export interface RegistryEventsOptions {
  /** The machine's name. */
  host: string;
  /** `user@host`. */
  creator: string;
  /** Called once if there is no table and none can be created. */
  onMissing: (reason: string) => void;
}

/** The events of a registry, in its table `registrar_events`; if that cannot be created, nothing is written or read. */
export class RegistryEvents {
  readonly #database: RegistryDatabase;
  readonly #standing: EventsStanding;
  readonly #host: string;
  readonly #creator: string;

  constructor(database: RegistryDatabase, { host, creator, onMissing }: RegistryEventsOptions) {
    this.#database = database;
    this.#standing = new EventsStanding(database, onMissing);
    this.#host = host;
    this.#creator = creator;
  }

  /**
   * @param changed a statement that changes rows of `projects` and returns id, name, database_name and metadata
   * @param values its parameters
   * @param details what else the event says
   * @returns the statement that also writes an event for each of the rows, and tells everyone that something changed
   */
  async recorded(
    operation: Operation,
    changed: string,
    values: readonly unknown[],
    details: object = {},
  ): Promise<{ text: string; values: unknown[] }> {
    if (!(await this.#standing.now()).writes) return { text: announcement(changed), values: [...values] };
    const [host, by, more] = [values.length + 1, values.length + 2, values.length + 3];
    const event = `insert into public.registrar_events (host, operation, project_id, name, database_name, details)
      select $${String(host)}::pg_catalog.text, '${operation}', c.id, c.name, c.database_name,
             $${String(more)}::pg_catalog.jsonb operator(pg_catalog.||)
               pg_catalog.jsonb_build_object('by', $${String(by)}::pg_catalog.text,
                 'registrar', c.metadata operator(pg_catalog.->) 'registrar')
      from changed c`;
    const added = [this.#host, this.#creator, JSON.stringify(details)];
    return { text: announcement(changed, event), values: [...values, ...added] };
  }

  /**
   * Writes an event that changes no row.
   *
   * @param isDaily writes nothing where the same role wrote the same today, of the same `folder` in the details
   * @returns false where no events are kept
   */
  async write(
    operation: Operation,
    { id, name, databaseName }: EventProject,
    details: object,
    isDaily: boolean,
  ): Promise<boolean> {
    const { reads, writes } = await this.#standing.now();
    if (!writes) return false;
    const said = JSON.stringify({ ...details, by: this.#creator });
    // A role that may not read the table relies on the daemon's memory.
    const text = isDaily && reads ? writeSql + notYetTodaySql : writeSql;
    const values = [this.#host, operation, id, name, databaseName, said];
    await this.#database.query({ text, values }, this.#database.limits.writeMs);
    return true;
  }

  /** ` and …` for those ids that were not dropped after a time; both are SQL. */
  async notDroppedSql(id: string, since: string): Promise<string> {
    if (!(await this.#standing.now()).reads) return '';
    return ` and (select v.operation ${eq} 'dropped' and v.at ${ge} ${since} from public.registrar_events v
      where v.project_id ${eq} ${id} and v.operation ${eq} any (array['created', 'adopted', 'dropped'])
      order by v.id desc limit 1) is not true`;
  }

  /** What made or ended projects with this id or name, the newest first. */
  async look({ id, name }: LookKeys): Promise<RegistryEvent[]> {
    if (!(await this.#standing.now()).reads) return [];
    const query = { name: 'events', text: lookSql, values: [id, name] };
    const rows = await this.#database.read(query, this.#database.limits.writeMs);
    return rows.map((row) => eventOf(row['event'] as Record<string, unknown>));
  }

  /** The latest events within a time, ms, of all projects or of one by whatever name it had; the newest first, at most `limit`. */
  async list({ project, sinceMs, limit }: AskedEvents): Promise<ListedEvent[]> {
    if (!(await this.#standing.now()).reads) return [];
    const values = [`${String(sinceMs)} milliseconds`, project?.id ?? null, project?.name ?? null, limit];
    const rows = await this.#database.read({ text: listSql, values }, this.#database.limits.writeMs);
    return rows.map((row) => listedOf(row['event'] as Record<string, unknown>));
  }

  /** Checks again why no events are kept or read; null if they are, or will be with the first change. */
  trouble(): Promise<EventsTrouble | null> {
    return this.#standing.trouble();
  }
}

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
