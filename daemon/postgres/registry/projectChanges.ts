import type { Changed, CommentChange, Held, Reserved, RowChange } from '../../registry/ports.ts';
import type { DatabaseSighting, RegistryRow } from '../../registry/model.ts';
import { eq } from '../connection/catalogSql.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import { Turns } from '../connection/turns.ts';
import { commentLock, CommentChanged, setComment } from '../databases/commentSql.ts';
import { announcement } from './registryChanges.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import type { Operation, RegistryEvents } from './registryEvents.ts';
import { asked, notOwner, refusal, unreachableFor, unwritable, type Asked } from './registryFaults.ts';
import { sightingIn, sightingSql } from './sightingSql.ts';

/** What the rules change in the table `projects`, each change with its event in the same statement. */
export class ProjectChanges {
  readonly #database: RegistryDatabase;
  readonly #events: RegistryEvents;
  // `work` needs another connection than the one that holds the row: if holders took them all, each would wait for
  // another.
  readonly #holds = new Turns(4);

  constructor(database: RegistryDatabase, events: RegistryEvents) {
    this.#database = database;
    this.#events = events;
  }

  change(observed: RegistryRow, wanted: RowChange, comment: CommentChange | null): Promise<Changed> {
    const values = changeValues(observed, wanted);
    const changing = { name: 'change', text: changeSql, values, operation: operationOf(wanted) };
    return this.#conditionally(asked.update, changing, comment);
  }

  insert(row: RegistryRow, comment: CommentChange): Promise<Changed> {
    const text = `${insertSql} ${returningSql}`;
    const changing = { name: 'insert', text, values: columnsOf(row), operation: 'adopted' } as const;
    return this.#conditionally(asked.insert, changing, comment);
  }

  remove(observed: RegistryRow, comment: CommentChange | null): Promise<Changed> {
    const values = observedValues(observed).slice(0, 4);
    const changing = { name: 'remove', text: removeSql, values, operation: 'forgotten' } as const;
    return this.#conditionally(asked.delete, changing, comment);
  }

  async reserve(row: RegistryRow): Promise<Reserved> {
    const { limits, role, name } = this.#database;
    try {
      const reserving = await this.#events.recorded(
        'created',
        `${insertSql} on conflict do nothing ${returningSql}`,
        columnsOf(row),
      );
      const inserted = await this.#database.query({ name: 'reserve', ...reserving }, limits.writeMs);
      if (inserted.length > 0) {
        this.#database.onUsable();
        return { kind: 'reserved' };
      }
      const others = await this.#database.query(
        {
          name: 'whoseConflict',
          text: `select id ${eq} $1 or name ${eq} $2 as same from public.projects where id ${eq} $1 or name ${eq} $2 or database_name ${eq} $3`,
          values: [row.id, row.name, row.databaseName],
        },
        limits.writeMs,
      );
      const isDatabaseOnly = others.length > 0 && others.every((other) => other['same'] !== true);
      return { kind: isDatabaseOnly ? 'database-taken' : 'lost' };
    } catch (error) {
      return { kind: 'unwritable', failure: unwritable(error, asked.insert, role, name) };
    }
  }

  async whileHeld(
    observed: RegistryRow,
    work: (database: DatabaseSighting) => Promise<Held>,
    details?: object,
  ): Promise<Changed> {
    // Longer than anything that `work` may take, so that the lock outlives it.
    const { provisionMs, writeMs } = this.#database.limits;
    const timeoutMs = 2 * (provisionMs + writeMs);
    const hold = async (): Promise<Changed> => {
      const deleting = await this.#events.recorded('dropped', deleteSql, [observed.id], details);
      return this.#database.transaction(timeoutMs, async (execute) => {
        const held = await execute(holdSql, observedValues(observed));
        if (held.rows.length === 0) return 'lost';
        // Read again, now that the row is locked: the statement that waited for the lock saw the catalog as it was before.
        const [row] = (await execute(`${sightingSql} where p.id ${eq} $1`, [observed.id])).rows;
        const outcome = row ? await work(sightingIn(row).database) : 'lost';
        if (outcome === 'delete') await execute(deleting.text, deleting.values);
        return outcome === 'lost' ? 'lost' : 'done';
      });
    };
    try {
      return await this.#holds.run(timeoutMs, () => unreachableFor('earlier requests', timeoutMs), hold);
    } catch (error) {
      if (isLostRace(error)) return 'lost';
      throw refusal(error, asked.update, this.#database);
    }
  }

  /**
   * One conditional statement; with a comment, both in one transaction. The row first and then the comment, for everybody, so
   * that nobody who holds a comment's lock waits for a row.
   */
  async #conditionally(
    what: Asked,
    changing: { name: string; text: string; values: unknown[]; operation: Operation | null },
    comment: CommentChange | null,
  ): Promise<Changed> {
    const { writeMs } = this.#database.limits;
    const progress = { isCommenting: false };
    try {
      const { name, operation } = changing;
      const { text, values } =
        operation === null
          ? { text: announcement(changing.text), values: changing.values }
          : await this.#events.recorded(operation, changing.text, changing.values);
      if (!comment) return (await this.#database.query({ name, text, values }, writeMs)).length > 0 ? 'done' : 'lost';
      const lock = await this.#database.lockText(commentLock(comment.databaseName));
      return await this.#database.transaction(writeMs, async (execute) => {
        const { rows } = await execute(text, values);
        if (rows.length === 0) return 'lost';
        progress.isCommenting = true;
        await setComment(execute, lock, comment);
        return 'done';
      });
    } catch (error) {
      if (error instanceof CommentChanged) return 'lost';
      const state = sqlState(error);
      if (state === '23505' && !progress.isCommenting) return 'taken';
      if (isLostRace(error)) return 'lost';
      if (state === '42501' && progress.isCommenting && comment)
        throw notOwner(comment.databaseName, this.#database.role);
      throw refusal(error, what, this.#database);
    }
  }
}

/** What an event is made of. */
const returningSql = 'returning id, name, database_name, metadata';

const deleteSql = `delete from public.projects where id ${eq} $1 ${returningSql}`;

const removeSql = `
  delete from public.projects where id ${eq} $1 and name ${eq} $2 and database_name ${eq} $3
    and coalesce(metadata operator(pg_catalog.#>>) '{registrar,state}', 'ready') ${eq} $4 ${returningSql}`;

const insertSql = `
  insert into public.projects (id, name, description, database_name, created_at, updated_at, metadata)
  values ($1, $2, $3, $4, $5, $6, $7)`;

/**
 * Compare-and-set: nothing happens unless id, name, database, state and folder are still those that the decision was made
 * on. Only what people see counts as an update of the project; notes under `metadata.registrar` do not.
 */
const observedSql = `p.id ${eq} $1 and p.name ${eq} $2 and p.database_name ${eq} $3
    and coalesce(p.metadata operator(pg_catalog.#>>) '{registrar,state}', 'ready') ${eq} $4
    and coalesce(p.metadata operator(pg_catalog.#>) '{registrar,folder}', 'null') ${eq} coalesce($5::pg_catalog.jsonb, 'null')`;

const holdSql = `select p.id from public.projects p where ${observedSql} for update`;

const changeSql = `
  update public.projects p set
    id = coalesce($6::pg_catalog.uuid, p.id),
    name = coalesce($7, p.name),
    database_name = coalesce($8, p.database_name),
    description = case when $9 then $10 else p.description end,
    metadata = pg_catalog.jsonb_set(coalesce(p.metadata, '{}'), '{registrar}',
      coalesce(p.metadata operator(pg_catalog.->) 'registrar', '{}') operator(pg_catalog.||) $11::pg_catalog.jsonb),
    updated_at = case when $12 then pg_catalog.now() else p.updated_at end
  where ${observedSql}
    and (not $13 or coalesce(p.metadata operator(pg_catalog.#>) '{registrar,evidence}', 'null') ${eq} coalesce($14::pg_catalog.jsonb, 'null'))
  returning p.id, p.name, p.database_name, p.metadata`;

/** What events call a change; null for changes that nobody asks about. */
function operationOf({ id, name, registrar, event }: RowChange): Operation | null {
  if (event !== undefined) return event;
  if (id !== undefined) return 'rekeyed';
  if (name !== undefined) return 'renamed';
  return registrar?.folder === undefined ? null : 'claimed';
}

function observedValues({ id, name, databaseName, registrar: { state, folder } }: RegistryRow): unknown[] {
  return [id, name, databaseName, state ?? 'ready', folder ? JSON.stringify(folder) : null];
}

function changeValues(observed: RegistryRow, wanted: RowChange): unknown[] {
  const isVisible =
    wanted.id !== undefined ||
    wanted.name !== undefined ||
    wanted.databaseName !== undefined ||
    wanted.description !== undefined;
  return [
    ...observedValues(observed),
    wanted.id ?? null,
    wanted.name ?? null,
    wanted.databaseName ?? null,
    wanted.description !== undefined,
    wanted.description ?? null,
    JSON.stringify(wanted.registrar ?? {}),
    isVisible,
    // It is written whole, so that what another daemon added meanwhile must not be lost.
    wanted.registrar?.evidence !== undefined,
    evidenceAsStored(observed),
  ];
}

/** As it was read, with what a newer version may have put there. */
function evidenceAsStored({ metadata }: RegistryRow): string | null {
  const { evidence } = (metadata['registrar'] ?? {}) as { evidence?: unknown };
  return evidence === undefined ? null : JSON.stringify(evidence);
}

function columnsOf(row: RegistryRow): unknown[] {
  const metadata = JSON.stringify({ ...row.metadata, registrar: row.registrar });
  return [row.id, row.name, row.description, row.databaseName, row.createdAt, row.updatedAt, metadata];
}

/** 40001 and 40P01 are lost by design; "tuple concurrently updated" (XX000) is two COMMENT ON the same database; 3D000 a database that went away. */
function isLostRace(error: unknown): boolean {
  const state = sqlState(error);
  if (state === '40001' || state === '40P01' || state === '3D000') return true;
  return state === 'XX000' && error instanceof Error && error.message.includes('concurrently');
}
