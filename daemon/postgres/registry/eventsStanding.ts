import type { EventsTrouble } from '../../protocol/control.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import { eq } from '../connection/catalogSql.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import { believedSql } from '../databases/believedOwners.ts';
import { memberColumns } from './migrations.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';

/** What this role may do with the events. */
export interface Standing {
  reads: boolean;
  writes: boolean;
}

/** Finds out once, and again after trouble, whether there is a table of events that this daemon may use; makes it if it may. */
export class EventsStanding {
  readonly #database: RegistryDatabase;
  readonly #onMissing: (reason: string) => void;
  #known: Promise<Standing> | null = null;
  #isMissingSaid = false;

  /** @param onMissing called once if there is no table and none can be created */
  constructor(database: RegistryDatabase, onMissing: (reason: string) => void) {
    this.#database = database;
    this.#onMissing = onMissing;
  }

  async now(): Promise<Standing> {
    this.#known ??= this.#find().catch((error: unknown) => {
      this.#known = null;
      throw error;
    });
    return this.#known;
  }

  /** Checks again why no events are kept or read; null if they are, or will be with the first change. */
  async trouble(): Promise<EventsTrouble | null> {
    const row = await this.#ask();
    if (row) {
      const found = troubleOf(row);
      // Somebody may have granted what was missing since it was asked.
      if (!found) this.#known = null;
      return found;
    }
    const [projects] = await this.#database.read({ text: mayMakeSql, values: [] }, this.#database.limits.writeMs);
    if (!projects || projects['makes'] === true) return null;
    return {
      reason: `the table registrar_events does not exist, and role ${named(String(projects['role']))} may not create it`,
      hint: 'Have the owner of public.projects create or change a project with this version, which creates the table.',
    };
  }

  async #find(): Promise<Standing> {
    const row = await this.#ask();
    if (row) return this.#standingIn(row);
    // Whoever only looks does not make it: somebody else may at any moment.
    if (!this.#database.makes) {
      this.#known = null;
      return this.#missing(notThere);
    }
    try {
      await this.#database.migrate();
    } catch (error) {
      return this.#withoutTable(error);
    }
    const made = await this.#ask();
    return made ? this.#standingIn(made) : this.#missing(notThere);
  }

  #standingIn(row: Row): Standing {
    if (row['is_believed'] !== true) return this.#missing('the table registrar_events is a stranger’s');
    if (row['writes'] !== true) this.#missing('this role may not write to the table registrar_events');
    return { reads: row['reads'] === true, writes: row['writes'] === true };
  }

  #withoutTable(error: unknown): Standing {
    if (error instanceof RegistrarError && error.code === 'REGISTRY_FORBIDDEN') return this.#missing(error.message);
    // The project's change does not wait for it; the next caller tries again.
    if (error instanceof RegistrarError && ['REGISTRY_BUSY', 'REGISTRY_READ_ONLY'].includes(error.code)) {
      this.#known = null;
      return { reads: false, writes: false };
    }
    if (sqlState(error) === null) throw error;
    return this.#missing(error instanceof Error ? error.message : String(error));
  }

  #missing(reason: string): Standing {
    if (!this.#isMissingSaid && this.#database.makes) this.#onMissing(reason);
    this.#isMissingSaid = true;
    return { reads: false, writes: false };
  }

  async #ask(): Promise<Row | undefined> {
    const query = { text: standingSql(this.#database.ownerRole), values: [] };
    const [row] = await this.#database.read(query, this.#database.limits.writeMs);
    return row;
  }
}

const notThere = 'the table registrar_events does not exist';

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

/** Whether a first change would make the table: whoever has the table of projects, and may add to its schema. */
const mayMakeSql = `
  select pg_catalog.pg_has_role(c.relowner, 'USAGE') and pg_catalog.has_schema_privilege('public', 'CREATE') as makes,
         current_user::pg_catalog.text as role
  from pg_catalog.pg_class c where c.oid ${eq} pg_catalog.to_regclass('public.projects')`;

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
