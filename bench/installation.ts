import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DaemonClient } from '../daemon/client/daemonClient.ts';
import { daemonClient } from '../daemon/client/localDaemon.ts';
import manifest from '../package.json' with { type: 'json' };
import type { ClientKind, Endpoint } from '../daemon/protocol/control.ts';

const run = promisify(execFile);

/** The built command, which starts a daemon of its own in each state folder. */
export const registrar = join(import.meta.dirname, '..', 'dist', 'registrar.cjs');

export function environmentOf(stateFolder: string, databaseUrl: string): NodeJS.ProcessEnv {
  return { ...process.env, REGISTRAR_HOME: stateFolder, REGISTRAR_DATABASE_URL: databaseUrl };
}

/** Runs Node to its end. @throws when it fails */
export function runNode(env: NodeJS.ProcessEnv, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, args, { env });
}

/** A client in this process of the built daemon, which is started when there is none. */
export function clientOf(
  stateFolder: string,
  env: NodeJS.ProcessEnv,
  kind: ClientKind = 'command',
): Promise<DaemonClient> {
  const { version } = manifest;
  return daemonClient({ stateFolder, version, environment: env, script: registrar }, null, true, () => undefined, kind);
}

/** Where the daemon that runs serves agents. */
export async function agentAddress(stateFolder: string): Promise<{ url: string; token: string }> {
  const { url, token } = JSON.parse(await readFile(join(stateFolder, 'endpoint.json'), 'utf8')) as Endpoint;
  if (url === null) throw new Error('the daemon serves no agents over HTTP');
  return { url, token };
}
