import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DaemonClient } from '../daemon/client/daemonClient.ts';
import { agentAddress, clientOf, environmentOf, registrar, runNode } from './installation.ts';

/** A built daemon with a state folder of its own, as another user of the same registry would have it. */
export interface FleetDaemon {
  env: NodeJS.ProcessEnv;
  pid: number;
  mcp: { url: string; token: string };
  /** A window that comes and goes. */
  window(): Promise<DaemonClient>;
}

/** Daemons that share a registry, and folders. */
export interface Fleet {
  daemons: FleetDaemon[];
  /** A repository whose config file claims a project of this name. */
  workspace(name: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * @param url of the registry that all share
 * @param inDaemons variables for the daemons alone, not for the commands that ask them
 */
export async function openFleet(url: string, count: number, inDaemons: NodeJS.ProcessEnv = {}): Promise<Fleet> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'registrar-fleet-')));
  const environments = Array.from({ length: count }, (_, index) =>
    environmentOf(join(base, `state-${String(index + 1)}`), url),
  );
  const close = async (): Promise<void> => {
    for (const env of environments) await runNode(env, registrar, 'stop');
    await rm(base, { recursive: true, force: true });
  };
  const daemons: FleetDaemon[] = [];
  try {
    for (const env of environments) daemons.push(await startDaemon(env, inDaemons));
  } catch (error) {
    await close();
    throw error;
  }
  let folders = 0;
  return {
    daemons,
    async workspace(name) {
      const folder = join(base, `workspace-${String((folders += 1))}`);
      await mkdir(join(folder, '.git'), { recursive: true });
      await mkdir(join(folder, '.codebase-mcp'));
      const config = JSON.stringify({ version: '1.0', project: { name } });
      await writeFile(join(folder, '.codebase-mcp', 'config.json'), config);
      return folder;
    },
    close,
  };
}

async function startDaemon(env: NodeJS.ProcessEnv, inDaemon: NodeJS.ProcessEnv): Promise<FleetDaemon> {
  const stateFolder = env['REGISTRAR_HOME'] ?? '';
  const client = await clientOf(stateFolder, { ...env, ...inDaemon }, 'window');
  await client.call('server', undefined);
  const { pid } = await client.call('status', undefined);
  client.close();
  const mcp = await agentAddress(stateFolder);
  return { env, pid, mcp, window: () => clientOf(stateFolder, env, 'window') };
}
