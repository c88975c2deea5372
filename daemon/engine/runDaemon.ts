import { join } from 'node:path';
import type { Caller } from '../control/clientConnection.ts';
import { ControlServer } from '../control/controlServer.ts';
import { AgentActivity } from '../lifecycle/agentActivity.ts';
import { IdleExit } from '../lifecycle/idleExit.ts';
import { collectAll, MemoryAtRest } from '../lifecycle/memoryAtRest.ts';
import { RunningPrograms } from '../lifecycle/runningPrograms.ts';
import { claimInstance, type Instance } from '../lifecycle/singleInstance.ts';
import { protocolVersion, type ClientFolder, type Endpoint, type GivenAddress } from '../protocol/control.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import { withLimit } from '../time/withLimit.ts';
import { pipePath } from '../wire/pipePath.ts';
import { openRuntimeFolder } from '../wire/stateFolder.ts';
import { AgentEndpoint } from './agentEndpoint.ts';
import { daemonOperations } from './daemonOperations.ts';
import type { EngineLog } from './engine.ts';
import { EngineAccess } from './engineAccess.ts';
import { EngineHolder } from './engineHolder.ts';
import { keepWindowSettings } from './keepWindowSettings.ts';
import { PublishedEndpoint } from './publishedEndpoint.ts';
import { RunningCalls } from './runningCalls.ts';
import { WindowSnapshots } from './windowSnapshots.ts';

export interface DaemonOptions {
  /** A real path; the folder is there and private. */
  stateFolder: string;
  home: string;
  version: string;
  environment: Record<string, string | undefined>;
  given: GivenAddress;
  readSettings(): Promise<Settings>;
  updateSettings(change: (settings: Settings) => Settings): Promise<Settings>;
  /**
   * Called when this process has become the daemon, before it answers anybody, so that every client finds what this
   * sets up.
   */
  beforeServing(): Promise<void>;
  log: EngineLog;
}

/** The daemon of this process. */
export interface RunningDaemon {
  /** Settles when it has ended for any reason, with everything closed. */
  ended: Promise<void>;
  /**
   * Finishes running requests, refuses new ones, writes what it knows, and gives up its socket path. A second call
   * returns the same promise.
   */
  end(reason: string, stopServer: boolean): Promise<void>;
}

/** Requests that still run after this are cut off when the daemon stops. */
const drainLimitMs = 10_000;
/** Longer than unused connections to PostgreSQL are kept. */
const memoryRestMs = 35_000;
/** Whatever is not closed after this ends with the process. */
const closeLimitMs = 5000;

/**
 * Becomes the daemon of the state folder.
 *
 * @returns null when another process is
 * @throws RegistrarError DAEMON_UNREACHABLE when the state folder cannot hold a socket or the endpoint file
 */
export async function runDaemon(options: DaemonOptions): Promise<RunningDaemon | null> {
  const daemon = new Daemon(options);
  return (await daemon.start()) ? daemon : null;
}

/** The parts of a daemon, joined: how they know of each other, how the daemon starts, and how it ends. */
class Daemon implements RunningDaemon {
  readonly #options: DaemonOptions;
  readonly #startedAt = performance.now();
  readonly #started = new Date().toISOString();
  readonly #calls = new RunningCalls();
  readonly #activity = new AgentActivity(() => performance.now());
  readonly #programs = new RunningPrograms();
  readonly #endpoint: PublishedEndpoint;
  readonly #holder: EngineHolder;
  readonly #windows: WindowSnapshots;
  readonly #engine: EngineAccess;
  readonly #control: ControlServer;
  readonly #idle: IdleExit;
  readonly #memory: MemoryAtRest;
  #idleExitAfterMs = 600_000;
  #instance: Instance | null = null;
  #agents: AgentEndpoint | null = null;
  #ending: Promise<void> | null = null;
  #onEnded = (): void => undefined;
  readonly ended = new Promise<void>((resolve) => (this.#onEnded = resolve));

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#endpoint = new PublishedEndpoint(join(options.stateFolder, 'endpoint.json'), options.log);
    this.#holder = this.#newHolder();
    this.#windows = new WindowSnapshots({
      holder: this.#holder,
      folders: () => this.#windowFolders(),
      onChanged: () => {
        this.#control.changed();
      },
      // It may have been the last thing that needed this daemon.
      onDelivered: () => {
        this.#idle.touch();
      },
    });
    this.#engine = new EngineAccess(this.#holder, this.#activity, () => {
      this.#windows.refresh();
    });
    this.#control = this.#newControl();
    this.#idle = this.#newIdleExit();
    this.#memory = this.#newMemoryAtRest();
  }

  /** @returns false when another process is the daemon */
  async start(): Promise<boolean> {
    try {
      if (!(await this.#claim())) return false;
      this.#setIdleExit(await this.#options.readSettings());
      await this.#serve();
    } catch (error) {
      await this.#agents?.close();
      this.#instance?.release();
      this.#control.close();
      throw cannotStart(this.#options.stateFolder, error);
    }
    this.#idle.touch();
    // Pending projects are delivered unprompted; callers learn of a failure.
    this.#holder
      .use(
        null,
        () => undefined,
        () => this.#windows.refreshSync(),
      )
      .catch(() => undefined);
    return true;
  }

  end(reason: string, stopServer: boolean): Promise<void> {
    this.#ending ??= this.#endNow(reason, stopServer);
    return this.#ending;
  }

  #newHolder(): EngineHolder {
    return new EngineHolder({
      ...this.#options,
      settingsPath: this.#settingsPath(),
      windows: () => this.#windowFolders(),
      onSync: () => {
        this.#windows.refresh();
      },
      onRegistryChange: () => void this.#windows.look(),
    });
  }

  #newControl(): ControlServer {
    return new ControlServer({
      version: this.#options.version,
      handlers: this.#newHandlers(),
      running: (work) => this.#running(work),
      token: async () => {
        if (this.#instance?.isOurs() === false) throw new RegistrarError(notReady);
        return this.#endpoint.publishedToken();
      },
      snapshot: (client, revision) =>
        this.#windows.of(client, {
          revision,
          daemon: { version: this.#options.version, pid: process.pid, started: this.#started },
          agents: this.#agents?.agents() ?? [],
          mcp: this.#agents?.served ?? null,
        }),
      keepSettings: async (brought) => {
        const settings = await keepWindowSettings(brought, this.#options);
        if (settings) this.#setIdleExit(settings);
      },
      openAgentStream: async (socket, params) => {
        await this.#agents?.attach(socket, params);
      },
      onAttached: (client) => {
        this.#welcome(client);
      },
      onActivity: () => {
        this.#idle.touch();
      },
    });
  }

  #newHandlers(): ReturnType<typeof daemonOperations> {
    return daemonOperations({
      ...this.#options,
      started: this.#started,
      uptimeMs: () => Math.round(performance.now() - this.#startedAt),
      idleExitAfterMs: () => this.#idleExitAfterMs,
      holder: this.#holder,
      windows: this.#windows,
      programs: this.#programs,
      clients: () => this.#control.clients(),
      agents: () => this.#agents,
      token: () => this.#endpoint.token,
      changeToken: (token) => this.#endpoint.change({ token }),
      engine: this.#engine,
      end: (reason, stopServer) => void this.end(reason, stopServer),
    });
  }

  #newIdleExit(): IdleExit {
    return new IdleExit({
      afterMs: this.#idleExitAfterMs,
      isNeeded: () =>
        this.#control.clients().length > 0 ||
        this.#activity.isRecent() ||
        this.#programs.areRunning() ||
        this.#windows.hasPending,
      mayEnd: async () => !(await this.#windows.askPending()) && !(await this.#holder.closeAndLook()),
      end: () => {
        void this.end('no longer needed', true);
      },
      startTimer,
    });
  }

  #newMemoryAtRest(): MemoryAtRest {
    return new MemoryAtRest({
      afterMs: memoryRestMs,
      now: () => performance.now(),
      residentBytes: () => process.memoryUsage.rss(),
      collect: collectAll,
      onCollected: ({ before, after, durationMs }) => {
        const figures = { before, after, durationMs: Math.round(durationMs) };
        this.#options.log.info({ operation: 'memory', ...figures }, 'returned unused memory');
      },
      startTimer,
    });
  }

  #running<T>(work: () => Promise<T>): Promise<T> {
    this.#memory.touch();
    return this.#calls.run(work);
  }

  /** Becomes the daemon, if no other process is. From here on, clients that connect wait for the endpoint file. */
  async #claim(): Promise<boolean> {
    const { path, runtimeFolder } = this.#place();
    if (runtimeFolder !== null) await openRuntimeFolder(runtimeFolder);
    this.#instance = await claimInstance(
      path,
      (socket) => {
        this.#control.accept(socket);
      },
      () => {
        void this.end('another daemon took its place', false);
      },
    );
    return this.#instance !== null;
  }

  /** Serves agents, publishes where, and admits waiting clients. */
  async #serve(): Promise<void> {
    const { version, log } = this.#options;
    const agents = await this.#openAgents();
    this.#agents = agents;
    const endpoint: Endpoint = {
      url: agents.url,
      pid: process.pid,
      started: this.#started,
      version,
      protocol: protocolVersion,
      token: this.#endpoint.token,
      pipe: this.#place().path,
    };
    await this.#endpoint.publish(endpoint);
    await this.#options.beforeServing();
    log.info({ operation: 'daemon', version, pid: process.pid }, 'daemon started');
    this.#endpoint.announce(endpoint);
  }

  async #openAgents(): Promise<AgentEndpoint> {
    const { version, home, log } = this.#options;
    return AgentEndpoint.open({
      version,
      home,
      settingsPath: this.#settingsPath(),
      readSettings: () => this.#options.readSettings(),
      previousUrl: await this.#endpoint.takeOver(),
      token: () => this.#endpoint.token,
      use: (access, progress, run) => {
        const asking = { kind: 'forwarder', address: null, progress } as const;
        return access === 'change' ? this.#engine.change(asking, run) : this.#engine.read(asking, run);
      },
      running: (work) => this.#running(work),
      onChanged: () => {
        this.#idle.touch();
        this.#control.changed();
      },
      onUrl: (url) => this.#endpoint.change({ url }),
      log,
    });
  }

  async #endNow(reason: string, stopServer: boolean): Promise<void> {
    const { log, version } = this.#options;
    this.#idle.stop();
    this.#memory.stop();
    log.info({ operation: 'daemon', version }, `daemon ends: ${reason}`);
    this.#control.leave({ hasSuccessor: !stopServer });
    await this.#agents?.leave();
    await Promise.all([this.#calls.quiet(drainLimitMs), this.#windows.stop()]);
    // Agents' port is freed before the socket path, because a successor takes it over.
    const closing = Promise.all([this.#agents?.close(), this.#holder.close(stopServer)]).then(
      () => null,
      (error: unknown) => String(error),
    );
    const failure = await withLimit(closeLimitMs, closing, () => 'time limit reached');
    if (failure !== null)
      log.warn({ operation: 'daemon', reason: failure }, 'connections to PostgreSQL were not closed cleanly');
    this.#instance?.release();
    this.#control.close();
    this.#onEnded();
  }

  #welcome(client: Caller): void {
    if (client.kind !== 'window') return;
    void this.#windows.look();
    // A refresh has no address and no password of its own, so a window's are used before anybody asks.
    if (client.folders.some(({ trusted }) => trusted)) {
      void this.#engine.change(client, (engine) => engine.countProjects()).catch(() => undefined);
    }
  }

  #setIdleExit(settings: Settings): void {
    this.#idleExitAfterMs = settings['registrar.daemon.idleMinutes'] * 60_000;
    this.#idle.setAfter(this.#idleExitAfterMs);
  }

  #windowFolders(): ClientFolder[] {
    return this.#control
      .clients()
      .filter(({ kind }) => kind === 'window')
      .flatMap(({ folders }) => folders);
  }

  #settingsPath(): string {
    return join(this.#options.stateFolder, 'settings.json');
  }

  #place(): ReturnType<typeof pipePath> {
    return pipePath(this.#options.stateFolder, process.platform, process.getuid?.() ?? null);
  }
}

/** A client that comes keeps the process; a timer alone does not. */
function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => {
    clearTimeout(timer);
  };
}

/** What people read when the state folder cannot hold what a daemon needs; a RegistrarError is one already. */
export function cannotStart(stateFolder: string, error: unknown): RegistrarError {
  if (error instanceof RegistrarError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RegistrarError(
    {
      code: 'DAEMON_UNREACHABLE',
      message: `The daemon cannot start in ${stateFolder}: ${reason}.`,
      hint: 'Make the folder writable and free some disk space, or set REGISTRAR_HOME to another folder.',
    },
    { cause: error },
  );
}

const notReady = {
  code: 'DAEMON_UNREACHABLE',
  message: 'Another daemon has taken this daemon’s place.',
  hint: 'Try again.',
} as const;
