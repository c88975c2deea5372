import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from './packages.ts';

export interface Ran {
  stdout: string;
  stderr: string;
  status: number | string;
}

/** A folder and its project. */
export interface Workspace {
  directory: string;
  database: string;
}

/** The built command with a state folder, and so a daemon, of its own. */
export interface Registrar {
  run: (args: readonly string[], cwd: string) => Promise<Ran>;
  newWorkspace: (name: string) => Promise<Workspace>;
  /** Stops the daemon. */
  close: () => Promise<void>;
}

const script = join(import.meta.dirname, '../../dist/registrar.cjs');

/**
 * @param folder for its state and its workspaces; made
 * @param address of the server, with the registry's database in its path
 */
export async function openRegistrar(folder: string, address: string): Promise<Registrar> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true, mode: 0o700 });
  const env = { ...environment, REGISTRAR_HOME: home, REGISTRAR_DATABASE_URL: address, CHECKPOINT_DISABLE: '1' };
  // Not at once: what stands in front of the server is this process.
  const run = (args: readonly string[], cwd: string): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { cwd, env, timeout: 60_000 };
      const child = execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
        resolve({ stdout, stderr, status: error?.code ?? error?.signal ?? 0 });
      });
      // A tool that asks gets no answer.
      child.stdin?.end();
    });
  return {
    run,
    async newWorkspace(name) {
      const directory = join(folder, name);
      await mkdir(join(directory, '.codebase-mcp'), { recursive: true });
      const config = { version: '1.0', project: { name } };
      await writeFile(join(directory, '.codebase-mcp', 'config.json'), JSON.stringify(config));
      const { stdout, stderr } = await run(['resolve', '--json'], directory);
      const database = (JSON.parse(stdout) as { project?: { databaseName: string } | null }).project?.databaseName;
      if (database === undefined) throw new Error(`${name}: ${stdout}${stderr}`);
      return { directory, database };
    },
    async close() {
      await run(['stop'], folder);
    },
  };
}
