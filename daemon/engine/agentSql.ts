import { AgentRoles, type AgentProject } from '../postgres/agentRoles.ts';
import { AgentSessions, defaultAgentLimits, type AgentLimits } from '../postgres/agentSession.ts';
import { describeDatabase } from '../postgres/describeDatabase.ts';
import { queryDatabase, requireQuery } from '../postgres/queryDatabase.ts';
import type { RegistryDatabase } from '../postgres/registryDatabase.ts';
import type { RegistrarApi, ResolveParams } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';

export interface AgentSqlOptions {
  resolve(params: ResolveParams): Promise<Resolution>;
  /** What tells this daemon from all others that use the server. */
  owner: string;
  limits?: AgentLimits | undefined;
}

export type AgentSql = Pick<RegistrarApi, 'describeDatabase' | 'queryDatabase'> & {
  /** Removes the roles of a project whose database is gone. Throws what the server says where it may not. */
  dropRoles(projectId: string): Promise<void>;
};

/** Agents' SQL on the database of whatever project a call resolves to. */
export function agentSql(registry: RegistryDatabase, options: AgentSqlOptions): AgentSql {
  const limits = options.limits ?? defaultAgentLimits;
  const roles = new AgentRoles(registry, options.owner);
  const sessions = new AgentSessions(roles, limits);
  return {
    async describeDatabase(params, signal) {
      const resolution = await options.resolve(params);
      const project = databaseOf(resolution);
      return { resolution, description: project && (await sessions.run(project, signal, describeDatabase)) };
    },
    async queryDatabase({ sql, params: values, limit, ...params }, signal) {
      const query = { sql, ...(values ? { params: values } : {}), ...(limit === undefined ? {} : { limit }) };
      requireQuery(query);
      const resolution = await options.resolve(params);
      const project = databaseOf(resolution);
      const result =
        project && (await sessions.run(project, signal, (client) => queryDatabase(client, query, limits.bytes)));
      return { resolution, result };
    },
    dropRoles: (projectId) => roles.drop(projectId),
  };
}

/** Null unless the project was resolved and its database is there: a dry run may only have said that it would be made. */
function databaseOf({ outcome, project, wouldDo }: Resolution): AgentProject | null {
  if (outcome !== 'resolved' || !project || (wouldDo?.length ?? 0) > 0) return null;
  return { id: project.id, databaseName: project.databaseName };
}
