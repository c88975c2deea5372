import { spawn } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readEndpoint } from '../wire/endpointFile.ts';
import { pipePath } from '../wire/pipePath.ts';
import { openRuntimeFolder, openStateFolder, stateFolderPath } from '../wire/stateFolder.ts';
import type { ClientFolder, ClientKind, GivenAddress, InitializeParams, Snapshot } from '../protocol/control.ts';
import { engineMethods, forOperations, type ParamsOf, type RegistrarApi } from '../protocol/methods.ts';
import type { ServerLabel } from '../protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import type { WindowSettings } from '../protocol/settings.ts';
import { DaemonClient, type DaemonClientOptions, type StartedDaemon } from './daemonClient.ts';

export interface LocalDaemonOptions {
  stateFolder: string;
  version: string;
  environment: Record<string, string | undefined>;
  /** The command's script, which is the daemon's, too. */
  script: string;
  /** For having a daemon, ms; half a minute when left out. */
  connectWithinMs?: number;
  /** This process starts a daemon, and is its parent from now on. */
  onStart?: () => void;
}

/** What this process's environment says about PostgreSQL. */
export function givenAddress(
  databaseUrl: string | null,
  environment: Record<string, string | undefined>,
): GivenAddress {
  const url = environment['REGISTRAR_DATABASE_URL'] ?? '';
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('PG') && value !== undefined) variables[name] = value;
  }
  if (databaseUrl !== null) return { url: databaseUrl, source: 'argument', variables };
  return { url: url === '' ? null : url, source: 'environment', variables };
}

/**
 * A client of the daemon of a state folder; nothing is dialled before it is used.
 *
 * @param mayStart whether a daemon is started when none runs
 */
export async function daemonClient(
  options: LocalDaemonOptions,
  databaseUrl: string | null,
  mayStart: boolean,
  onProgress: (message: string) => void,
  kind: ClientKind = 'command',
): Promise<DaemonClient> {
  return localClient(options, {
    client: { kind, folders: [], address: givenAddress(databaseUrl, options.environment) },
    onProgress,
    start: mayStart ? (stateFolder) => startDaemon({ ...options, stateFolder }, databaseUrl) : null,
  });
}

/** What a window sends when it attaches. */
export interface WindowSide {
  folders: ClientFolder[];
  address: GivenAddress;
  settings: WindowSettings;
  /** Whether a daemon is started when none runs. */
  mayStart: boolean;
  onSnapshot: (snapshot: Snapshot) => void;
  onProgress: (message: string) => void;
}

/** As `daemonClient`, for a window, which gets a snapshot whenever something has changed. */
export async function windowClient(options: LocalDaemonOptions, window: WindowSide): Promise<DaemonClient> {
  const { folders, address, settings, mayStart, onSnapshot, onProgress } = window;
  return localClient(options, {
    client: { kind: 'window', folders, address, settings },
    onSnapshot,
    onProgress,
    start: mayStart ? (stateFolder) => startDaemon({ ...options, stateFolder }, null) : null,
  });
}

/** Where this user's daemon keeps its state. Throws INVALID_ARGUMENT for a `REGISTRAR_HOME` that is not absolute. */
export function localStateFolder(environment: Record<string, string | undefined>): string {
  return stateFolderPath(environment, process.platform, homedir());
}

interface LocalClient extends Pick<DaemonClientOptions, 'onSnapshot' | 'onProgress'> {
  client: Pick<InitializeParams, 'kind' | 'folders' | 'address' | 'settings'>;
  start: ((stateFolder: string) => StartedDaemon) | null;
}

async function localClient(options: LocalDaemonOptions, local: LocalClient): Promise<DaemonClient> {
  await openStateFolder(options.stateFolder);
  const stateFolder = await realpath(options.stateFolder);
  const { path, runtimeFolder } = pipePath(stateFolder, process.platform, process.getuid?.() ?? null);
  // Checked here, because in somebody else's folder a client would only learn that no daemon came.
  if (runtimeFolder !== null) await openRuntimeFolder(runtimeFolder);
  const { client, start, ...listeners } = local;
  return new DaemonClient({
    ...listeners,
    pipe: path,
    token: async () => (await readEndpoint(join(stateFolder, 'endpoint.json')))?.token ?? null,
    client: { ...client, version: options.version, pid: process.pid },
    limits: { handshakeMs: 5000, silenceMs: 5000 },
    connectWithinMs: options.connectWithinMs ?? 30_000,
    start: start && (() => start(stateFolder)),
  });
}

/** The API over the pipe. The server's label is asked for first, since that opens PostgreSQL and says what prevents it. */
export function remoteApi(client: Pick<DaemonClient, 'call'>, server: ServerLabel): RegistrarApi {
  const calls = forOperations(engineMethods, (method) => (params: ParamsOf<typeof method>, besides: unknown) => {
    const signal = besides instanceof AbortSignal ? besides : undefined;
    return client.call(method, params, signal);
  });
  // Building the calls by name loses which parameters belong to which operation.
  return { server: () => server, ...(calls as unknown as Omit<RegistrarApi, 'server'>) };
}

/**
 * V8 lets the part of the heap where objects begin grow to more than 100 MB while there is work. A daemon's answers are small:
 * 4 MB for each half is enough. Measured under 16 agents at once: 176 MB instead of 287 MB, as many calls per second.
 */
const memoryLimits = ['--max-semi-space-size=4'];

/** Starts a daemon that outlives this process. If it cannot start, its output says why. */
function startDaemon(options: LocalDaemonOptions, databaseUrl: string | null): StartedDaemon {
  options.onStart?.();
  const address = databaseUrl === null ? [] : ['--database-url', databaseUrl];
  const serve = [...memoryLimits, options.script, 'serve', '--foreground', '--json', ...address];
  const child = spawn(process.execPath, serve, {
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    // Nobody's folder is kept busy, and Electron runs scripts only when told so.
    cwd: options.stateFolder,
    env: { ...options.environment, REGISTRAR_HOME: options.stateFolder, ELECTRON_RUN_AS_NODE: '1' },
  });
  let output = '';
  let end: { error: RegistrarError | null } | null = null;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < 65_536) output += text;
  });
  // This process need not wait for it.
  child.unref();
  if (child.stdout instanceof Socket) child.stdout.unref();
  child.once('error', (error) => {
    end = { error: notStarted(error.message) };
  });
  child.once('close', (code) => {
    end ??= { error: code === 0 ? null : errorIn(output, code) };
  });
  return { ended: () => end };
}

function errorIn(output: string, code: number | null): RegistrarError {
  try {
    const { error } = JSON.parse(output) as { error?: ErrorReport };
    if (error) return new RegistrarError(error);
  } catch {
    // It ended before it could say anything.
  }
  return notStarted(`it ended with status ${code ?? 'of a signal'}`);
}

function notStarted(reason: string): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message: `The daemon could not be started: ${reason}.`,
    hint: 'registrar serve --foreground shows what prevents it.',
  });
}
