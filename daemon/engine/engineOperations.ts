import { databaseSizes } from '../postgres/databases/databaseSizes.ts';
import type { RegistryEvents } from '../postgres/registry/registryEvents.ts';
import type { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import type { Connection, Dropped, Forgotten, UnusedProjects } from '../protocol/answers.ts';
import type { RepairResult } from '../protocol/drift.ts';
import type { EngineApi, ParamsOf, ResolveParams } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import { adoptDatabase } from '../registry/changes/adoptDatabase.ts';
import { dropProject } from '../registry/changes/dropProject.ts';
import { forgetProject } from '../registry/changes/forgetProject.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import { remakeProject } from '../registry/changes/remakeProject.ts';
import { findSighting } from '../registry/settle/settleReference.ts';
import type { Outbox } from '../sync/outbox.ts';
import type { SyncLoop } from '../sync/syncLoop.ts';
import type { AgentSql } from './agentSql.ts';
import { removeBinding, useProject } from './bindFolder.ts';
import { connectionTo } from './connectionTo.ts';
import { drift, repair, type DriftPorts } from './driftCommands.ts';
import type { EngineLog } from './engine.ts';
import { handOver } from './handOver.ts';
import { listEvents } from './listEvents.ts';
import { listed, listProjects } from './listProjects.ts';
import { createProject, updateProject, type CommandPorts } from './projectCommands.ts';
import { textOf } from './textOf.ts';
import { unusedProjects } from './unusedProjects.ts';

/** The parts of an engine that its operations use. */
export interface EngineParts {
  database: RegistryDatabase;
  registry: RegistryPorts;
  events: RegistryEvents;
  onHandedOver: (resolution: Resolution) => void;
  outbox: Outbox;
  sync: SyncLoop;
  commands: CommandPorts;
  agents: AgentSql;
  drift: DriftPorts;
  resolve: (params: ResolveParams, onStep?: OnStep) => Promise<Resolution>;
  log: EngineLog;
}

/** What an engine does for each operation of `daemon/protocol/operations.ts` that is an engine's. */
export function engineOperations(parts: EngineParts): EngineApi {
  const { registry, commands, agents, sync } = parts;
  return {
    resolve: parts.resolve,
    listProjects: (params) => listProjects(params, registry, parts.outbox),
    unusedProjects: (params) => unused(params, parts),
    listEvents: (params) => listEvents(params, parts.events),
    showProject: async ({ project }) => listed(await findSighting(project, registry)),
    createProject: (params, onStep) => createProject(params, commands, onStep),
    updateProject: (params) => updateProject(params, commands),
    adoptDatabase: async ({ database, name }) =>
      parts.resolve({ project: await adoptDatabase(database, name ?? null, registry) }),
    forgetProject: (params) => forgotten(params, parts),
    dropProject: (params) => dropped(params, parts),
    remakeProject: (params, onStep) => remade(params, parts, onStep),
    useProject: (params, onStep) => useProject(params, commands, onStep),
    removeBinding: (params) => removeBinding(params, commands),
    connection: (params) => connected(params, parts),
    describeDatabase: agents.describeDatabase,
    queryDatabase: agents.queryDatabase,
    syncStatus: () => Promise.resolve(sync.status()),
    async syncNow() {
      await sync.attempt(true);
      return sync.status();
    },
    drift: () => drift(parts.drift),
    repair: (params, onStep) => repaired(params, parts, onStep),
  };
}

function unused({ unusedMs, query }: ParamsOf<'unusedProjects'>, parts: EngineParts): Promise<UnusedProjects> {
  const { registry } = parts.registry;
  const before = new Date(Date.now() - unusedMs).toISOString();
  return unusedProjects(query ?? null, before, { registry, sizes: (names) => databaseSizes(parts.database, names) });
}

async function forgotten({ project }: ParamsOf<'forgetProject'>, { registry }: EngineParts): Promise<Forgotten> {
  const sighting = await forgetProject(project, registry);
  return { project: listed(sighting), databaseName: sighting.row.databaseName };
}

async function dropped({ project, confirm }: ParamsOf<'dropProject'>, parts: EngineParts): Promise<Dropped> {
  const { registry, sync, agents, log } = parts;
  const sighting = await dropProject(project, confirm, registry, () => sync.attempt());
  const { id, databaseName, registrar } = sighting.row;
  log.info({ operation: 'drop', projectId: id, databaseName }, 'project dropped');
  await agents.dropRoles([id, ...(registrar.formerIds ?? [])]).catch((error: unknown) => {
    log.warn(
      { operation: 'drop', projectId: id, reason: textOf(error) },
      'a role for agents’ SQL could not be dropped',
    );
  });
  return { project: listed(sighting), databaseName };
}

async function remade(
  { project, confirm }: ParamsOf<'remakeProject'>,
  { registry, resolve }: EngineParts,
  onStep?: OnStep,
): Promise<Resolution> {
  const { row, warnings } = await remakeProject(project, confirm, registry, onStep);
  const answer = await resolve({ project: row?.id ?? project });
  return { ...answer, warnings: [...warnings, ...answer.warnings] };
}

async function connected(params: ParamsOf<'connection'>, parts: EngineParts): Promise<Connection> {
  const { resolve, database, log } = parts;
  const { resolution, given } = await handOver(
    () => resolve(params),
    (project) => connectionTo(project, database, log),
  );
  if (given) parts.onHandedOver(resolution);
  return { resolution, environment: given };
}

async function repaired(
  { planId }: ParamsOf<'repair'>,
  { drift: ports, log }: EngineParts,
  onStep?: OnStep,
): Promise<RepairResult> {
  const result = await repair(planId, ports, onStep);
  for (const { action, project, database } of result.applied)
    log.info({ operation: 'repair', projectId: project?.id, databaseName: database }, action);
  for (const { action, project, database, error } of result.failed) {
    const { code, message } = error;
    log.warn({ operation: 'repair', projectId: project?.id, databaseName: database, code }, `${action}: ${message}`);
  }
  return result;
}
