import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

import { startBundledServer } from '../../../daemon/embedded/bundledServer.ts';
import type { BundledServer } from '../../../daemon/embedded/bundledServer.ts';
import type { BundledAddress, BundledServerOptions } from '../../../daemon/embedded/bundledServerOptions.ts';
import { probe } from '../../support/probe.ts';

export const runsAsRoot = process.getuid?.() === 0;

export interface StarterEvent {
  progress?: string;
  address?: BundledAddress;
  reused?: boolean;
}

/** A fresh folder for one test's bundled server, and everything that was started in it. */
export class ServerFixture {
  readonly root: string;
  readonly folder: string;
  readonly rootBase: string;
  readonly progress: string[] = [];
  private readonly servers: BundledServer[] = [];
  private readonly children: ChildProcess[] = [];
  private readonly clients: pg.Client[] = [];

  private constructor(root: string) {
    this.root = root;
    this.folder = path.join(root, 'state', 'postgres');
    this.rootBase = path.join(root, 'base');
  }

  static async open(): Promise<ServerFixture> {
    const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'registrar-embedded-')));
    // Root's server runs under another account, which has to get through.
    await chmod(root, 0o711);
    return new ServerFixture(root);
  }

  async start(options: Partial<BundledServerOptions> = {}): Promise<BundledServer> {
    const onProgress = (message: string): void => {
      this.progress.push(message);
    };
    const server = await startBundledServer({
      folder: this.folder,
      rootBase: this.rootBase,
      probe,
      onProgress,
      ...options,
    });
    this.servers.push(server);
    return server;
  }

  /** Starts the server from a child process, in a process group of its own. */
  startChild(): {
    child: ChildProcess;
    nextEvent: (matches: (event: StarterEvent) => boolean) => Promise<StarterEvent>;
  } {
    const script = fileURLToPath(new URL('starterProcess.ts', import.meta.url));
    const argument = JSON.stringify({ folder: this.folder, rootBase: this.rootBase });
    const child = spawn(process.execPath, [script, argument], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.children.push(child);
    const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const nextEvent = async (matches: (event: StarterEvent) => boolean): Promise<StarterEvent> => {
      for (;;) {
        const { value, done } = (await lines.next()) as { value?: string; done?: boolean };
        if (done || value === undefined) throw new Error('the starter ended before the awaited event');
        const event = JSON.parse(value) as StarterEvent;
        if (matches(event)) return event;
      }
    };
    return { child, nextEvent };
  }

  /** Keeps a child that a test started, to be ended with everything else. */
  keep(child: ChildProcess): void {
    this.children.push(child);
  }

  async connect(address: BundledAddress): Promise<pg.Client> {
    const client = new pg.Client({ ...address, database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  async query(address: BundledAddress, sql: string): Promise<Record<string, unknown>[]> {
    const client = await this.connect(address);
    const result = await client.query<Record<string, unknown>>(sql);
    await client.end();
    return result.rows;
  }

  /** The folder that holds binaries and cluster: for root it lies elsewhere. */
  async home(): Promise<string> {
    if (!runsAsRoot) return this.folder;
    const [hash] = await readdir(this.rootBase);
    assert.ok(hash);
    return path.join(this.rootBase, hash);
  }

  async data(): Promise<string> {
    return path.join(await this.home(), 'cluster', 'data');
  }

  async postmasterPid(): Promise<number> {
    return Number.parseInt(await readFile(path.join(await this.data(), 'postmaster.pid'), 'utf8'), 10);
  }

  /** `kill -9`, and the wait until it took effect. */
  async killPostmaster(): Promise<void> {
    const pid = await this.postmasterPid();
    process.kill(pid, 'SIGKILL');
    await until(async () => !(await isRunning(pid)));
  }

  async close(): Promise<void> {
    for (const child of this.children) await endChild(child);
    for (const client of this.clients) await client.end().catch(() => undefined);
    for (const server of this.servers) await server.stop();
    await rm(this.root, { recursive: true, force: true });
  }
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Waits for a state that sends no event, with a limit. */
export async function until(holds: () => Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, 'the awaited state did not come');
    await delay(5);
  }
}

/** A process that ended and was not yet collected by its parent counts as ended. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

/** The servers that have this data folder among their arguments. */
export async function findPostmasters(data: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (args[1] === '-D' && args[2] === data) found.push(Number(pid));
  }
  return found;
}
