import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startBundledServer } from '../daemon/embedded/bundledServer.ts';
import type { Engine } from '../daemon/engine/engine.ts';
import { openEngine } from '../daemon/engine/openEngine.ts';
import { openLog } from '../daemon/lifecycle/logFile.ts';
import { addressKey, parseAddress } from '../daemon/postgres/address/address.ts';
import { localSurroundings } from '../daemon/postgres/address/localSurroundings.ts';
import { probe } from '../test/support/probe.ts';
import { noSettings } from '../test/support/registryFixture.ts';

/** A PostgreSQL that nobody else uses, with registries, folders and connections for the questions. */
export interface BenchServer {
  /** Such as `18.4`. */
  version: string;
  home: string;
  /** To log in, where something stands between. */
  login: { port: number; user: string; password: string };
  /** @param port a pooler's; the server's own when absent */
  url(database: string, port?: number): string;
  /** An engine as the daemon opens it, its log included; the registry is made when it is first asked. */
  engine(registry: string, given?: { stateFolder?: string; port?: number }): Promise<Engine>;
  /** A pool as the engine's, and nothing around it. */
  pool(database: string, port?: number): pg.Pool;
  /** A pool of one connection, for what is not timed. */
  sql(database: string): pg.Pool;
  stateFolder(): Promise<string>;
  /** How the outbox names a registry of this server. */
  outboxKey(registry: string): string;
  /** A repository whose config file claims a project. */
  workspace(project: { name: string; id?: string }): Promise<string>;
  close(): Promise<void>;
}

/** Starts the bundled PostgreSQL, with the settings that it ships with, in a temporary folder. */
export async function startBenchServer(): Promise<BenchServer> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'registrar-bench-')));
  // As root the server runs as another user, who has to pass through this folder.
  await chmod(base, 0o711);
  const started = await startBundledServer({
    folder: join(base, 'postgres'),
    rootBase: join(base, 'root'),
    probe,
  }).catch(async (error: unknown) => {
    await rm(base, { recursive: true, force: true });
    throw error;
  });
  const { host, port, user, password } = started.address;
  const home = join(base, 'home');
  await mkdir(home);
  const engines: Engine[] = [];
  const pools: pg.Pool[] = [];
  let folders = 0;

  function url(database: string, through = port): string {
    return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${String(through)}/${database}`;
  }
  function newPool(database: string, max: number, through?: number): pg.Pool {
    const pool = new pg.Pool({ connectionString: url(database, through), max });
    // It closes without waiting for its connections, which then see the server or a pooler go: that is no failure.
    pool.on('error', () => undefined);
    pools.push(pool);
    return pool;
  }
  async function newFolder(): Promise<string> {
    folders += 1;
    const folder = join(base, `folder-${String(folders)}`);
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }
  function addressOf(registry: string, through?: number): ReturnType<typeof parseAddress> {
    return parseAddress(url(registry, through), {}, localSurroundings());
  }

  const { rows } = await newPool('postgres', 1).query<{ server_version: string }>('show server_version');
  return {
    version: rows[0]?.server_version ?? '',
    home,
    login: { port, user, password },
    url,
    async engine(registry, given = {}) {
      const stateFolder = given.stateFolder ?? (await newFolder());
      const engine = await openEngine({
        address: addressOf(registry, given.port),
        source: 'environment',
        stateFolder,
        home,
        settings: noSettings,
        log: openLog(stateFolder),
      });
      engines.push(engine);
      return engine;
    },
    pool: (database, through) => newPool(database, 8, through),
    sql: (database) => newPool(database, 1),
    stateFolder: newFolder,
    outboxKey: (registry) => addressKey(addressOf(registry)),
    async workspace(project) {
      const folder = await newFolder();
      await mkdir(join(folder, '.git'));
      await mkdir(join(folder, '.codebase-mcp'));
      const config = `${JSON.stringify({ version: '1.0', project }, null, 2)}\n`;
      await writeFile(join(folder, '.codebase-mcp', 'config.json'), config);
      return folder;
    },
    async close() {
      for (const engine of engines) await engine.close();
      await Promise.all(pools.map((pool) => pool.end()));
      await started.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}
