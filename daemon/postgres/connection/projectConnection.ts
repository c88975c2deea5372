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
  /** Whether to disable event triggers, which needs a privilege. */
  isSilent: boolean;
}

/**
 * A transaction in a project's database, the only way to query it.
 *
 * A database's owner can set anything for it, and every session inherits that. With the owner's `search_path`, each
 * unqualified name, including operators, is the owner's code, run as the querying role. So the path is pinned before
 * the first statement, with utility statements, which look nothing up. It is set for the transaction only, because
 * behind a pooler the session belongs to somebody else afterwards.
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
   * Gives the connection to somebody else's SQL, which expects the path of database and role. Of our own SQL, only
   * fully qualified statements may follow.
   *
   * @param work may do anything with the client; nobody else uses it meanwhile
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

/** The parts of the registry's database that say how to reach a project's database. */
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
  // Settings that the database's owner may have changed, and that would stop or change our statements.
  return `begin isolation level read committed, ${access};
    ${pinSql};
    set local statement_timeout = ${statementMs};
    set local lock_timeout = ${lockMs};
    ${isSilent ? 'set local event_triggers = off;' : ''}`;
}
