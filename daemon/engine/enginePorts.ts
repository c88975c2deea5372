import { createHash, randomUUID } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigReader } from '../config/configCache.ts';
import type { ConfigFinder } from '../config/configFinder.ts';
import { identifyFolder, presenceOf } from '../config/folderFacts.ts';
import { gitEvidence } from '../git/gitEvidence.ts';
import { databases } from '../postgres/databases/databases.ts';
import type { EventNotes } from '../postgres/registry/eventNotes.ts';
import { projectsTable } from '../postgres/registry/projectsTable.ts';
import { RegistryEvents, type RegistryEventsOptions } from '../postgres/registry/registryEvents.ts';
import type { RegistryDatabase } from '../postgres/registry/registryDatabase.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import { named } from '../protocol/visibleText.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import type { ResolutionPorts } from '../resolution/ports.ts';
import { createWorkflowClient } from '../workflow/activeProject.ts';
import { isThere } from '../files/isThere.ts';
import { idWriter, isOnlyConfigNamed } from './configFiles.ts';
import type { EngineOptions } from './engine.ts';
import type { EngineStores } from './engineStores.ts';
import { textOf } from './textOf.ts';

/** How config files are read and found. */
export interface ConfigAccess {
  reader: ConfigReader;
  finder: ConfigFinder;
}

/** What the rules of the registry need of PostgreSQL and of this machine. */
export function registryPortsOf(
  options: EngineOptions,
  database: RegistryDatabase,
  events: { table: RegistryEvents; notes: EventNotes; options: RegistryEventsOptions },
  stores: EngineStores,
  { reader, finder }: ConfigAccess,
): RegistryPorts {
  const { settings, home, log } = options;
  const { outbox, memory, claims } = stores;
  const lookingOnly = database.lookingOnly();
  return {
    ...registryAndCatalog(database, settings, events.table),
    lookingOnly: registryAndCatalog(lookingOnly, settings, new RegistryEvents(lookingOnly, events.options)),
    events: {
      refused: (row, folder) => {
        // The folder itself stays private. The machine's secret id only makes it distinguishable from others.
        const hash = createHash('sha256').update(`${stores.hostId}\0${folder}`).digest('hex').slice(0, 16);
        events.notes.daily('refused', row, { folder: hash, code: 'PROJECT_CONFLICT' });
      },
      ended: (operation, row, details) => events.notes.ended(operation, row, details),
    },
    outbox,
    memory,
    folders: {
      exists: isThere,
      git: (path) => gitEvidence(path, { home }),
      identify: (path) => identifyFolder(path, { home, looks: finder.looksAt(path) }),
      presence: presenceOf,
      isOnlyConfigNamed: (root, folder, name) => isOnlyConfigNamed(root, folder, name, reader),
    },
    claims: {
      of: (projectIds) => claims.of(projectIds),
      // If the disk refuses it, the folder shows its evidence again to the next daemon.
      keep: (projectId, claim) =>
        claims.keep(projectId, claim).catch((error: unknown) => {
          log.warn({ operation: 'claims', projectId, reason: textOf(error) }, 'a folder’s claim could not be saved');
        }),
    },
    origin: {
      newId: randomUUID,
      now: () => new Date().toISOString(),
      host: stores.host,
      hostId: stores.hostId,
      creator: stores.creator,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      pause: options.pause ?? ((ms) => delay(ms)),
    },
    unnoted: new Set(),
  };
}

/** What the tiers need. */
export function resolutionPortsOf(
  options: EngineOptions,
  registry: RegistryPorts,
  { bindings, host, hostId }: EngineStores,
  { reader, finder }: ConfigAccess,
): ResolutionPorts {
  const { settings, address } = options;
  const workflowUrl = settings['registrar.workflow.url'];
  const clock = (): number => performance.now();
  return {
    registry,
    config: {
      find: (directory) => finder.find(directory),
      read: (path, vouch) => finder.read(path, vouch),
      idWriter: (path) => idWriter(path, settings['registrar.config.writeId'], reader),
    },
    bindings: { at: (folder) => bindings.at(hostId, folder) },
    workflow:
      workflowUrl === null
        ? null
        : createWorkflowClient({ url: workflowUrl, timeoutMs: options.workflowTimeoutMs, now: clock }),
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
    clock,
  };
}

/** Another registry on the same server has its own default project: its database carries the registry's name in its digits. */
export function defaultDatabaseName(registry: string): string {
  if (registry === 'codebase_mcp_registry') return 'cb_proj_default_00000000';
  return `cb_proj_default_${createHash('md5').update(registry).digest('hex').slice(0, 8)}`;
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
