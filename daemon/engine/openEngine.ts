import { createHash, randomUUID } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigReader } from '../config/configCache.ts';
import { ConfigFinder } from '../config/configFinder.ts';
import { promptLooks } from '../files/fileLooks.ts';
import { identifyFolder, identifyFolderAtOnce, presenceOf } from '../config/folderFacts.ts';
import { gitEvidence } from '../git/gitEvidence.ts';
import { normaliseOrigin } from '../git/gitRemotes.ts';
import { ClaimsFile } from '../lifecycle/claimsFile.ts';
import { hostId } from '../lifecycle/hostFile.ts';
import { KnownProjects } from '../lifecycle/knownProjects.ts';
import { writePrivateFile } from '../lifecycle/stateFolder.ts';
import { addressKey, addressLabel, type PostgresAddress } from '../postgres/address.ts';
import type { AgentLimits } from '../postgres/agentSession.ts';
import { databaseSizes } from '../postgres/databaseSizes.ts';
import { databases } from '../postgres/databases.ts';
import { deliver } from '../postgres/deliver.ts';
import { readRegistry } from '../postgres/driftReading.ts';
import { countProjects, databaseFacts } from '../postgres/figures.ts';
import { projectsTable } from '../postgres/projectsTable.ts';
import { registryEvents, type RegistryEvents, type RegistryEventsOptions } from '../postgres/registryEvents.ts';
import { watchChanges, type ChangeWatch, type ChangeWatchOptions } from '../postgres/registryChanges.ts';
import { RegistryDatabase, type Limits } from '../postgres/registryDatabase.ts';
import type { LastingWrites } from '../protocol/agentSql.ts';
import type { DatabaseFacts } from '../protocol/control.ts';
import type { ListParams, RegistrarApi, ResolveParams } from '../protocol/methods.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import type { AddressSource, ListedProject, Resolution, ServerLabel } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import { named } from '../protocol/visibleText.ts';
import { adoptDatabase } from '../registry/adoptDatabase.ts';
import { dropProject } from '../registry/dropProject.ts';
import { remakeProject } from '../registry/remakeProject.ts';
import { forgetProject } from '../registry/forgetProject.ts';
import { projectOf, type RegistryRow, type Sighting } from '../registry/model.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import { findSighting } from '../registry/settleReference.ts';
import type { ResolutionPorts, WorkspaceConfig } from '../resolution/ports.ts';
import { resolve } from '../resolution/resolve.ts';
import type { WindowFolder } from '../resolution/trust.ts';
import { Outbox } from '../sync/outbox.ts';
import { retryDelayMs } from '../sync/retryPolicy.ts';
import { SyncLoop } from '../sync/syncLoop.ts';
import { createWorkflowClient } from '../workflow/activeProject.ts';
import { agentSql } from './agentSql.ts';
import { withConfig } from './checkConfig.ts';
import { configFiles, exists, idWriter, isOnlyConfigNamed } from './configFiles.ts';
import { drift, repair, type DriftPorts } from './driftCommands.ts';
import { removeBinding, useProject } from './bindFolder.ts';
import { createProject, updateProject, type CommandPorts } from './projectCommands.ts';
import { connectionTo } from './connectionTo.ts';
import { handOver } from './handOver.ts';
import { unusedProjects } from './unusedProjects.ts';

export interface EngineOptions {
  address: PostgresAddress;
  source: AddressSource;
  stateFolder: string;
  home: string;
  settings: Settings;
  log: EngineLog;
  limits?: Limits;
  agentLimits?: AgentLimits;
  /** This machine's name in what rows record of folders; the operating system's when absent. */
  host?: string;
  /** Folders that windows have open. */
  windows?: () => readonly WindowFolder[];
  /** Folders that `registrar trust` listed, real paths; those of the settings when absent. */
  trustedFolders?: () => Promise<readonly string[]>;
  /** Called when a delivery changed what `syncStatus` says. */
  onSync?: () => void;
  /** Called when somebody may have changed the registry, and when the server went or came back; needs `watches`. */
  onRegistryChange?: () => void;
  /** Hears of what other daemons change, so that memory is not behind when the server goes: for an engine that stays. */
  watches?: boolean;
  /** How it listens and polls; the defaults of `watchChanges` when absent. */
  watchTimes?: Pick<ChangeWatchOptions, 'pollMs' | 'echoMs'>;
  /** How long the workflow server may take, ms; 1 s when absent. */
  workflowTimeoutMs?: number;
}

/** One structured line of the log; the fields are those of the log's documentation. */
export interface EngineLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface Engine extends RegistrarApi {
  /** As a dry run of `resolve`, for what windows show: it is no request of anybody's, so nothing is logged. */
  look(directory: string): Promise<Resolution>;
  /** The same for the folder of a config file, as if that held this. */
  lookWith(config: WorkspaceConfig): Promise<Resolution>;
  /** Whether `onRegistryChange` comes at once; a server or pooler may not allow it. */
  isListening(): boolean;
  databaseFacts(databaseName: string): Promise<DatabaseFacts>;
  countProjects(): Promise<number>;
  /** Connections of the registry's pool. */
  pool(): { open: number; idle: number; waiting: number };
  /** Where agents' SQL may do what a rollback does not undo. */
  lastingWrites(): LastingWrites[];
  /** Every project of this registry, those that wait for it included. */
  projectsHere(): Promise<ProjectHere[]>;
  /** Stops the sync loop, writes what is known and closes every connection. */
  close(): Promise<void>;
}

/** A project of this registry, with its database's comment. */
export interface ProjectHere {
  name: string;
  databaseName: string;
  /** True when only this machine's outbox knows it. */
  pending: boolean;
  comment: string | null;
}

/** Joins rules and adapters for one PostgreSQL address. Nothing is dialled before the first request or pending delivery. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { address, stateFolder, settings, log } = options;
  // The bundled server keeps its projects whatever port it gets.
  const key = options.source === 'bundled' ? `bundled/${address.registryDatabase}` : addressKey(address);
  const server: ServerLabel = { address: addressLabel(address), source: options.source };
  const database = new RegistryDatabase(address, options.limits, settings['registrar.postgres.ownerRole']);
  const now = (): Date => new Date();
  const outbox = await Outbox.open(join(stateFolder, 'outbox'), {
    registry: key,
    now: () => now().toISOString(),
    writeFile: writePrivateFile,
    onDamaged: (file, reason) => {
      log.warn({ operation: 'outbox', file, reason }, 'an outbox entry could not be read and was set aside');
    },
  });
  const memory = await KnownProjects.open(join(stateFolder, 'known.json'), key, now, (error) => {
    log.warn({ operation: 'known', reason: textOf(error) }, 'known.json could not be read or written');
  });
  const host = options.host ?? hostname();
  const thisHost = await hostId(join(stateFolder, 'host.json'), host);
  const openClaims = (file: string, perFolder: boolean): Promise<ClaimsFile> =>
    ClaimsFile.open(join(stateFolder, file), {
      perFolder,
      onFailure: (error) => {
        log.warn({ operation: 'claims', file, reason: textOf(error) }, 'claims of folders could not be read');
      },
    });
  const [claims, bindings] = await Promise.all([openClaims('claims.json', false), openClaims('bindings.json', true)]);
  const creator = `${userName()}@${host}`;
  const eventsOptions: RegistryEventsOptions = {
    host,
    creator,
    onMissing: (reason) => {
      log.warn({ operation: 'events', reason }, 'the registry keeps no record of who does what');
    },
  };
  const events = registryEvents(database, eventsOptions);
  const sync = new SyncLoop(outbox, {
    deliver: (rows) => deliver(database, events, rows),
    now,
    random: Math.random,
    report: (entry, delivery, nextAttemptAt) => {
      options.onSync?.();
      const { id, databaseName } = entry.row;
      const fields = { operation: 'sync', projectId: id, databaseName };
      if (delivery.kind === 'delivered') log.info({ ...fields, sync: 'postgresql' }, 'project registered');
      else if (delivery.kind === 'forgotten')
        log.info({ ...fields, code: 'PROJECT_FORGOTTEN' }, 'project was forgotten');
      else log.warn({ ...fields, code: delivery.error.code, nextAttemptAt }, delivery.error.message);
    },
  });
  database.onUsable = () => {
    sync.wake();
  };
  const reader = new ConfigReader();
  const lookingOnly = database.lookingOnly();
  const registryPorts: RegistryPorts = {
    ...registryAndCatalog(database, settings, events),
    lookingOnly: registryAndCatalog(lookingOnly, settings, registryEvents(lookingOnly, eventsOptions)),
    outbox,
    memory,
    folders: {
      exists,
      git: (path) => gitEvidence(path, { home: options.home }),
      identify: async (path) =>
        finder.looksAt(path) === promptLooks
          ? identifyFolderAtOnce(path, { home: options.home })
          : identifyFolder(path, { home: options.home }),
      presence: presenceOf,
      isOnlyConfigNamed: (root, folder, name) => isOnlyConfigNamed(root, folder, name, reader),
    },
    claims: {
      of: (projectIds) => claims.of(projectIds),
      // Where the disk refuses it, the folder shows its evidence again when the daemon is another.
      keep: (projectId, claim) =>
        claims.keep(projectId, claim).catch((error: unknown) => {
          log.warn({ operation: 'claims', projectId, reason: textOf(error) }, 'a folder’s claim could not be kept');
        }),
    },
    origin: {
      newId: randomUUID,
      now: () => now().toISOString(),
      host,
      hostId: thisHost,
      creator,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      pause: (ms) => delay(ms),
    },
    unnoted: new Set(),
  };
  const finder = new ConfigFinder(reader, { home: options.home, now: () => performance.now() });
  const workflowUrl = settings['registrar.workflow.url'];
  const resolution: ResolutionPorts = {
    registry: registryPorts,
    config: {
      find: (directory) => finder.find(directory),
      read: (path, vouch) => finder.read(path, vouch),
      idWriter: (path) => idWriter(path, settings['registrar.config.writeId'], reader),
    },
    bindings: { at: (folder) => bindings.at(thisHost, folder) },
    workflow:
      workflowUrl === null
        ? null
        : createWorkflowClient({
            url: workflowUrl,
            timeoutMs: options.workflowTimeoutMs,
            now: () => performance.now(),
          }),
    defaultProject: settings['registrar.defaultProject.enabled']
      ? { databaseName: defaultDatabaseName(address.registryDatabase) }
      : null,
    trust: {
      windows: options.windows ?? (() => []),
      trustedFolders: options.trustedFolders ?? (() => Promise.resolve(settings.trustedFolders)),
      daemonUid: process.getuid?.() ?? null,
      separator: sep,
      realPath: (path) => realpath(path).catch(() => path),
    },
    host,
    clock: () => performance.now(),
  };

  const resolveLogged = async (params: ResolveParams, onStep?: OnStep): Promise<Resolution> => {
    const startedAt = performance.now();
    const answer = await resolve(params, resolution, server, onStep);
    const fields = {
      operation: 'resolve',
      projectId: answer.project?.id,
      databaseName: answer.project?.databaseName,
      tier: answer.tier,
      sync: answer.sync?.state,
      code: answer.error?.code,
      durationMs: Math.round(performance.now() - startedAt),
    };
    if (answer.outcome === 'refused') log.warn(fields, answer.error?.message ?? 'refused');
    // Whoever asked does not wait for the disk: the line follows the answer.
    else
      setImmediate(() => {
        log.info(fields, answer.created ? 'project created' : answer.outcome);
      });
    return answer;
  };
  const commands: CommandPorts = {
    resolution,
    files: configFiles(reader, { home: options.home }),
    bindings,
    normaliseOrigin,
    resolve: resolveLogged,
  };
  const agents = agentSql(database, {
    resolve: resolveLogged,
    log,
    owner: `${host}\0${stateFolder}`,
    limits: options.agentLimits,
  });
  const driftPorts: DriftPorts = {
    registry: registryPorts,
    readRegistry: () => readRegistry(database),
    outbox: () => outbox.entries(),
    deliver: () => sync.attempt(),
    folders: () => memory.foldersOn(host),
    readConfig: (path) => reader.read(path),
  };
  if (outbox.entries().length > 0) void sync.attempt();
  const watch = options.watches ? watchKnown(database, memory, outbox, registryPorts, options) : null;

  return {
    server: () => server,
    pool: () => database.poolFigures(),
    lastingWrites: () => agents.lastingWrites(),
    projectsHere: () => projectsHere(registryPorts),
    resolve: resolveLogged,
    look: (directory) => resolve({ directory, dryRun: true }, resolution, server),
    lookWith: (config) => resolve({ directory: config.folder, dryRun: true }, withConfig(resolution, config), server),
    isListening: () => watch?.mode() === 'listening',
    databaseFacts: (databaseName) => databaseFacts(database, databaseName),
    countProjects: () => countProjects(database.lookingOnly()),
    listProjects: (params) => listProjects(params, registryPorts, outbox),
    unusedProjects({ unusedMs, query }) {
      const before = new Date(now().getTime() - unusedMs).toISOString();
      const { registry } = registryPorts;
      return unusedProjects(query ?? null, before, { registry, sizes: (names) => databaseSizes(database, names) });
    },
    async showProject({ project }) {
      return listed(await findSighting(project, registryPorts));
    },
    createProject: (params, onStep) => createProject(params, commands, onStep),
    updateProject: (params) => updateProject(params, commands),
    async adoptDatabase({ database: databaseName, name }) {
      return resolveLogged({ project: await adoptDatabase(databaseName, name ?? null, registryPorts) });
    },
    async forgetProject({ project }) {
      const sighting = await forgetProject(project, registryPorts);
      return { project: listed(sighting), databaseName: sighting.row.databaseName };
    },
    async dropProject({ project, confirm }) {
      const sighting = await dropProject(project, confirm, registryPorts, () => sync.attempt());
      const { id, databaseName, registrar } = sighting.row;
      log.info({ operation: 'drop', projectId: id, databaseName }, 'project dropped');
      await agents.dropRoles([id, ...(registrar.formerIds ?? [])]).catch((error: unknown) => {
        log.warn({ operation: 'drop', projectId: id, reason: textOf(error) }, 'a role for agents’ SQL is left');
      });
      return { project: listed(sighting), databaseName };
    },
    async remakeProject({ project, confirm }, onStep) {
      const { row, warnings } = await remakeProject(project, confirm, registryPorts, onStep);
      const answer = await resolveLogged({ project: row?.id ?? project });
      return { ...answer, warnings: [...warnings, ...answer.warnings] };
    },
    useProject: (params, onStep) => useProject(params, commands, onStep),
    removeBinding: (params) => removeBinding(params, commands),
    async connection(params) {
      const { resolution, given } = await handOver(
        () => resolveLogged(params),
        (project) => connectionTo(project, database, log),
      );
      return { resolution, environment: given };
    },
    describeDatabase: agents.describeDatabase,
    queryDatabase: agents.queryDatabase,
    syncStatus: () => Promise.resolve(sync.status()),
    async syncNow() {
      await sync.attempt(true);
      return sync.status();
    },
    drift: () => drift(driftPorts),
    async repair({ planId }, onStep) {
      const result = await repair(planId, driftPorts, onStep);
      for (const { action, project, database } of result.applied)
        log.info({ operation: 'repair', projectId: project?.id, databaseName: database }, action);
      for (const { action, project, database, error } of result.failed) {
        const { code, message } = error;
        log.warn(
          { operation: 'repair', projectId: project?.id, databaseName: database, code },
          `${action}: ${message}`,
        );
      }
      return result;
    },
    async close() {
      await watch?.stop();
      await sync.stop();
      await memory.close();
      await database.close();
    },
  };
}

/** Keeps what memory knows as the registry has it, whoever changes it. Changes that come together are read together. */
function watchKnown(
  database: RegistryDatabase,
  memory: KnownProjects,
  outbox: Outbox,
  ports: RegistryPorts,
  { log, watchTimes, onRegistryChange }: Pick<EngineOptions, 'log' | 'watchTimes' | 'onRegistryChange'>,
): ChangeWatch {
  let isAsked = false;
  let running: Promise<void> | null = null;
  const refresh = async (): Promise<void> => {
    while (isAsked) {
      isAsked = false;
      // What waits in the outbox is not in the registry, and known all the same.
      const ids = memory.ids().filter((id) => outbox.find({ id, name: null }).length === 0);
      if (ids.length === 0) continue;
      const sightings = await ports.lookingOnly.registry.lookIds(ids);
      const changed = memory.refresh(
        ids,
        sightings.map(({ row }) => row),
      );
      if (changed > 0) log.info({ operation: 'watch', changed }, 'projects changed elsewhere');
    }
  };
  return watchChanges(database, {
    ...watchTimes,
    // A daemon that nobody uses does not wake up more than once a minute for a server that is not there.
    retryDelayMs: (failures) => (failures > 6 ? 60_000 * (1 + Math.random()) : retryDelayMs(failures, Math.random())),
    onLost: () => onRegistryChange?.(),
    onChange: () => {
      onRegistryChange?.();
      isAsked = true;
      running ??= refresh()
        .catch((error: unknown) => {
          log.warn({ operation: 'watch', reason: textOf(error) }, 'what changed elsewhere could not be read');
        })
        .finally(() => {
          running = null;
        });
    },
  });
}

function registryAndCatalog(
  database: RegistryDatabase,
  settings: Settings,
  events: RegistryEvents,
): RegistryPorts['lookingOnly'] {
  return {
    registry: projectsTable(database, events),
    catalog: databases(database, {
      projectSchema: () => readSchema(settings['registrar.postgres.projectSchema']),
    }),
  };
}

/** Another registry on the same server has its own default project: its database carries the registry's name in its digits. */
export function defaultDatabaseName(registry: string): string {
  if (registry === 'codebase_mcp_registry') return 'cb_proj_default_00000000';
  return `cb_proj_default_${createHash('md5').update(registry).digest('hex').slice(0, 8)}`;
}

async function listProjects(
  params: ListParams,
  ports: RegistryPorts,
  outbox: Outbox,
): ReturnType<RegistrarApi['listProjects']> {
  const limit = params.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new RegistrarError({
      code: 'INVALID_ARGUMENT',
      message: `limit must be a whole number from 1 to 1000, not ${limit}.`,
      hint: 'Leave it out for 100.',
    });
  }
  const query = params.query ?? null;
  const cursor = params.cursor ?? null;
  const rows = await ports.registry.list({ query, after: cursor, limit: limit + 1 });
  const page = rows.slice(0, limit);
  // Projects that wait for the registry come first, on the first page.
  const waiting = cursor !== null ? [] : outbox.entries().filter(({ row }) => includes(row.name, query));
  const projects = [
    ...waiting.map(({ row }) => listed(outbox.sightingOf(row, { presence: 'present', comment: null }))),
    ...page.filter(({ row }) => !waiting.some((entry) => entry.row.id === row.id)).map(listed),
  ];
  return { projects, nextCursor: rows.length > limit ? (page.at(-1)?.row.name ?? null) : null };
}

/** What the registry holds, then what waits for it. Without the server only the latter is known, and not its marks. */
async function projectsHere({ lookingOnly, outbox }: RegistryPorts): Promise<ProjectHere[]> {
  const sightings: Sighting[] = [];
  let isReachable = true;
  try {
    for (let after: string | null | undefined = null; after !== undefined;) {
      const page: Sighting[] = await lookingOnly.registry.list({ query: null, after, limit: 1000 });
      sightings.push(...page);
      after = page.at(-1)?.row.name;
    }
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    isReachable = false;
  }
  const registered = sightings
    .filter(
      ({ row, database }) => database.presence === 'present' && outbox.find({ id: row.id, name: null }).length === 0,
    )
    .map(({ row, database }) => ({ ...placeOf(row), pending: false, comment: database.comment }));
  const waiting: ProjectHere[] = [];
  for (const row of outbox.rows()) {
    const database = isReachable ? await lookingOnly.catalog.lookDatabase(row.databaseName) : null;
    waiting.push({ ...placeOf(row), pending: true, comment: database?.comment ?? null });
  }
  return [...registered, ...waiting];
}

function placeOf({ name, databaseName }: RegistryRow): { name: string; databaseName: string } {
  return { name, databaseName };
}

function includes(name: string, query: string | null): boolean {
  return query === null || name.toLowerCase().includes(query.toLowerCase());
}

function listed({ row, sync }: Sighting): ListedProject {
  return { ...projectOf(row), sync };
}

async function readSchema(path: string | null): Promise<string | null> {
  if (path === null) return null;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new RegistrarError({
      code: 'PROVISION_FAILED',
      message: `The project schema ${named(path)} cannot be read: ${textOf(error)}.`,
      hint: 'Put the file there, or correct registrar.postgres.projectSchema; then resolve again.',
      details: { path },
    });
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without a passwd entry.
    return `uid${process.getuid?.() ?? ''}`;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
