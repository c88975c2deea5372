import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import pg from 'pg';
import { commandBundle } from '../../../scripts/commandBundle.mjs';
import type { Endpoint } from '../../../daemon/protocol/control.ts';
import { testServer } from '../../support/testServer.ts';

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The document on standard output; null when there is none. */
  json: Record<string, unknown> | null;
}

const repository = join(import.meta.dirname, '../../..');

/** The built command in state folders of its own. Every daemon that it started is ended by its id. */
export class DaemonFixture {
  folder = '';
  #bundles = '';
  readonly #pids = new Set<number>();
  readonly #registries: string[] = [];

  async open(versions: readonly string[] = ['1.0.0']): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'registrar-daemon-'));
    // Inside the checkout, where the bundled PostgreSQL's package is found.
    await mkdir(join(repository, 'test-output'), { recursive: true });
    this.#bundles = await mkdtemp(join(repository, 'test-output', 'daemon-'));
    for (const version of versions) {
      const options = commandBundle(version, join(this.#bundles, version));
      await build({ ...options, absWorkingDir: repository, logLevel: 'warning' });
    }
  }

  async close(): Promise<void> {
    for (const pid of this.#pids) {
      if (!isAlive(pid)) continue;
      process.kill(pid, 'SIGCONT');
      process.kill(pid, 'SIGKILL');
    }
    await this.#dropRegistries();
    await rm(this.#bundles, { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  async #dropRegistries(): Promise<void> {
    if (this.#registries.length === 0) return;
    const client = new pg.Client({ connectionString: (await testServer()).url });
    await client.connect();
    const { rows } = await client.query<{ datname: string }>(
      `select datname from pg_database left join pg_shdescription on objoid = oid and classoid = 'pg_database'::regclass
       where datname = any($1) or (datname like 'cb\\_proj\\_%' and description::json->'registrar'->>'registry' = any($1))`,
      [this.#registries],
    );
    for (const { datname } of rows) await client.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`);
    await client.end();
  }

  /** A fresh state folder. */
  async home(name: string): Promise<string> {
    const home = join(this.folder, 'home', name);
    await mkdir(home, { recursive: true, mode: 0o700 });
    return home;
  }

  async workspace(name: string): Promise<string> {
    const folder = join(this.folder, 'workspaces', name);
    await mkdir(join(folder, '.codebase-mcp'), { recursive: true });
    await writeFile(
      join(folder, '.codebase-mcp', 'config.json'),
      JSON.stringify({ version: '1.0', project: { name: name } }),
    );
    return folder;
  }

  /** An address with a registry of its own. */
  async address(): Promise<string> {
    const { url } = await testServer();
    const address = new URL(url);
    const registry = `daemon_${process.pid}_${this.#registries.length}`;
    this.#registries.push(registry);
    address.pathname = `/${registry}`;
    return address.href;
  }

  /** Runs the built command to its end; `--json` is added. */
  async run(
    home: string,
    args: string[],
    environment: Record<string, string> = {},
    version = '1.0.0',
  ): Promise<CommandResult> {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [join(this.#bundles, version, 'registrar.cjs'), ...args, '--json'], {
      env: { PATH, HOME: home, REGISTRAR_HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [status] = (await once(child, 'close')) as [number | null];
    await this.endpoint(home);
    return { status, stdout, stderr, json: stdout === '' ? null : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  /** What the daemon of a state folder wrote; its process is remembered, to be ended. */
  async endpoint(home: string): Promise<Endpoint | null> {
    try {
      const endpoint = JSON.parse(await readFile(join(home, 'endpoint.json'), 'utf8')) as Endpoint;
      this.#pids.add(endpoint.pid);
      return endpoint;
    } catch {
      return null;
    }
  }

  async pid(home: string): Promise<number> {
    const endpoint = await this.endpoint(home);
    if (!endpoint) throw new Error('no daemon wrote its endpoint file');
    return endpoint.pid;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Settles when the process has gone; another process's end sends no event. */
export async function gone(pid: number, limitMs = 60_000): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (isAlive(pid)) {
    if (performance.now() > giveUpAt) throw new Error(`process ${pid} is still there after ${limitMs} ms`);
    await delay(20);
  }
}
