import type { Client, QueryResult } from 'pg';
import type { PostgresAddress } from '../address/address.ts';
import { withConnection, type DirectLimits } from './directConnection.ts';
import { projectSql, type ProjectSql } from './projectSql.ts';
import { sqlState } from './sqlErrors.ts';

/** Whether what is asked may change anything. */
export type Access = 'read only' | 'read write';

/** How a transaction in a project's database begins. */
export interface Beginning {
  access: Access;
  /** What the server gives one statement, ms. */
  statementMs: number;
  /** What it gives one wait for a lock, ms; 0 for as long as the statement has. */
  lockMs: number;
  /** Whether event triggers are switched off, which this role has to be allowed to. */
  isSilent: boolean;
}

/**
 * A transaction in a project's database, the one way in which anything is asked of it.
 *
 * A database's owner sets for it whatever he likes, and whoever connects takes it over. With a `search_path` of his, each
 * name without a schema, operators included, is his code, run as whoever asks. So before the first statement the path is
 * pinned: utility statements alone do that, which look nothing up. It is set for the transaction, since behind a
 * pooler the session is somebody else's afterwards.
 */
export class ProjectConnection {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Begins, and answers `first` in the same round trip. */
  static async begin(
    client: Client,
    beginning: Beginning & { settings?: ProjectSql; first?: ProjectSql },
  ): Promise<{ connection: ProjectConnection; rows: Record<string, unknown>[] }> {
    const { settings = projectSql``, first = projectSql`` } = beginning;
    const text = `${beginSql(beginning)}${settings}${first}`;
    const results = (await client.query(text)) as unknown as QueryResult<Record<string, unknown>>[];
    return { connection: new ProjectConnection(client), rows: results.at(-1)?.rows ?? [] };
  }

  /** Asks one thing in a transaction of its own, in one round trip. */
  static async ask<Row extends object>(client: Client, beginning: Beginning, question: ProjectSql): Promise<Row[]> {
    const results = (await client.query(`${beginSql(beginning)}${question}; commit`)) as unknown as QueryResult[];
    return (results.at(-2)?.rows ?? []) as Row[];
  }

  /** Runs one statement of ours; it means the system's own objects, whatever the database's owner has set. */
  async run<Row extends object = Record<string, unknown>>(
    sql: ProjectSql,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const result = await this.#client.query<Row & Record<string, unknown>>(sql, [...values]);
    return result.rows;
  }

  /**
   * Gives the connection away for SQL of somebody else, which expects the path that database and role have. Nothing of ours
   * may follow in it but what is written in full.
   *
   * @param work does with the client what it likes; nobody else does meanwhile
   */
  async foreign<T>(work: (client: Client) => Promise<T>): Promise<T> {
    await this.run(projectSql`set local search_path to default`);
    return work(this.#client);
  }

  /** Pins the path again, after SQL of somebody else. */
  async pin(): Promise<void> {
    await this.run(pinSql);
  }
}

/** What of the registry says how a project's database is reached. */
interface RegistryAccess {
  readonly address: PostgresAddress;
  readonly isPooled: boolean;
  maySilenceEventTriggers(): Promise<boolean>;
}

/**
 * Runs `work` in one transaction on a connection of its own to a project's database, and commits when it returns. A throw
 * rolls back.
 *
 * Throws what `withConnection` throws.
 */
export async function inProjectDatabase<T>(
  registry: RegistryAccess,
  databaseName: string,
  limits: DirectLimits & { access: Access },
  work: (connection: ProjectConnection) => Promise<T>,
): Promise<T> {
  // A database's event triggers run at our GRANT and CREATE, and at the login itself.
  const isSilent = await registry.maySilenceEventTriggers();
  const run = (address: PostgresAddress): Promise<T> =>
    withConnection(address, databaseName, limits, async (client) => {
      const beginning = { access: limits.access, statementMs: limits.workMs, lockMs: 0, isSilent };
      const { connection } = await ProjectConnection.begin(client, beginning);
      const result = await work(connection);
      await connection.run(projectSql`commit`);
      return result;
    });
  if (!isSilent || registry.isPooled) return run(registry.address);
  try {
    return await run(silent(registry.address));
  } catch (error) {
    if (!isOptionRefused(error)) throw error;
    return run(registry.address);
  }
}

/** The address with event triggers off from the login on. */
function silent(address: PostgresAddress): PostgresAddress {
  return { ...address, options: [address.options, '-c event_triggers=off'].filter(Boolean).join(' ') };
}

/** A pooler takes no options at the login; nothing was done yet. */
function isOptionRefused(error: unknown): boolean {
  return sqlState(error) === '08P01' && error instanceof Error && error.message.includes('startup parameter');
}

/** Implicitly the temporary schema would come first; what a login trigger puts there must not stand in for the system's. */
const pinSql = projectSql`set local search_path to pg_catalog, pg_temp`;

function beginSql({ access, statementMs, lockMs, isSilent }: Beginning): string {
  // What the database's owner may have set otherwise, and what would stop or change our statements.
  return `begin isolation level read committed, ${access};
    ${pinSql};
    set local statement_timeout = ${statementMs};
    set local lock_timeout = ${lockMs};
    ${isSilent ? 'set local event_triggers = off;' : ''}`;
}
