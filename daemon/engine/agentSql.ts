import { AgentRoles } from '../postgres/agentSql/agentRoles.ts';
import { AgentSessions, defaultAgentLimits, type AgentLimits } from '../postgres/agentSql/agentSession.ts';
import { describeDatabase } from '../postgres/agentSql/describeDatabase.ts';
import type { ProjectConnection } from '../postgres/connection/projectConnection.ts';
import { missingAsProject } from '../postgres/databases/proveDatabase.ts';
import { addressLabel } from '../postgres/address/address.ts';
import { queryDatabase, requireQuery } from '../postgres/agentSql/queryDatabase.ts';
import type { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import type { LastingWrites, QueryResult } from '../protocol/agentSql.ts';
import type { ErrorCode } from '../protocol/codes.ts';
import type { RegistrarApi, ResolveParams } from '../protocol/methods.ts';
import type { Project, Resolution } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { requireOwnWord } from '../registry/handOver.ts';
import { handOver, NotProved, type HandedOver } from './handOver.ts';
import type { EngineLog } from './engine.ts';

export interface AgentSqlOptions {
  resolve(params: ResolveParams): Promise<Resolution>;
  /** What tells this daemon from all others that use the server. */
  owner: string;
  limits?: AgentLimits | undefined;
  log: EngineLog;
  onHandedOver(resolution: Resolution): void;
}

export type AgentSql = Pick<RegistrarApi, 'describeDatabase' | 'queryDatabase'> & {
  /** Removes the roles of a project whose database is gone, under each id that it had. Throws what the server says where it may not. */
  dropRoles(projectIds: readonly string[]): Promise<void>;
  /** Of the databases that agents asked since the engine was opened. */
  lastingWrites(): LastingWrites[];
};

/** Agents' SQL on the database of whatever project a call resolves to. */
export function agentSql(registry: RegistryDatabase, options: AgentSqlOptions): AgentSql {
  const limits = options.limits ?? defaultAgentLimits;
  const roles = new AgentRoles(registry, options.owner);
  const sessions = new AgentSessions(roles, limits);

  /** The log says that a query ran and how it ended; the query itself may contain secrets. */
  async function run<T>(
    operation: string,
    project: Project,
    signal: AbortSignal | undefined,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    const fields = (): Record<string, unknown> => ({
      operation,
      projectId: project.id,
      databaseName: project.databaseName,
      durationMs: Math.round(performance.now() - startedAt),
    });
    const { id, databaseName } = project;
    const requireOwn = requireOwnWord.bind(null, project, registry.name);
    const progress = { isProved: false };
    try {
      const answer = await sessions.run({ id, databaseName, requireOwn }, signal, (connection) => {
        progress.isProved = true;
        return work(connection);
      });
      options.log.info(fields(), 'answered');
      return answer;
    } catch (thrown) {
      const error = missingAsProject(thrown, project, addressLabel(registry.address));
      const code = error instanceof RegistrarError ? error.code : null;
      options.log.info({ ...fields(), code }, signal?.aborted ? 'cancelled' : 'not answered');
      if (!progress.isProved && error instanceof RegistrarError && unproved.has(error.code)) throw new NotProved(error);
      throw error;
    }
  }

  async function onDatabase<T>(
    operation: string,
    params: ResolveParams,
    signal: AbortSignal | undefined,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<HandedOver<T>> {
    const handed = await handOver(
      () => options.resolve(params),
      (project) => run(operation, project, signal, work),
    );
    if (handed.given !== null) options.onHandedOver(handed.resolution);
    return handed;
  }

  return {
    async describeDatabase(params, signal) {
      const { resolution, given } = await onDatabase('describe', params, signal, describeDatabase);
      return { resolution, description: given };
    },
    async queryDatabase({ sql, params: values, limit, ...params }, signal) {
      const query = { sql, ...(values ? { params: values } : {}), ...(limit === undefined ? {} : { limit }) };
      requireQuery(query);
      const work = (connection: ProjectConnection): Promise<QueryResult> =>
        queryDatabase(connection, query, limits.bytes);
      const { resolution, given } = await onDatabase('query', params, signal, work);
      return { resolution, result: given };
    },
    lastingWrites: () => sessions.lastingWrites(),
    async dropRoles(projectIds) {
      for (const id of projectIds) await roles.drop(id);
    },
  };
}

/** What prevents the proof of a database, as opposed to what agents' SQL lacks in a proved one. */
const unproved: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DATABASE_FOREIGN',
  'DATABASE_MISSING',
  'MARKER_MISSING',
  'PROJECT_FORGOTTEN',
  'PROJECT_DROPPED',
  'REGISTRY_UNREACHABLE',
  'CREDENTIALS_REQUIRED',
]);
