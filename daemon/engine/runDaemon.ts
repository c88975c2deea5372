import { join } from 'node:path';
import type { Caller } from '../control/clientConnection.ts';
import { ControlServer } from '../control/controlServer.ts';
import { keptToken, readEndpoint, writeEndpoint } from '../wire/endpointFile.ts';
import { AgentActivity } from '../lifecycle/agentActivity.ts';
import { IdleExit } from '../lifecycle/idleExit.ts';
import { pipePath } from '../wire/pipePath.ts';
import { RunningPrograms } from '../lifecycle/runningPrograms.ts';
import { claimInstance } from '../lifecycle/singleInstance.ts';
import { openRuntimeFolder } from '../wire/stateFolder.ts';
import {
  protocolVersion,
  type ClientFolder,
  type Endpoint,
  type GivenAddress,
  type Snapshot,
} from '../protocol/control.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { Settings, WindowSettings } from '../protocol/settings.ts';
import { daemonOperations } from './daemonOperations.ts';
import { AgentEndpoint } from './agentEndpoint.ts';
import { EngineHolder } from './engineHolder.ts';
import type { Engine, EngineLog } from './engine.ts';
import { RunningCalls } from './runningCalls.ts';
import { WindowLooks } from './windowLooks.ts';
import { withLimit } from '../time/withLimit.ts';

/** Whoever asks; agents, however they come, ask as forwarders do and bring no address of their own. */
type Asking = Pick<Caller, 'kind' | 'progress'> & { address: GivenAddress | null };

export interface DaemonOptions {
  /** A real path; the folder is there and private. */
  stateFolder: string;
  home: string;
  version: string;
  environment: Record<string, string | undefined>;
  given: GivenAddress;
  readSettings(): Promise<Settings>;
  updateSettings(change: (settings: Settings) => Settings): Promise<Settings>;
  /** Called when this process is the daemon, and before anybody is answered: what is there then, everyone finds. */
  beforeServing(): Promise<void>;
  log: EngineLog;
}

/** The daemon of this process. */
export interface RunningDaemon {
  /** Settles when it has ended for whatever reason, everything closed. */
  ended: Promise<void>;
  /** Finishes what runs, refuses the new, writes what is known, leaves the path. Asked again, it is the same end. */
  end(reason: string, stopServer: boolean): Promise<void>;
}

/** Whatever still runs after this is cut off when the daemon ends. */
const drainLimitMs = 10_000;
/** What is not closed after this ends with the process. */
const closeLimitMs = 5000;

/**
 * Becomes the daemon of the state folder.
 *
 * @returns null when another process is
 * @throws RegistrarError DAEMON_UNREACHABLE when the state folder cannot hold a socket or the endpoint file
 */
export async function runDaemon(options: DaemonOptions): Promise<RunningDaemon | null> {
  const { stateFolder, version, log } = options;
  const startedAt = performance.now();
  const started = new Date().toISOString();
  const { path, runtimeFolder } = pipePath(stateFolder, process.platform, process.getuid?.() ?? null);
  const endpointPath = join(stateFolder, 'endpoint.json');
  let endpoint: Promise<Endpoint> | null = null;
  let idleExitAfterMs = 600_000;
  let onEnded = (): void => undefined;
  const ended = new Promise<void>((resolve) => (onEnded = resolve));
  let ending: Promise<void> | null = null;
  let agents: AgentEndpoint | null = null;
  /** What agents over HTTP have to bring; the same as in the endpoint file. */
  let token = '';
  const rewriteEndpoint = async (changes: Partial<Endpoint>): Promise<void> => {
    if (!endpoint) return;
    const written = { ...(await endpoint), ...changes };
    await writeEndpoint(endpointPath, written);
    ({ token } = written);
    endpoint = Promise.resolve(written);
  };
  const holder: EngineHolder = new EngineHolder({
    ...options,
    settingsPath: join(stateFolder, 'settings.json'),
    windows: () => windowFolders(),
    onSync: () => {
      void refreshSync();
      void looks.look();
    },
    onRegistryChange: () => void looks.look(),
  });
  const windowFolders = (): ClientFolder[] =>
    control
      .clients()
      .filter(({ kind }) => kind === 'window')
      .flatMap(({ folders }) => folders);
  let shown = '';
  const looks: WindowLooks = new WindowLooks({
    holder,
    folders: () => windowFolders().map((folder) => folder.path),
    onChanged: () => {
      const states = windowFolders().map((folder) => looks.stateOf(folder));
      const now = JSON.stringify([holder.server, holder.error, states, looks.projects]);
      // Most looks find what is shown already.
      if (now === shown) return;
      shown = now;
      control.changed();
    },
  });
  let sync: Snapshot['sync'] = null;
  const refreshSync = async (): Promise<void> => {
    const hadPending = (sync?.pending.length ?? 0) > 0;
    sync = (await holder.engine?.syncStatus()) ?? sync;
    control.changed();
    // The last that waited may have been all that this daemon was needed for.
    if (hadPending && sync?.pending.length === 0) idle.touch();
  };
  const calls = new RunningCalls();
  const running = <T>(work: () => Promise<T>): Promise<T> => calls.run(work);
  const activity = new AgentActivity(() => performance.now());
  const programs = new RunningPrograms();
  const use = <T>(caller: Asking, run: (engine: Engine) => Promise<T>): Promise<T> => {
    if (caller.kind === 'forwarder') activity.heard();
    return holder.use(caller.address, caller.progress, run);
  };
  /** After what may have changed what windows draw. */
  const changing = async <T>(caller: Asking, run: (engine: Engine) => Promise<T>): Promise<T> => {
    try {
      return await use(caller, run);
    } finally {
      // Whoever asked does not wait for it.
      setImmediate(() => {
        void refreshSync();
        void looks.look();
      });
    }
  };
  const keepSettings = async (brought: WindowSettings): Promise<void> => {
    try {
      const before = await options.readSettings();
      const isNew = Object.entries(brought).some(([name, value]) => before[name as keyof WindowSettings] !== value);
      const settings = isNew ? await options.updateSettings((now) => ({ ...now, ...brought })) : before;
      idleExitAfterMs = settings['registrar.daemon.idleMinutes'] * 60_000;
      idle.setAfter(idleExitAfterMs);
      if (isNew) log.info({ operation: 'settings' }, 'a window brought settings');
    } catch (error) {
      log.warn({ operation: 'settings', reason: String(error) }, 'what a window brought could not be kept');
    }
  };
  const publish = (current: Endpoint): Promise<void> =>
    writeEndpoint(endpointPath, current).catch(async (error: unknown) => {
      // On a full disk the file of the daemon before still holds the token, which is all that clients need of it.
      if ((await readEndpoint(endpointPath))?.token !== current.token) throw error;
      log.warn({ operation: 'daemon', reason: String(error) }, 'endpoint.json could not be written');
    });

  const handlers = daemonOperations({
    ...options,
    started,
    uptimeMs: () => Math.round(performance.now() - startedAt),
    idleExitAfterMs: () => idleExitAfterMs,
    holder,
    looks,
    programs,
    clients: () => control.clients(),
    agents: () => agents,
    token: () => token,
    changeToken: (next) => rewriteEndpoint({ token: next }),
    use,
    changing,
    refreshSync,
    end: (reason, stopServer) => void end(reason, stopServer),
  });

  const control: ControlServer = new ControlServer({
    version,
    handlers,
    running,
    token: async () => {
      if (!endpoint || instance?.isOurs() === false) throw new RegistrarError(notReady);
      const current = await endpoint;
      // Somebody may have written over it or removed it, and clients read the token there.
      await publish(current);
      return current.token;
    },
    snapshot: ({ folders, address }, revision) => {
      // A window that means another server is not shown what this one says about its folders.
      const objection = holder.objectionTo(address);
      return {
        revision,
        daemon: { version, pid: process.pid, started },
        server: objection ? null : holder.server,
        error: objection ?? holder.error,
        folders: folders.map((folder) =>
          objection ? { ...folder, resolution: null, database: null } : looks.stateOf(folder),
        ),
        projects: objection ? null : looks.projects,
        sync,
        agents: agents?.agents() ?? [],
        mcp: agents?.served ?? null,
      };
    },
    keepSettings,
    openAgentStream: async (socket, params) => {
      await agents?.attach(socket, params);
    },
    onAttached: (client) => {
      if (client.kind !== 'window') return;
      void looks.look();
      // Looks bring no address and no password of their own, so a window's are taken over before anybody asks.
      if (client.folders.some(({ trusted }) => trusted)) {
        void changing(client, (engine) => engine.countProjects()).catch(() => undefined);
      }
    },
    onActivity: () => {
      idle.touch();
    },
  });

  const idle: IdleExit = new IdleExit({
    afterMs: idleExitAfterMs,
    isNeeded: () =>
      control.clients().length > 0 || activity.isRecent() || programs.areRunning() || (sync?.pending.length ?? 0) > 0,
    mayEnd: async () => {
      sync = (await holder.engine?.syncStatus()) ?? sync;
      if ((sync?.pending.length ?? 0) > 0) return false;
      return !(await holder.closeAndLook());
    },
    end: () => {
      void end('nobody needs it', true);
    },
    // A client that comes keeps the process; the timer alone does not.
    startTimer: (ms, onTime) => {
      const timer = setTimeout(onTime, ms).unref();
      return () => {
        clearTimeout(timer);
      };
    },
  });

  const end = (reason: string, stopServer: boolean): Promise<void> => {
    ending ??= (async () => {
      idle.stop();
      log.info({ operation: 'daemon', version }, `daemon ends: ${reason}`);
      control.leave({ hasSuccessor: !stopServer });
      await agents?.leave();
      await Promise.all([calls.quiet(drainLimitMs), looks.stop()]);
      // Agents' port is free before the place is: a successor takes it over.
      const closing = Promise.all([agents?.close(), holder.close(stopServer)]).then(
        () => null,
        (error: unknown) => String(error),
      );
      const failure = await withLimit(closeLimitMs, closing, () => 'it takes too long');
      if (failure !== null) log.warn({ operation: 'daemon', reason: failure }, 'PostgreSQL was not closed in order');
      instance?.release();
      control.close();
      onEnded();
    })();
    return ending;
  };

  let instance: Awaited<ReturnType<typeof claimInstance>> = null;
  try {
    if (runtimeFolder !== null) await openRuntimeFolder(runtimeFolder);
    // Whoever connects from here on waits for the endpoint file.
    let onWritten: (endpoint: Endpoint) => void = () => undefined;
    endpoint = new Promise((resolve) => (onWritten = resolve));
    instance = await claimInstance(
      path,
      (socket) => {
        control.accept(socket);
      },
      () => {
        void end('another daemon has its place', false);
      },
    );
    if (!instance) return null;
    const settings = await options.readSettings();
    idleExitAfterMs = settings['registrar.daemon.idleMinutes'] * 60_000;
    idle.setAfter(idleExitAfterMs);
    token = await keptToken(endpointPath);
    agents = await AgentEndpoint.open({
      version,
      home: options.home,
      settingsPath: join(stateFolder, 'settings.json'),
      readSettings: () => options.readSettings(),
      previousUrl: (await readEndpoint(endpointPath))?.url ?? null,
      token: () => token,
      use: (access, progress, run) =>
        (access === 'change' ? changing : use)({ kind: 'forwarder', address: null, progress }, run),
      running,
      onChanged: () => {
        idle.touch();
        control.changed();
      },
      onUrl: (url) => rewriteEndpoint({ url }),
      log,
    });
    const written: Endpoint = {
      url: agents.url,
      pid: process.pid,
      started,
      version,
      protocol: protocolVersion,
      token,
      pipe: path,
    };
    await publish(written);
    await options.beforeServing();
    log.info({ operation: 'daemon', version, pid: process.pid }, 'daemon started');
    onWritten(written);
  } catch (error) {
    await agents?.close();
    instance?.release();
    control.close();
    throw cannotStart(stateFolder, error);
  }
  idle.touch();
  // What waits for the registry is delivered unprompted; a failure is told to whoever asks.
  holder.use(null, () => undefined, refreshSync).catch(() => undefined);
  return { ended, end };
}

/** What people read when the state folder cannot hold what a daemon needs; a RegistrarError is one already. */
export function cannotStart(stateFolder: string, error: unknown): RegistrarError {
  if (error instanceof RegistrarError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new RegistrarError(
    {
      code: 'DAEMON_UNREACHABLE',
      message: `The daemon cannot start in ${stateFolder}: ${reason}.`,
      hint: 'Make the folder writable and its disk not full, or set REGISTRAR_HOME to another folder.',
    },
    { cause: error },
  );
}

const notReady = {
  code: 'DAEMON_UNREACHABLE',
  message: 'This daemon has lost its place to another.',
  hint: 'Try again.',
} as const;
