import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { serverVSCode } from './serverVSCode.ts';

const startLimitMs = 30_000;

interface ServerOptions {
  /** Where settings and state are. */
  userData: string;
  extensions: string;
  /** Whether folders have to be trusted; without, all are. */
  hasTrust: boolean;
  environment?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/** VS Code's server as a process of its own, which a browser opens at the address. */
export interface RunningServer {
  address: string;
  /** What it printed: at length about native modules that the tests do not need, so it is shown only after a failure. */
  output: () => string;
  /** Ends with the process. */
  ended: Promise<unknown>;
  close: () => Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { signal = new AbortController().signal } = options;
  const server = spawn(process.execPath, [await serverVSCode(), ...serverArguments(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.environment ?? process.env,
    // Its own process group: the extension hosts that it starts are ended with it.
    detached: true,
  });
  const output = collectOutput(server);
  const ended = once(server, 'exit');
  try {
    const port = await listeningPort(server, AbortSignal.any([signal, AbortSignal.timeout(startLimitMs)]));
    return { address: `127.0.0.1:${port}`, output, ended, close: () => endGroup(server) };
  } catch (error) {
    console.error(output().slice(-4000));
    await endGroup(server);
    throw error;
  }
}

function serverArguments({ userData, extensions, hasTrust }: ServerOptions): string[] {
  return [
    ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'],
    ...['--enable-smoke-test-driver', '--telemetry-level', 'off'],
    ...['--user-data-dir', userData, '--server-data-dir', userData, '--extensions-dir', extensions],
    ...(hasTrust ? [] : ['--disable-workspace-trust']),
  ];
}

function collectOutput(server: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return () => chunks.join('');
}

async function listeningPort(server: ChildProcess, signal: AbortSignal): Promise<number> {
  const ended = once(server, 'exit', { signal }).then(() => {
    throw new Error('The server of VS Code ended before it listened.');
  });
  const listening = new Promise<number>((resolve) => {
    if (!server.stdout) return;
    createInterface({ input: server.stdout }).on('line', (line) => {
      const port = /Extension host agent listening on (\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  return Promise.race([listening, ended]);
}

async function endGroup(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  process.kill(-server.pid, 'SIGKILL');
  await exited;
}
