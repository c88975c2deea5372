import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import pg from 'pg';
import type { DaemonClient } from '../../../daemon/client/daemonClient.ts';
import { dialDaemon, type DaemonConnection } from '../../../daemon/client/dialDaemon.ts';
import { daemonClient } from '../../../daemon/client/localDaemon.ts';
import { commandBundle } from '../../../scripts/commandBundle.mjs';
import type { ClientFolder, Endpoint } from '../../../daemon/protocol/control.ts';
import { processesRunning } from '../../support/processesRunning.ts';
import { testServer } from '../../support/testServer.ts';

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The document on standard output; null when there is none. */
  json: Record<string, unknown> | null;
}

const repository = join(import.meta.dirname, '../../..');

/** The built command in state folders of its own. Every process that runs it is ended by its id. */
export class DaemonFixture {
  folder = '';
  #bundles = '';
  readonly #registries: string[] = [];
  readonly #clients: { close(): void }[] = [];

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

  /** Lets every user run the built command and pass to workspaces and state folders, which keep their own modes. */
  async openToAll(): Promise<void> {
    const homes = join(this.folder, 'home');
    await mkdir(homes, { recursive: true });
    for (const folder of [this.folder, homes, this.#bundles]) await chmod(folder, 0o755);
  }

  async close(): Promise<void> {
    // Never opened: without a folder of its own, every process would look like one of ours.
    if (this.#bundles === '') return;
    for (const client of this.#clients) client.close();
    for (const pid of await this.processes()) {
      for (const signal of ['SIGCONT', 'SIGKILL'] as const) if (isAlive(pid)) process.kill(pid, signal);
      await gone(pid);
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

  /** Runs the built command to its end; `--json` is added. @param input what is on its standard input */
  async run(
    home: string,
    args: string[],
    environment: Record<string, string> = {},
    version = '1.0.0',
    input = '',
  ): Promise<CommandResult> {
    const child = spawn(process.execPath, [this.script(version), ...args, '--json'], {
      env: this.environment(home, environment),
      stdio: 'pipe',
    });
    // A command that does not read its input may end before it is written.
    child.stdin.on('error', () => undefined).end(input);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [status] = (await once(child, 'close')) as [number | null];
    await this.endpoint(home);
    return { status, stdout, stderr, json: stdout === '' ? null : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  script(version = '1.0.0'): string {
    return join(this.#bundles, version, 'registrar.cjs');
  }

  environment(home: string, more: Record<string, string> = {}): Record<string, string> {
    const { PATH = '' } = process.env;
    return { PATH, HOME: home, REGISTRAR_HOME: home, ...more };
  }

  /** A client in this process, which starts the built daemon when there is none. */
  async client(home: string, environment: Record<string, string> = {}, version = '1.0.0'): Promise<DaemonClient> {
    const local = {
      stateFolder: home,
      version,
      environment: this.environment(home, environment),
      script: this.script(version),
      // Fifty processes that start at once on a busy machine take their time.
      connectWithinMs: 90_000,
    };
    const client = await daemonClient(local, null, true, () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Attaches to the running daemon as a window or an agent's forwarder. */
  async attach(home: string, kind: 'window' | 'forwarder', folders: ClientFolder[] = []): Promise<DaemonConnection> {
    const endpoint = await this.endpoint(home);
    if (!endpoint) throw new Error('no daemon wrote its endpoint file');
    const dialled = await dialDaemon({
      pipe: endpoint.pipe,
      token: () => Promise.resolve(endpoint.token),
      client: {
        kind,
        version: endpoint.version,
        pid: process.pid,
        folders,
        address: { url: null, source: 'environment', variables: {} },
      },
      limits: { handshakeMs: 20_000, silenceMs: 20_000 },
    });
    if (dialled.kind !== 'attached') throw new Error(`the daemon could not be dialled: ${dialled.kind}`);
    this.#clients.push(dialled.connection);
    return dialled.connection;
  }

  /** The processes that became the daemon of a state folder, in their order. */
  async startedPids(home: string): Promise<number[]> {
    const log = await readFile(join(home, 'logs', 'registrar.log'), 'utf8');
    return [...log.matchAll(/"pid":(\d+),"msg":"daemon started"/g)].map((match) => Number(match[1]));
  }

  /** Everybody who runs the built command, whoever started it: the bundles' folder is this fixture's own. */
  processes(): Promise<number[]> {
    return processesRunning(`${this.#bundles}/`);
  }

  /** Settles when nobody runs the built command but one process. */
  async untilAlone(pid: number): Promise<void> {
    for (const other of await this.processes()) if (other !== pid) await gone(other, 60_000);
  }

  /** What the daemon of a state folder wrote. */
  async endpoint(home: string): Promise<Endpoint | null> {
    try {
      return JSON.parse(await readFile(join(home, 'endpoint.json'), 'utf8')) as Endpoint;
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
