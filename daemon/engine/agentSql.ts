import { AgentRoles, type AgentProject } from '../postgres/agentRoles.ts';
import { AgentSessions, defaultAgentLimits, type AgentClient, type AgentLimits } from '../postgres/agentSession.ts';
import { describeDatabase } from '../postgres/describeDatabase.ts';
import { queryDatabase, requireQuery } from '../postgres/queryDatabase.ts';
import type { RegistryDatabase } from '../postgres/registryDatabase.ts';
import type { LastingWrites, QueryResult } from '../protocol/agentSql.ts';
import type { RegistrarApi, ResolveParams } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { EngineLog } from './openEngine.ts';

export interface AgentSqlOptions {
  resolve(params: ResolveParams): Promise<Resolution>;
  /** What tells this daemon from all others that use the server. */
  owner: string;
  limits?: AgentLimits | undefined;
  log: EngineLog;
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

  /** The log says that something was asked and how it ended; what was asked may hold secrets. */
  async function run<T>(
    operation: string,
    resolution: Resolution,
    signal: AbortSignal | undefined,
    work: (client: AgentClient) => Promise<T>,
  ): Promise<T | null> {
    const project = databaseOf(resolution);
    if (!project) return null;
    const startedAt = performance.now();
    const fields = (): Record<string, unknown> => ({
      operation,
      projectId: project.id,
      databaseName: project.databaseName,
      durationMs: Math.round(performance.now() - startedAt),
    });
    try {
      const answer = await sessions.run(project, signal, work);
      options.log.info(fields(), 'answered');
      return answer;
    } catch (error) {
      const code = error instanceof RegistrarError ? error.code : null;
      options.log.info({ ...fields(), code }, signal?.aborted ? 'cancelled' : 'not answered');
      throw error;
    }
  }

  return {
    async describeDatabase(params, signal) {
      const resolution = await options.resolve(params);
      return { resolution, description: await run('describe', resolution, signal, describeDatabase) };
    },
    async queryDatabase({ sql, params: values, limit, ...params }, signal) {
      const query = { sql, ...(values ? { params: values } : {}), ...(limit === undefined ? {} : { limit }) };
      requireQuery(query);
      const resolution = await options.resolve(params);
      const work = (client: AgentClient): Promise<QueryResult> => queryDatabase(client, query, limits.bytes);
      return { resolution, result: await run('query', resolution, signal, work) };
    },
    lastingWrites: () => sessions.lastingWrites(),
    async dropRoles(projectIds) {
      for (const id of projectIds) await roles.drop(id);
    },
  };
}

/** Null unless the project was resolved and its database is there: a dry run may only have said that it would be made. */
function databaseOf({ outcome, project, wouldDo }: Resolution): AgentProject | null {
  if (outcome !== 'resolved' || !project || (wouldDo?.length ?? 0) > 0) return null;
  return { id: project.id, databaseName: project.databaseName };
}
