import { createHash } from 'node:crypto';
import { createProject, updateProject, type CommandPorts } from '../../../daemon/engine/projectCommands.ts';
import { removeBinding, useProject } from '../../../daemon/engine/bindFolder.ts';
import { drift, repair, type DriftPorts } from '../../../daemon/engine/driftCommands.ts';
import { handOver, NotProved, type HandedOver } from '../../../daemon/engine/handOver.ts';
import type { DeliveryOutcome } from '../../../daemon/postgres/registry/deliver.ts';
import type { RegistryReading } from '../../../daemon/postgres/registry/driftReading.ts';
import type { DriftReport, RepairResult } from '../../../daemon/protocol/drift.ts';
import type { CreateParams, ResolveParams, UpdateParams, UseParams } from '../../../daemon/protocol/methods.ts';
import type { OnStep } from '../../../daemon/protocol/operationModel.ts';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { adoptDatabase } from '../../../daemon/registry/changes/adoptDatabase.ts';
import { dropProject } from '../../../daemon/registry/changes/dropProject.ts';
import { forgetProject } from '../../../daemon/registry/changes/forgetProject.ts';
import type { RegistryRow, Sighting } from '../../../daemon/registry/model.ts';
import { requireOwnWord } from '../../../daemon/registry/handOver.ts';
import type { CatalogPort, RegistryPort, RegistryPorts } from '../../../daemon/registry/ports.ts';
import { remakeProject } from '../../../daemon/registry/changes/remakeProject.ts';
import { findSighting } from '../../../daemon/registry/settle/settleReference.ts';
import type { ResolutionPorts, WorkflowAnswer } from '../../../daemon/resolution/ports.ts';
import { resolve } from '../../../daemon/resolution/resolve.ts';
import type { WindowFolder } from '../../../daemon/resolution/trust.ts';
import type { OutboxEntry } from '../../../daemon/registry/delivery/outboxRules.ts';
import { enter, worldCatalog } from './catalog.ts';
import { WorldClaims, type ClaimsFileContent } from './claims.ts';
import { WorldClient } from './client.ts';
import { deliverTo } from './delivery.ts';
import { type Machine, worldConfigs, worldFolders } from './machine.ts';
import { WorldMemory, type Known } from './memory.ts';
import { WorldOutbox, type OutboxFiles } from './outbox.ts';
import type { Pass, Passage } from './passage.ts';
import { isBelievedOwner } from './rebuild.ts';
import { sightingIn, worldRegistry, type Writer } from './registry.ts';
import type { WorldServer } from './server.ts';

/** A daemon's state folder: what it finds again after it was killed. */
export interface StateFolder {
  hostId: string;
  outbox: OutboxFiles;
  known: Map<string, Known>;
  claims: ClaimsFileContent;
  bindings: ClaimsFileContent;
}

export interface DaemonOptions {
  name: string;
  machine: Machine;
  state: StateFolder;
  role: string;
  ownerRole: string | null;
  projectSchema: string | null;
  workflow: WorkflowAnswer | null;
  defaultDatabase: string | null;
  newId: () => string;
}

/** One daemon of the world: the rules and commands of the real one, on ports that are all in memory. */
export class WorldDaemon {
  readonly options: DaemonOptions;
  readonly client: WorldClient;
  readonly registry: RegistryPort;
  readonly catalog: CatalogPort;
  readonly outbox: WorldOutbox;
  readonly ports: ResolutionPorts;
  /** Folders that windows have open. */
  windows: WindowFolder[] = [];
  trustedFolders: string[] = [];
  readonly #commands: CommandPorts;
  readonly #drift: DriftPorts;
  #isDead = false;

  constructor(options: DaemonOptions, server: WorldServer, passage: Passage) {
    this.options = options;
    const { machine, state, role, ownerRole } = options;
    const pass: Pass = async (what) => {
      const fault = this.#isDead ? await never : await passage({ who: options.name, what });
      return this.#isDead ? await never : fault;
    };
    const now = (): string => server.clock.now();
    const writer: Writer = { host: machine.host, creator: `ann@${machine.host}` };
    const client = new WorldClient(server, pass, role, ownerRole);
    this.client = client;
    this.registry = worldRegistry(client, writer, true);
    this.catalog = worldCatalog(client, () => options.projectSchema);
    this.outbox = new WorldOutbox(state.outbox, pass, now);
    const registryPorts: RegistryPorts = {
      registry: this.registry,
      catalog: this.catalog,
      events: {
        refused: () => undefined,
        async ended(operation, { id, name, databaseName, registrar }) {
          const by = { actor: role, host: writer.host, by: writer.creator };
          const kept = { projectId: id, name, databaseName, bytes: null, tables: null, registrar };
          const write = client.run('ended', (transaction) => {
            transaction.events.push({ at: transaction.at, operation, ...by, ...kept });
          });
          await write.catch(() => undefined);
        },
      },
      outbox: this.outbox,
      memory: new WorldMemory(state.known, now),
      folders: worldFolders(machine, pass),
      claims: new WorldClaims(state.claims, pass, { what: 'claim-write', perFolder: false }),
      origin: {
        newId: options.newId,
        now,
        host: machine.host,
        hostId: state.hostId,
        creator: writer.creator,
        hash: (text) => createHash('sha256').update(text).digest('hex'),
        async pause(ms) {
          await pass('pause');
          server.clock.move(ms);
        },
      },
      lookingOnly: { registry: worldRegistry(client, writer, false), catalog: this.catalog },
      unnoted: new Set(),
    };
    const bindings = new WorldClaims(state.bindings, pass, { what: 'binding-write', perFolder: true });
    const { config, files } = worldConfigs(machine, pass);
    const { workflow, defaultDatabase } = options;
    this.ports = {
      registry: registryPorts,
      config,
      bindings: { at: (folder) => bindings.at(state.hostId, folder) },
      workflow: workflow && { activeProject: () => Promise.resolve(workflow) },
      defaultProject: defaultDatabase === null ? null : { databaseName: defaultDatabase },
      trust: {
        windows: () => this.windows,
        trustedFolders: () => Promise.resolve(this.trustedFolders),
        daemonUid: 1000,
        separator: '/',
        realPath: (path) => Promise.resolve(path),
      },
      host: machine.host,
      clock: () => server.clock.ms,
    };
    this.#commands = {
      resolution: this.ports,
      files,
      bindings,
      normaliseOrigin: (url) => url,
      resolve: (params, onStep) => this.resolve(params, onStep),
    };
    this.#drift = {
      registry: registryPorts,
      readRegistry: () => readWorld(client),
      outbox: () => this.outbox.entries(),
      deliver: () => this.sync(),
      folders: () => [...machine.folders].flatMap(([path, folder]) => (folder.config ? [path] : [])),
      readConfig: (path) => files.read(path, () => Promise.resolve()),
    };
  }

  /** From here on nothing that it does comes to anything; what waits on the server is rolled back there. */
  kill(): void {
    this.#isDead = true;
    this.client.end();
  }

  resolve(params: ResolveParams, onStep?: OnStep): Promise<Resolution> {
    return resolve(params, this.ports, { address: this.client.server.label, source: 'environment' }, onStep);
  }

  /**
   * Hands a folder's database over once it has said whose it is, as `daemon/engine/connectionTo.ts` does.
   *
   * @param onProved called in the moment in which it says so
   */
  handOver(params: ResolveParams, onProved: (project: Project) => void): Promise<HandedOver<Project>> {
    const { server } = this.client;
    return handOver(
      () => this.resolve(params),
      async (project) => {
        try {
          return await this.client.run('own-word', () => {
            const { databaseName } = project;
            requireOwnWord(project, server.registry, { databaseName, comment: enter(server, databaseName).comment });
            onProved(project);
            return project;
          });
        } catch (error) {
          throw error instanceof RegistrarError ? new NotProved(error) : error;
        }
      },
    );
  }

  createProject(params: CreateParams): Promise<Resolution> {
    return createProject(params, this.#commands);
  }

  updateProject(params: UpdateParams): Promise<Resolution> {
    return updateProject(params, this.#commands);
  }

  useProject(params: UseParams): Promise<Resolution> {
    return useProject(params, this.#commands);
  }

  removeBinding(params: { directory: string }): ReturnType<typeof removeBinding> {
    return removeBinding(params, this.#commands);
  }

  async adoptDatabase({ database, name }: { database: string; name?: string }): Promise<Resolution> {
    return this.resolve({ project: await adoptDatabase(database, name ?? null, this.ports.registry) });
  }

  forgetProject({ project }: { project: string }): Promise<Sighting> {
    return forgetProject(project, this.ports.registry);
  }

  dropProject({ project, confirm }: { project: string; confirm: string | null }): Promise<Sighting> {
    return dropProject(project, confirm, this.ports.registry, () => this.sync());
  }

  async remakeProject({ project, confirm }: { project: string; confirm: string | null }): Promise<Resolution> {
    const { row, warnings } = await remakeProject(project, confirm, this.ports.registry);
    const answer = await this.resolve({ project: row?.id ?? project });
    return { ...answer, warnings: [...warnings, ...answer.warnings] };
  }

  showProject({ project }: { project: string }): Promise<Sighting> {
    return findSighting(project, this.ports.registry);
  }

  deliver(rows: readonly RegistryRow[]): Promise<DeliveryOutcome[]> {
    const { machine } = this.options;
    const writer = { host: machine.host, creator: `ann@${machine.host}` };
    return deliverTo(this.client, writer, this.registry, rows);
  }

  readRegistry(): Promise<RegistryReading> {
    return readWorld(this.client);
  }

  /** Tries what is pending, and what is parked where a person asked, as one round of `daemon/sync/syncLoop.ts` does. */
  async sync(isAsked = false): Promise<void> {
    const entries = this.outbox.entries().filter(({ state }) => isAsked || state === 'pending');
    if (entries.length === 0) return;
    await this.outbox.whileDelivering(async () => {
      const outcomes = await this.#outcomes(entries);
      for (const [index, entry] of entries.entries()) {
        const outcome = outcomes[index];
        if (outcome) await this.outbox.settle(entry, outcome);
      }
    });
  }

  async #outcomes(entries: readonly OutboxEntry[]): Promise<DeliveryOutcome[]> {
    try {
      return await this.deliver(entries.map(({ row }) => row));
    } catch (error) {
      if (!(error instanceof RegistrarError)) throw error;
      const { code, message } = error;
      return entries.map(() => ({ kind: 'failed', error: { code, message } }));
    }
  }

  /** As a person asks for it: what is parked is tried, too. Says what is left. */
  async syncNow(): Promise<{ pending: string[]; parked: string[] }> {
    await this.sync(true);
    const named = (wanted: string): string[] =>
      this.outbox.entries().flatMap(({ row, state }) => (state === wanted ? [row.name] : []));
    return { pending: named('pending'), parked: named('parked') };
  }

  drift(): Promise<DriftReport> {
    return drift(this.#drift);
  }

  repair({ planId }: { planId: string }): Promise<RepairResult> {
    return repair(planId, this.#drift);
  }
}

const never = new Promise<never>(() => undefined);

/** All that drift is about, in one statement. */
function readWorld(client: WorldClient): Promise<RegistryReading> {
  const { server } = client;
  return client.read('drift', (transaction) => {
    const databases = [...server.databases].filter(
      ([name, { comment }]) => name.startsWith('cb_proj_') || comment?.includes('"registrar"') === true,
    );
    return {
      rows: server
        .visible(transaction)
        .map((row) => sightingIn(server, row))
        .sort((one, other) => (one.row.id < other.row.id ? -1 : 1)),
      databases: databases.map(([databaseName, { owner, comment, isInterrupted }]) => ({
        databaseName,
        presence: isInterrupted ? 'interrupted' : 'present',
        comment,
        owner,
        isOwnerBelieved: isBelievedOwner(server, owner, client),
      })),
    };
  });
}
