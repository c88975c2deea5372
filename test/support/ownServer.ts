import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { findPlatformPackage, keepBinaries, type Binaries } from '../../daemon/embedded/binaries.ts';
import { startBundledServer } from '../../daemon/embedded/bundledServer.ts';
import { openServerHome, type ServerHome } from '../../daemon/embedded/serverHome.ts';
import { serverProcessOptions } from '../../daemon/embedded/serverProcess.ts';
import { newestMajor, prepareMajor, type MajorOptions } from './majorServer.ts';
import { probe } from './probe.ts';

const run = promisify(execFile);

/** The major version whose server the tests run on, where that is not the bundled one. */
const majorUnderTest = process.env.REGISTRAR_TEST_MAJOR;

/**
 * A PostgreSQL that belongs to one test file, which may do to it what it likes: the binaries of the major under test on a
 * data folder and a port of its own. The port stays the same over every stop and start.
 */
export class OwnServer {
  /** A superuser on the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** The account that the server runs as, null where it runs as this process's user. */
  readonly account: ServerHome['account'];
  readonly #root: string;
  readonly #place: ServerHome;
  readonly #binaries: Binaries;
  #paused: number[] = [];

  private constructor(root: string, place: ServerHome, binaries: Binaries, url: string) {
    this.#root = root;
    this.#place = place;
    this.#binaries = binaries;
    this.url = url;
    this.port = Number(new URL(url).port);
    this.account = place.account;
  }

  /** @param encoding of the server's own databases, and of those that are made without naming another; UTF8 when absent */
  static async start({ encoding }: Pick<MajorOptions, 'encoding'> = {}): Promise<OwnServer> {
    const root = await newRoot();
    if (encoding !== undefined) await prepare(root, { major: majorUnderTest ?? newestMajor, encoding });
    const server = await OwnServer.#startIn(root);
    // The machine stays up: what a killed server wrote is there without waiting for the disk.
    await server.sql('alter system set fsync = off');
    await server.sql('select pg_reload_conf()');
    return server;
  }

  static async #startIn(root: string): Promise<OwnServer> {
    const place = await prepare(root, majorUnderTest === undefined ? null : { major: majorUnderTest });
    const { address } = await startBundledServer({ ...foldersIn(root), ...packageUnderTest(), probe });
    const binaries = await keepBinaries(place, majorUnderTest ?? null, findPlatformPackage(), () => undefined);
    const { host, port, user, password } = address;
    const url = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${String(port)}/postgres`;
    return new OwnServer(root, place, binaries, url);
  }

  /** Starts it again after `stop` or `kill` and waits until it answers, recovery included. */
  async start(): Promise<void> {
    await startBundledServer({ ...foldersIn(this.#root), ...packageUnderTest(), probe });
  }

  /** `immediate` is a crash: nothing is written out, connections are cut, and the next start recovers. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const options = serverProcessOptions(this.#place.account, path.dirname(this.#data));
    await run(this.#binaries.pgCtl, ['stop', '-D', this.#data, '-m', mode, '-w'], options);
  }

  /** `kill -9` for the server and every process of it. */
  async kill(): Promise<void> {
    // Stopped before it is killed: who its processes are can no longer be seen when it is gone.
    await this.pause();
    const pids = this.#paused;
    this.#paused = [];
    for (const pid of pids) signalIfThere(pid, 'SIGKILL');
    while ((await Promise.all(pids.map(isRunning))).includes(true)) await delay(5);
  }

  /** SIGSTOP: it takes connections, since the kernel does, and answers nothing. */
  async pause(): Promise<void> {
    const text = await readFile(path.join(this.#data, 'postmaster.pid'), 'utf8').catch(() => '');
    const postmaster = Number.parseInt(text, 10);
    // A crash leaves the file behind, and the number may be another process's by now.
    if (!(postmaster > 0) || !(await isServerOf(postmaster, this.#data))) return;
    // First, so that it starts no process that would be missed.
    process.kill(postmaster, 'SIGSTOP');
    this.#paused = [postmaster, ...(await childrenOf(postmaster))];
    for (const pid of this.#paused) signalIfThere(pid, 'SIGSTOP');
  }

  /** Lets a paused server go on with what it was doing. */
  resume(): void {
    for (const pid of this.#paused) signalIfThere(pid, 'SIGCONT');
    this.#paused = [];
  }

  /** One statement as superuser. */
  async sql(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const url = new URL(this.url);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /**
   * A streaming standby on a copy of the data, for which this server is stopped and started. From then on a commit on this
   * server is confirmed when the standby has it.
   */
  async standby(): Promise<OwnServer> {
    await this.stop('fast');
    const root = await newRoot();
    const { folder, rootBase } = foldersIn(root);
    const { home } = await openServerHome(folder, rootBase);
    const cluster = path.join(home, 'cluster');
    await run('cp', ['-a', path.dirname(this.#data), cluster]);
    await writeFile(path.join(cluster, 'data', 'standby.signal'), '');
    const { port, username, password } = new URL(this.url);
    const primary = `host=127.0.0.1 port=${port} user=${username} password=${decodeURIComponent(password)}`;
    await appendFile(path.join(cluster, 'data', 'postgresql.conf'), `\nprimary_conninfo = '${primary}'\n`);
    await this.start();
    const standby = await OwnServer.#startIn(root);
    await this.sql(`alter system set synchronous_standby_names = '*'`);
    await this.sql('select pg_reload_conf()');
    while ((await this.sql(`select from pg_stat_replication where sync_state = 'sync'`)).length === 0) await delay(20);
    return standby;
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    const [row] = await this.sql('select pg_promote(true, 30) as done');
    if (row?.['done'] !== true) throw new Error('the standby was not promoted');
  }

  /** Stops it in whatever state it is, and removes everything. */
  async close(): Promise<void> {
    await this.kill();
    await rm(this.#root, { recursive: true, force: true });
  }

  get #data(): string {
    return path.join(this.#place.home, 'cluster', 'data');
  }
}

/** Whether the bundled binaries are here and can be paused; else the reason for not running, in one line. */
export function whyNoOwnServer(): string | null {
  if (findPlatformPackage() === null) return 'not run: no bundled PostgreSQL for this platform';
  return process.platform === 'win32' ? 'not run: Windows cannot pause a process' : null;
}

async function prepare(root: string, options: MajorOptions | null): Promise<ServerHome> {
  const { folder, rootBase } = foldersIn(root);
  const place = await openServerHome(folder, rootBase);
  if (options !== null) await prepareMajor(place, options);
  return place;
}

/** Older binaries are in the server's home already. */
function packageUnderTest(): { packageFolder?: null } {
  return majorUnderTest === undefined || majorUnderTest === newestMajor ? {} : { packageFolder: null };
}

function foldersIn(root: string): { folder: string; rootBase: string } {
  return { folder: path.join(root, 'state'), rootBase: path.join(root, 'base') };
}

async function newRoot(): Promise<string> {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'registrar-own-server-')));
  // Root's server runs under another account, which has to get through.
  await chmod(root, 0o711);
  return root;
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    return pairs.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
  }
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await statusOf(Number(entry)))?.parent === parent) found.push(Number(entry));
  }
  return found;
}

/** A process that ended and was not yet collected by its parent counts as ended. */
async function isRunning(pid: number): Promise<boolean> {
  if (process.platform === 'linux') return (await statusOf(pid)) !== null;
  return run('ps', ['-p', String(pid)]).then(
    () => true,
    () => false,
  );
}

async function isServerOf(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return isRunning(pid);
  return (await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(data);
}

async function statusOf(pid: number): Promise<{ parent: number } | null> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may itself hold spaces and parentheses.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === undefined || state === '' || state === 'Z' || state === 'X' ? null : { parent: Number(parent) };
}
