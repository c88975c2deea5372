import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

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
  const server = running;
  running = undefined;
  if (server) await (await server).stop();
}

async function startServer(): Promise<RunningServer> {
  const given = process.env.REGISTRAR_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, stop: () => Promise.resolve() };

  const { startBundledServer } = await import('../../daemon/embedded/bundledServer.ts');
  const { probe } = await import('./probe.ts');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-server-'));
  const server = await startBundledServer({ folder, probe });
  const { host, port, user, password } = server.address;
  return {
    url: `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${String(port)}/postgres`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
