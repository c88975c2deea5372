import type { Client } from 'pg';
import type { LastingWrites } from '../../protocol/agentSql.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { PostgresAddress } from '../address/address.ts';
import {
  agentLoginRefused,
  agentRoleTooMighty,
  poolerBetween,
  sqlTimeout,
  statementFailed,
  tooManyQueries,
} from './agentFaults.ts';
import { unreadableSql, type AgentProject, type AgentRoles } from './agentRoles.ts';
import { cancelRequest } from '../connection/cancelRequest.ts';
import { wordColumns, wordOf, type WordRow } from '../databases/databaseWord.ts';
import { withConnection } from '../connection/directConnection.ts';
import { lastingWritesSql } from './lastingWrites.ts';
import { ProjectConnection } from '../connection/projectConnection.ts';
import { projectSql } from '../connection/projectSql.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import { Turns } from '../connection/turns.ts';
import { cutAfter } from '../../time/withLimit.ts';

/** Limits of agents' SQL. Times are in milliseconds. */
export interface AgentLimits {
  /** One statement. */
  statementMs: number;
  /** One wait for a lock. */
  lockMs: number;
  /** Opening a connection. */
  connectMs: number;
  /** All values of an answer together. */
  bytes: number;
  /** Statements that run at the same time, over all projects; the others wait. */
  atOnce: number;
  /** Statements of one project that run at the same time. */
  atOnceEach: number;
}

export const defaultAgentLimits: AgentLimits = {
  statementMs: 30_000,
  lockMs: 5000,
  connectMs: 5000,
  bytes: 1_048_576,
  atOnce: 12,
  atOnceEach: 4,
};

/**
 * The server's own limit comes first; ours comes this much later. A cancelled statement may go on for the same time
 * again.
 */
const graceMs = 1000;
/** How long this process may be busy or paused before the server ends its session, ms. */
const idleMs = 60_000;
/** How many logins with a new password are tried: a copy of this machine may set one at the same moment. */
const maxLogins = 3;

/** Sessions of the agents' roles: each has a connection of its own, reads in one transaction, and leaves nothing. */
export class AgentSessions {
  readonly #roles: AgentRoles;
  readonly #limits: AgentLimits;
  readonly #turns: Turns;
  /** What each role cannot read although it got all possible grants: trying again would not help. */
  readonly #closed = new Map<string, string>();
  /** By database, what was open at the last question. */
  readonly #lasting = new Map<string, string[]>();

  constructor(roles: AgentRoles, limits: AgentLimits) {
    this.#roles = roles;
    this.#limits = limits;
    this.#turns = new Turns(limits.atOnce, limits.atOnceEach);
  }

  /**
   * Runs `work` in a read-only transaction as the project's role, and rolls it back. The connection is closed afterwards, so
   * that no setting, lock or cursor outlives the statement.
   *
   * @param signal cancels it on the server, too; its reason is then thrown
   * @throws RegistrarError SQL_FAILED, SQL_REJECTED and SQL_TIMEOUT of what `work` asks; REGISTRY_FORBIDDEN naming the grant
   *   that is missing, PROVISION_FAILED, REGISTRY_UNREACHABLE, and whatever `work` and `project.requireOwn` throw
   */
  async run<T>(
    project: AgentProject,
    signal: AbortSignal | undefined,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    const { statementMs } = this.#limits;
    return this.#turns.run(
      statementMs,
      () => tooManyQueries(statementMs),
      () => this.#loggedIn(project, signal, (client) => this.#inTransaction(client, project, signal, work)),
      project.id,
    );
  }

  /** The queried databases in which agents' SQL may do what a rollback does not undo. */
  lastingWrites(): LastingWrites[] {
    return [...this.#lasting].map(([databaseName, functions]) => ({ databaseName, functions }));
  }

  /** Logs in as the project's role, and again where its password has changed meanwhile. */
  async #loggedIn<T>(
    project: AgentProject,
    signal: AbortSignal | undefined,
    run: (client: Client) => Promise<T>,
  ): Promise<T> {
    const { connectMs, statementMs } = this.#limits;
    // The last resort: the transaction begins within this limit, too, and the statement has its own.
    const limits = { connectMs, workMs: statementMs + 10 * graceMs + connectMs };
    let refused: PostgresAddress | null = null;
    for (let login = 1; ; login += 1) {
      signal?.throwIfAborted();
      const address = await this.#roles.addressFor(project, refused);
      const progress = { isLoggedIn: false };
      try {
        return await withConnection(address, project.databaseName, limits, (client) => {
          progress.isLoggedIn = true;
          return run(client);
        });
      } catch (error) {
        if (progress.isLoggedIn) throw error;
        if (sqlState(error) !== '28P01' || login === maxLogins) {
          throw agentLoginRefused(error, this.#roles.nameFor(project), project.databaseName);
        }
        refused = address;
      }
    }
  }

  async #inTransaction<T>(
    client: Client,
    project: AgentProject,
    signal: AbortSignal | undefined,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    const role = this.#roles.nameFor(project);
    const connection = await this.#begin(client, project).catch((error: unknown) => {
      throw statementFailed(error, role, this.#limits.statementMs);
    });
    return this.#limited(client, role, signal, async () => {
      const answer = await work(connection);
      // A statement that was cut off rolls back by itself, but keeps computing until it is cancelled.
      if (client.connection.stream.destroyed) await cancelRequest(client);
      else await connection.run(projectSql`rollback`);
      return answer;
    });
  }

  /**
   * Begins the transaction, checks who owns the database and who is logged in, and opens the tables that were created
   * since the last time.
   */
  async #begin(client: Client, project: AgentProject): Promise<ProjectConnection> {
    const { statementMs, lockMs } = this.#limits;
    const role = this.#roles.nameFor(project);
    // All in one round trip. The select takes the snapshot after which the transaction cannot be made to write any more.
    const { connection, rows } = await ProjectConnection.begin(client, {
      access: 'read only',
      // This role may not disable event triggers, but a trigger that runs as this role can do no harm.
      isSilent: false,
      statementMs,
      lockMs,
      settings: projectSql`
        set local idle_in_transaction_session_timeout = ${statementMs + idleMs};
        set local client_min_messages = error;
        set local datestyle = 'ISO';
        set local bytea_output = hex;`,
      first: projectSql`
        select current_user::text as role, pg_backend_pid() as pid,
               exists (select from pg_roles r where r.rolname = current_user
                       and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls
                            or exists (select from pg_auth_members m where m.member = r.oid))) as is_mighty,
               (${closedSql}) as closed, (${lastingWritesSql}) as lasting, ${wordColumns}`,
    });
    const begun = rows[0] as Begun | undefined;
    project.requireOwn(wordOf(begun));
    // A pooler gives out process ids of its own, and may log in as somebody else.
    const { processID } = client as unknown as { processID: number };
    if (begun?.role !== role || begun.pid !== processID) throw poolerBetween();
    if (begun.is_mighty) throw agentRoleTooMighty(role);
    if (begun.lasting === null) this.#lasting.delete(project.databaseName);
    else this.#lasting.set(project.databaseName, begun.lasting);
    if (begun.closed === null || begun.closed === this.#closed.get(role)) return connection;
    await this.#roles.grant(project);
    const [after] = await connection.run<{ closed: string | null }>(projectSql`select (${closedSql}) as closed`);
    if (after?.closed != null) this.#closed.set(role, after.closed);
    else this.#closed.delete(role);
    return connection;
  }

  /**
   * Stops the statement when the time is over or somebody cancels: first by asking the server, then by ending the
   * connection.
   */
  async #limited<T>(client: Client, role: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    const { statementMs } = this.#limits;
    let cutting: NodeJS.Timeout | undefined;
    const cancelling: Promise<void>[] = [];
    const stop = (): void => {
      if (cancelling.length > 0) return;
      cancelling.push(cancelRequest(client));
      cutting = setTimeout(() => {
        // The first request did nothing if it came between two statements.
        cancelling.push(cancelRequest(client));
        client.connection.stream.destroy();
      }, graceMs);
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stop);
    try {
      // A statement can switch the server's timer off for itself.
      return await cutAfter(statementMs + graceMs, stop, run);
    } catch (error) {
      signal?.throwIfAborted();
      if (cancelling.length > 0 && !(error instanceof RegistrarError)) throw sqlTimeout(statementMs, error);
      throw statementFailed(error, role, statementMs);
    } finally {
      clearTimeout(cutting);
      signal?.removeEventListener('abort', stop);
      // It must not reach the rollback, nor outlive the caller.
      await Promise.all(cancelling);
    }
  }
}

interface Begun extends WordRow {
  role: string;
  pid: number;
  is_mighty: boolean;
  closed: string | null;
  lasting: string[] | null;
}

/** Stands for all that the role cannot read; null when it can read everything. */
const closedSql = projectSql`select md5(string_agg(c.oid::text, ',' order by c.oid)) ${unreadableSql(projectSql`current_user`)}`;
