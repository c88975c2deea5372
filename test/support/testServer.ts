import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startBundledServer } from '../../daemon/embedded/bundledServer.ts';
import { probe } from './probe.ts';

interface RunningServer {
  url: string;
  stop(): Promise<void>;
}

let running: Promise<RunningServer> | undefined;

/**
 * One PostgreSQL for the whole mocha run: the one that `REGISTRAR_TEST_DATABASE_URL` names, else the bundled binaries
 * in a temporary folder, started by the first caller and stopped after the last test.
 *
 * @returns the URL of a superuser on the database `postgres`; each test file makes a registry of its own from it
 */
export async function testServer(): Promise<{ url: string }> {
  running ??= startServer();
  const { url } = await running;
  return { url };
}

/** Stops and removes what `testServer` started; nothing when it was never called. */
export async function stopTestServer(): Promise<void> {
  // A start that failed has told the test that asked for it.
  const server = await running?.catch(() => undefined);
  running = undefined;
  await server?.stop();
}

async function startServer(): Promise<RunningServer> {
  const given = process.env.REGISTRAR_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, stop: () => Promise.resolve() };

  const base = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-server-'));
  // As root the server runs as another user, who has to pass through this folder.
  await chmod(base, 0o711);
  const watchdog = spawn(process.execPath, [path.join(import.meta.dirname, 'serverWatchdog.mjs'), base], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.unref();
  // An open pipe would keep the run from ending.
  (watchdog.stdin as unknown as { unref(): void }).unref();
  const server = await startBundledServer({
    folder: path.join(base, 'postgres'),
    rootBase: path.join(base, 'root'),
    probe,
  }).catch(async (error: unknown) => {
    await rm(base, { recursive: true, force: true });
    throw error;
  });
  const { host, port, user, password } = server.address;
  const url = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${String(port)}/postgres`;
  await trustTheMachine(url);
  return {
    url,
    stop: async () => {
      await server.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** What the tests kill are processes, not the machine: waiting for the disk would only make hundreds of databases slow. */
async function trustTheMachine(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('alter system set fsync = off');
  await client.query('select pg_reload_conf()');
  await client.end();
}
