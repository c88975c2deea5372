import { createHash } from 'node:crypto';
import pg from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import type { PostgresAddress } from '../address/address.ts';
import { eq, ge } from '../connection/catalogSql.ts';
import { encodingOf } from '../connection/connect.ts';
import { withConnection } from '../connection/directConnection.ts';
import { migrate } from './migrations.ts';
import { ProjectConnection } from '../connection/projectConnection.ts';
import { projectSql } from '../connection/projectSql.ts';
import { closePublicSchema } from '../databases/publicSchema.ts';
import { closePool, createPool, runQuery, type Query } from '../connection/pool.ts';
import { asServerTrouble } from '../connection/serverTrouble.ts';
import { isConnectionLoss, sqlState } from '../connection/sqlErrors.ts';
import { RegistryText } from './registryText.ts';
import { lockSecret, lockText, withRegistryLock, type Ask } from './registryLock.ts';
import { Turns } from '../connection/turns.ts';
import { inTransaction, type Execute } from '../connection/transaction.ts';
import { asked as privileges, registryForbidden } from './registryFaults.ts';

export type Row = Record<string, unknown>;

/** Limits for what is asked of the server, in milliseconds. */
export interface Limits {
  /** One lookup, the connection included. */
  lookMs: number;
  /** One write to the registry. */
  writeMs: number;
  /** CREATE DATABASE, DROP DATABASE, a project schema. */
  provisionMs: number;
  /** A connection that nobody used for this long is closed; 30 s when absent. */
  idleMs?: number;
}

export const defaultLimits: Limits = { lookMs: 1000, writeMs: 5000, provisionMs: 60_000 };

/**
 * The registry's database: one pool, opened at first use. The first caller to find the database or the table missing
 * creates it, once, however many callers find out together.
 */
export class RegistryDatabase {
  readonly address: PostgresAddress;
  readonly limits: Limits;
  readonly ownerRole: string | null;
  /** False for callers that may only read: what is missing then stays missing. */
  readonly makes: boolean;
  /** Each takes a connection of its own. However many ask at once, the server keeps connections for others. */
  readonly proofs = new Turns(16);
  readonly #pool: pg.Pool;
  readonly #text: RegistryText;
  #isPooled = false;
  /** Empty until one is known. */
  #secret = '';
  #isSilent = false;
  #silencing: Promise<boolean> | null = null;
  #creating: Promise<void> | null = null;
  #migrating: Promise<void> | null = null;

  /**
   * Called when the server answers again, and when the registry accepts a row, so that nobody has to wait longer for
   * that.
   */
  onUsable: () => void = () => undefined;

  /** @param ownerRole `registrar.postgres.ownerRole`: owner of the project databases, so that a team shares them */
  constructor(
    address: PostgresAddress,
    limits: Limits = defaultLimits,
    ownerRole: string | null = null,
    lookingThrough?: RegistryDatabase,
  ) {
    this.address = address;
    this.limits = limits;
    this.ownerRole = ownerRole;
    this.makes = lookingThrough === undefined;
    const text = lookingThrough ? lookingThrough.#text : new RegistryText();
    this.#text = text;
    this.#pool = lookingThrough
      ? lookingThrough.#pool
      : createPool(address, address.registryDatabase, {
          max: 8,
          idleMs: limits.idleMs ?? 30_000,
          connectMs: limits.writeMs,
          onOpened: (client) => {
            text.encoding = encodingOf(client);
          },
        });
  }

  /** The same registry over the same connections, for a dry run: neither database nor table is made. */
  lookingOnly(): RegistryDatabase {
    return new RegistryDatabase(this.address, this.limits, this.ownerRole, this);
  }

  /** The registry's name as markers carry it. */
  get name(): string {
    return this.address.registryDatabase;
  }

  get role(): string {
    return this.address.user;
  }

  /** A pooler in transaction mode is known to be in between. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  poolFigures(): { open: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /**
   * One statement in the registry's database. Throws RegistrarError for a lost connection and for what the server cannot do
   * at present, pg's error for refused SQL.
   */
  async query(asked: Query, timeoutMs: number): Promise<Row[]> {
    const query = asked.values ? { ...asked, values: asked.values.map((value) => this.#text.stored(value)) } : asked;
    const run = async (): Promise<Row[]> => {
      if (this.#isPooled) return runQuery(this.#pool, unnamed(query), timeoutMs);
      try {
        return await runQuery(this.#pool, namedByText(query), timeoutMs);
      } catch (error) {
        const state = sqlState(error);
        if (query.name === undefined || (state !== '26000' && state !== '42P05')) throw error;
        // A pooler in transaction mode gave us another server connection than the one that has the statement. It was not
        // executed; from now on nothing is named.
        this.#isPooled = true;
        return runQuery(this.#pool, unnamed(query), timeoutMs);
      }
    };
    if (this.makes) return this.#text.read(await this.#withDatabase(run));
    return this.#noticing(run)
      .then((rows) => this.#text.read(rows))
      .catch((error: unknown) => {
        // A registry that is not there has no rows.
        if (sqlState(error) === '3D000') return [];
        throw error;
      });
  }

  /**
   * As `query`, for a statement that changes nothing: one more try when the connection was lost, so that a server that was
   * restarted or failed over between two requests is not an outage. Both tries together stay within the limit.
   */
  async read(query: Query, timeoutMs: number): Promise<Row[]> {
    const deadline = performance.now() + timeoutMs;
    try {
      return await this.query(query, timeoutMs);
    } catch (error) {
      const leftMs = Math.round(deadline - performance.now());
      const isLost = error instanceof RegistrarError && error.details?.['reason'] === 'connection lost';
      if (!isLost || leftMs <= 0) throw error;
      return this.query(query, leftMs);
    }
  }

  async transaction<T>(timeoutMs: number, work: (execute: Execute) => Promise<T>): Promise<T> {
    const stored = (execute: Execute): Execute => {
      return async (text, values = []) => {
        const result = await execute(
          text,
          values.map((value) => this.#text.stored(value)),
        );
        return { ...result, rows: this.#text.read(result.rows) };
      };
    };
    return this.#withDatabase(() => inTransaction(this.#pool, timeoutMs, (execute) => work(stored(execute))));
  }

  /** The text whose hash is the key of one of this registry's locks; strangers cannot guess it. */
  async lockText(key: string): Promise<string> {
    const ask: Ask = (text) => this.query({ text, values: [] }, this.limits.writeMs);
    this.#secret ||= await lockSecret(ask);
    return lockText(this.#secret, key);
  }

  /**
   * Runs `work` while no other daemon runs any for the same key. The lock needs no table and no privilege, ends with
   * the connection of whoever is killed while holding it, and is in the registry's database, which agents' SQL cannot
   * reach. The connection is not from the pool: readers would wait behind it.
   *
   * @param waitMs how long others may hold it; then REGISTRY_UNREACHABLE is thrown and nothing was done
   */
  async oneAtATime<T>(key: string, waitMs: number, work: () => Promise<T>): Promise<T> {
    const { writeMs, provisionMs } = this.limits;
    const connection = { connectMs: writeMs, workMs: waitMs + provisionMs + writeMs };
    const locked = withConnection(this.address, this.name, connection, (client) =>
      withRegistryLock(client, key, waitMs, work),
    );
    return locked.catch((error: unknown) => {
      throw asServerTrouble(error);
    });
  }

  /** Whether this role may disable event triggers for its own sessions; asked once. */
  async maySilenceEventTriggers(): Promise<boolean> {
    this.#silencing ??= this.#askSilencing().catch((error: unknown) => {
      this.#silencing = null;
      throw error;
    });
    return this.#silencing;
  }

  async #askSilencing(): Promise<boolean> {
    const { writeMs } = this.limits;
    const [server] = await this.read({ text: silencingSql, values: [] }, writeMs);
    if (server?.['knows'] !== true) return false;
    if (server['super'] === true) return true;
    // The function is not there before 15.
    const text = `select pg_catalog.has_parameter_privilege(session_user, 'event_triggers', 'SET') as may`;
    const [privilege] = await this.read({ text, values: [] }, writeMs);
    return privilege?.['may'] === true;
  }

  /** Makes the registry's tables. Throws REGISTRY_FORBIDDEN naming what is missing when the role may not. */
  async migrate(): Promise<void> {
    this.#migrating ??= this.#migrate().finally(() => {
      this.#migrating = null;
    });
    return this.#migrating;
  }

  /** Running work gets as long as a write may take; then its connection is cut. */
  async close(): Promise<void> {
    await closePool(this.#pool, this.limits.writeMs);
  }

  async #migrate(): Promise<void> {
    try {
      await this.transaction(this.limits.provisionMs, (execute) => migrate(execute, this.name, this.ownerRole));
    } catch (error) {
      if (sqlState(error) === '42501') throw registryForbidden(privileges.createTable, this.role, this.name);
      throw error;
    }
  }

  async #withDatabase<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#noticing(work);
    } catch (error) {
      if (sqlState(error) !== '3D000') throw error;
    }
    this.#creating ??= this.#createDatabase().finally(() => {
      this.#creating = null;
    });
    await this.#creating;
    return this.#noticing(work);
  }

  async #noticing<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      const isBack = this.#isSilent;
      this.#isSilent = false;
      if (isBack) this.onUsable();
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) this.#isSilent = true;
      throw asServerTrouble(error);
    }
  }

  async #createDatabase(): Promise<void> {
    try {
      await this.#makeDatabase();
    } catch (error) {
      const state = sqlState(error);
      if (state === '42501') throw this.#mayNotCreateRegistry(error);
      // Another starter was faster: 42P04, or 23505 when both inserted into pg_database at the same instant.
      if (state !== '42P04' && state !== '23505') throw error;
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#closePublic();
        return;
      } catch (error) {
        // Daemons that start together all close it: PostgreSQL refuses those whose row another has just changed.
        if (sqlState(error) !== 'XX000' || attempt === 5) throw error;
      }
    }
  }

  /** In UTF8, so that it stores whatever people call things; on a server of another locale with an order that fits each. */
  async #makeDatabase(): Promise<void> {
    const text = `create database ${pg.escapeIdentifier(this.name)} encoding 'UTF8' template template0`;
    await this.#maintain(text).catch(async (error: unknown) => {
      // invalid_parameter_value: the server's locale wants another encoding.
      if (sqlState(error) !== '22023') throw error;
      await this.#maintain(`${text} lc_collate 'C' lc_ctype 'C'`);
    });
  }

  async #closePublic(): Promise<void> {
    // PgBouncer, once refused by the missing database, keeps everyone waiting until it tries again (server_login_retry, 15 s).
    const limits = { connectMs: this.limits.provisionMs, workMs: this.limits.writeMs };
    await withConnection(this.address, this.name, limits, async (client) => {
      const beginning = { access: 'read write', statementMs: limits.workMs, lockMs: 0, isSilent: false } as const;
      const { connection } = await ProjectConnection.begin(client, beginning);
      await closePublicSchema(connection);
      await connection.run(projectSql`commit`);
    });
  }

  /** One statement in a database that is there before the registry is. */
  async #maintain(sql: string): Promise<void> {
    const limits = { connectMs: this.limits.writeMs, workMs: this.limits.provisionMs };
    const runIn = async (database: string): Promise<void> => {
      await withConnection(this.address, database, limits, (client) => client.query(sql));
    };
    try {
      await runIn('postgres');
    } catch (error) {
      if (sqlState(error) !== '3D000') throw error;
      await runIn('template1');
    }
  }

  #mayNotCreateRegistry(cause: unknown): RegistrarError {
    return new RegistrarError(
      {
        code: 'REGISTRY_FORBIDDEN',
        message: `The registry database ${named(this.name)} does not exist, and role ${named(this.role)} may not create it: CREATEDB is missing.`,
        hint: `As a superuser: CREATE DATABASE ${sqlIdentifier(this.name)} OWNER ${sqlIdentifier(this.role)}; or ALTER ROLE ${sqlIdentifier(this.role)} CREATEDB;`,
        details: { role: this.role, database: this.name, privilege: 'CREATEDB' },
      },
      { cause },
    );
  }
}

const silencingSql = `
  select pg_catalog.current_setting('server_version_num')::int ${ge} 170000 as knows, r.rolsuper as super
  from pg_catalog.pg_roles r where r.rolname ${eq} session_user`;

const names = new Map<string, string>();

/**
 * The name with a part that stands for the text: behind a pooler in transaction mode another version of Registrar may have
 * prepared another statement under the same name on the connection that we get, and the server would run that one.
 */
function namedByText(query: Query): Query {
  if (query.name === undefined) return query;
  const name =
    names.get(query.text) ?? `${query.name}_${createHash('sha256').update(query.text).digest('hex').slice(0, 16)}`;
  names.set(query.text, name);
  return { ...query, name };
}

function unnamed({ text, values }: Query): Query {
  return values === undefined ? { text } : { text, values };
}
