import { performance } from 'node:perf_hooks';
import { ConfigReader } from '../config/configCache.ts';
import { ConfigFinder } from '../config/configFinder.ts';
import { normaliseOrigin } from '../git/gitRemotes.ts';
import { addressKey, addressLabel } from '../postgres/address/address.ts';
import { deliver } from '../postgres/registry/deliver.ts';
import { readRegistry } from '../postgres/registry/driftReading.ts';
import { eventNotes } from '../postgres/registry/eventNotes.ts';
import { countProjects, databaseFacts } from '../postgres/registry/figures.ts';
import { RegistryEvents, type RegistryEventsOptions } from '../postgres/registry/registryEvents.ts';
import { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import type { ResolveParams } from '../protocol/methods.ts';
import type { Resolution, ServerLabel } from '../protocol/model.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import type { ResolutionPorts } from '../resolution/ports.ts';
import { resolve } from '../resolution/resolve.ts';
import { SyncLoop } from '../sync/syncLoop.ts';
import { agentSql } from './agentSql.ts';
import { withConfig } from './checkConfig.ts';
import { configFiles } from './configFiles.ts';
import type { Engine, EngineLog, EngineOptions } from './engine.ts';
import { engineOperations } from './engineOperations.ts';
import { registryPortsOf, resolutionPortsOf } from './enginePorts.ts';
import { openStores, type EngineStores } from './engineStores.ts';
import { projectsHere } from './projectsHere.ts';
import { watchKnown } from './watchKnown.ts';

/** Joins rules and adapters for one PostgreSQL address. Nothing is dialled before the first request or pending delivery. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { address, stateFolder, home, settings, log } = options;
  // The bundled server keeps its projects whatever port it gets.
  const key = options.source === 'bundled' ? `bundled/${address.registryDatabase}` : addressKey(address);
  const server: ServerLabel = { address: addressLabel(address), source: options.source };
  const database = new RegistryDatabase(address, options.limits, settings['registrar.postgres.ownerRole']);
  const now = (): Date => new Date();
  const stores = await openStores(options, key, now);
  const { outbox, memory, bindings, host } = stores;
  const eventsOptions = eventsOptionsOf(stores, log);
  const events = new RegistryEvents(database, eventsOptions);
  const sync = syncLoopOf(options, database, events, stores, now);
  const notes = eventNotes(events, () => now().toISOString().slice(0, 10));
  const onHandedOver = ({ project, stale }: Resolution): void => {
    if (project && !stale) notes.daily('handed_over', project);
  };
  database.onUsable = () => {
    sync.wake();
    notes.retry();
  };
  const reader = new ConfigReader();
  const finder = new ConfigFinder(reader, { home, now: () => performance.now() });
  const registry = registryPortsOf(options, database, { table: events, notes, options: eventsOptions }, stores, {
    reader,
    finder,
  });
  const resolution = resolutionPortsOf(options, registry, stores, { reader, finder });
  const resolveLogged = loggedResolve(resolution, server, log);
  const agents = agentSql(database, {
    resolve: resolveLogged,
    log,
    owner: `${host}\0${stateFolder}`,
    limits: options.agentLimits,
    onHandedOver,
  });
  if (outbox.entries().length > 0) void sync.attempt();
  const watch = options.watches ? watchKnown(database, memory, outbox, registry, options) : null;

  return {
    ...engineOperations({
      database,
      registry,
      events,
      onHandedOver,
      outbox,
      sync,
      agents,
      resolve: resolveLogged,
      log,
      commands: { resolution, files: configFiles(reader, { home }), bindings, normaliseOrigin, resolve: resolveLogged },
      drift: {
        registry,
        readRegistry: () => readRegistry(database),
        outbox: () => outbox.entries(),
        deliver: () => sync.attempt(),
        folders: () => memory.foldersOn(host),
        readConfig: (path) => reader.read(path),
      },
    }),
    server: () => server,
    pool: () => database.poolFigures(),
    lastingWrites: () => agents.lastingWrites(),
    projectsHere: () => projectsHere(registry),
    look: (directory) => resolve({ directory, dryRun: true }, resolution, server),
    lookWith: (config) => resolve({ directory: config.folder, dryRun: true }, withConfig(resolution, config), server),
    eventsTrouble: () => events.trouble(),
    isListening: () => watch?.mode === 'listening',
    databaseFacts: (databaseName) => databaseFacts(database, databaseName),
    countProjects: () => countProjects(database.lookingOnly()),
    async close() {
      await watch?.stop();
      await sync.stop();
      await memory.close();
      await database.close();
    },
  };
}

function eventsOptionsOf({ host, creator }: EngineStores, log: EngineLog): RegistryEventsOptions {
  return {
    host,
    creator,
    onMissing: (reason) => {
      log.warn({ operation: 'events', reason }, 'the registry records no events');
    },
  };
}

/** Delivers what waits in the outbox, and logs how that went. */
function syncLoopOf(
  { log, onSync }: EngineOptions,
  database: RegistryDatabase,
  events: RegistryEvents,
  { outbox }: EngineStores,
  now: () => Date,
): SyncLoop {
  return new SyncLoop(outbox, {
    deliver: (rows) => deliver(database, events, rows),
    now,
    random: Math.random,
    report: (entry, delivery, nextAttemptAt) => {
      onSync?.();
      const { id, databaseName } = entry.row;
      const fields = { operation: 'sync', projectId: id, databaseName };
      if (delivery.kind === 'delivered') log.info({ ...fields, sync: 'postgresql' }, 'project registered');
      else if (delivery.kind === 'forgotten')
        log.info({ ...fields, code: 'PROJECT_FORGOTTEN' }, 'project was forgotten');
      else log.warn({ ...fields, code: delivery.error.code, nextAttemptAt }, delivery.error.message);
    },
  });
}

/** `resolve` for a caller, with a line in the log. */
function loggedResolve(
  ports: ResolutionPorts,
  server: ServerLabel,
  log: EngineLog,
): (params: ResolveParams, onStep?: OnStep) => Promise<Resolution> {
  return async (params, onStep) => {
    const startedAt = performance.now();
    const answer = await resolve(params, ports, server, onStep);
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
    // The caller does not wait for the disk: the line follows the answer.
    else
      setImmediate(() => {
        log.info(fields, answer.created ? 'project created' : answer.outcome);
      });
    return answer;
  };
}
