import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Engine, EngineOptions } from '../../daemon/engine/engine.ts';
import { openEngine } from '../../daemon/engine/openEngine.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import type { Settings } from '../../daemon/protocol/settings.ts';
import { readMarker } from '../../daemon/registry/marker.ts';
import type { Marker } from '../../daemon/registry/model.ts';
import { patientLimits } from './patientLimits.ts';
import { startStatementSpy, type StatementSpy } from './statementSpy.ts';
import { testServer } from './testServer.ts';

/** A registry of its own on the test server, folders of its own, and engines that go through a statement spy. */
export interface RegistryFixture {
  registry: string;
  spy: StatementSpy;
  /** A fresh real folder that is its own repository, so that no walk leaves it. */
  folder(name?: string): Promise<string>;
  /** Writes `.codebase-mcp/config.json` into a folder; an object is written as JSON, text as it is. */
  config(folder: string, content: object | string | Buffer): Promise<string>;
  readText(path: string): Promise<string>;
  readConfig(folder: string): Promise<{ project: { id?: string; name: string } }>;
  /** A git repository's `.git` with one remote. */
  origin(folder: string, url: string): Promise<void>;
  /** An engine with its own state folder (or the given one), closed at the end unless the test closes it before. */
  engine(
    options?: Partial<Omit<EngineOptions, 'settings'>> & { settings?: Partial<Settings>; role?: Role },
  ): Promise<Engine>;
  stateFolder(): Promise<string>;
  /** One statement as superuser in the registry, or in another database. */
  sql<Row extends object = Record<string, unknown>>(
    text: string,
    values?: unknown[],
    database?: string,
  ): Promise<Row[]>;
  /** Closes this fixture's own connection to a database, so that it can be renamed or copied. */
  release(database: string): Promise<void>;
  row(key: string): Promise<Record<string, unknown> | undefined>;
  marker(databaseName: string): Promise<Marker | null>;
  /** Project databases that carry this registry's marker, or that an engine or a statement of this fixture created. */
  databases(): Promise<string[]>;
  /** A login role with a password, dropped at the end. */
  role(attributes?: string): Promise<Role>;
  url(role?: Role): string;
  close(): Promise<void>;
}

export interface Role {
  name: string;
  password: string;
}

export const noSettings: Settings = {
  postgres: null,
  trustedFolders: [],
  'registrar.postgres.projectSchema': null,
  'registrar.postgres.ownerRole': null,
  'registrar.workflow.url': null,
  'registrar.defaultProject.enabled': false,
  'registrar.config.writeId': 'untracked',
  'registrar.daemon.idleMinutes': 10,
  'registrar.mcp.enabled': true,
  'registrar.mcp.tools': 'standard',
};

/** For engines of a test in which nobody writes an id into a config that another one waits for. */
export const atOnce: Pick<EngineOptions, 'pause'> = { pause: () => Promise.resolve() };

/**
 * Sets a fixture up; each test file calls it in `before` and `close` in `after`.
 *
 * @param own a server of the test file's own; the one that all tests share when absent
 */
export async function registryFixture(own?: { url: string }): Promise<RegistryFixture> {
  const server = new URL((own ?? (await testServer())).url);
  const host = server.hostname === '' ? 'localhost' : server.hostname;
  const spy = await startStatementSpy({ host, port: Number(server.port || '5432') });
  const registry = `registrar_test_${randomBytes(6).toString('hex')}`;
  const base = await realpath(await mkdtemp(join(tmpdir(), 'registrar-test-')));
  await chmod(base, 0o755);
  const engines = new Set<Engine>();
  const roles: Role[] = [];
  const clients = new Map<string, pg.Client>();
  const madeBySql = new Set<string>();
  const turns = new Map<string, Promise<unknown>>();
  let folders = 0;

  async function clientFor(database: string): Promise<pg.Client> {
    const known = clients.get(database);
    if (known) return known;
    const url = new URL(server);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => clients.delete(database));
    await client.connect();
    clients.set(database, client);
    return client;
  }

  async function projectDatabases(): Promise<string[]> {
    const client = await clientFor('postgres');
    const result = await client.query<{ datname: string }>(
      `select datname from pg_database where datname like 'cb\\_proj\\_%' order by 1`,
    );
    return result.rows.map(({ datname }) => datname);
  }

  const fixture: RegistryFixture = {
    registry,
    spy,
    async folder(name) {
      folders += 1;
      const folder = join(base, name ?? `workspace-${String(folders)}`);
      await mkdir(join(folder, '.git'), { recursive: true });
      return folder;
    },
    async config(folder, content) {
      const path = join(folder, '.codebase-mcp', 'config.json');
      await mkdir(dirname(path), { recursive: true });
      const isText = typeof content === 'string' || Buffer.isBuffer(content);
      await writeFile(path, isText ? content : `${JSON.stringify(content, null, 2)}\n`);
      return path;
    },
    readText: (file) => readFile(file, 'utf8'),
    async readConfig(folder) {
      const text = await readFile(join(folder, '.codebase-mcp', 'config.json'), 'utf8');
      return JSON.parse(text) as { project: { id?: string; name: string } };
    },
    async origin(folder, url) {
      await mkdir(join(folder, '.git'), { recursive: true });
      await writeFile(join(folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
      await writeFile(join(folder, '.git', 'config'), `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n`);
    },
    async stateFolder() {
      folders += 1;
      const folder = join(base, `state-${String(folders)}`);
      await mkdir(folder, { mode: 0o700 });
      return folder;
    },
    async engine(options = {}) {
      const { settings, role, ...rest } = options;
      const engine = await openEngine({
        address: parseAddress(fixture.url(role), {}, localSurroundings()),
        source: 'environment',
        stateFolder: rest.stateFolder ?? (await fixture.stateFolder()),
        home: join(base, 'home'),
        log: { info: () => undefined, warn: () => undefined },
        limits: patientLimits,
        ...rest,
        settings: { ...noSettings, ...settings },
      });
      engines.add(engine);
      return {
        ...engine,
        close: async () => {
          if (engines.delete(engine)) await engine.close();
        },
      };
    },
    async sql<Row extends object>(text: string, values: unknown[] = [], database = registry) {
      for (const name of createdDatabases(text)) madeBySql.add(name);
      // A client takes one statement at a time.
      const turn = (turns.get(database) ?? Promise.resolve()).then(async () => {
        const client = await clientFor(database);
        return client.query(text, values);
      });
      turns.set(
        database,
        turn.catch(() => undefined),
      );
      return (await turn).rows as Row[];
    },
    async release(database) {
      const client = clients.get(database);
      clients.delete(database);
      await client?.end();
    },
    async row(key) {
      const rows = await fixture.sql('select * from projects where id::text = $1 or name = $1', [key]);
      return rows[0];
    },
    async marker(databaseName) {
      const [row] = await fixture.sql<{ comment: string | null }>(
        `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
        [databaseName],
        'postgres',
      );
      const reading = readMarker(row?.comment ?? null);
      return reading.kind === 'marker' ? reading.marker : null;
    },
    async databases() {
      // Other test runs may use the same server: what they made is not ours, marked or not yet.
      const made = new Set([...madeBySql, ...spy.statements.flatMap(createdDatabases)]);
      const mine: string[] = [];
      for (const name of await projectDatabases()) {
        if (made.has(name) || (await fixture.marker(name))?.registry === registry) mine.push(name);
      }
      return mine;
    },
    async role(attributes = 'createdb') {
      const role = { name: `registrar_${randomBytes(6).toString('hex')}`, password: randomBytes(9).toString('hex') };
      await fixture.sql(`create role ${role.name} login password '${role.password}' ${attributes}`, [], 'postgres');
      roles.push(role);
      return role;
    },
    url(role) {
      const url = new URL(server);
      url.host = `127.0.0.1:${String(spy.port)}`;
      url.pathname = `/${registry}`;
      url.searchParams.set('sslmode', 'disable');
      if (role) {
        url.username = role.name;
        // The setter leaves a % as it is.
        url.password = encodeURIComponent(role.password);
      }
      return url.href;
    },
    async close() {
      for (const engine of engines) await engine.close();
      await spy.close();
      for (const [database, client] of clients) {
        if (database === 'postgres') continue;
        clients.delete(database);
        await client.end();
      }
      const client = await clientFor('postgres');
      for (const name of await fixture.databases())
        await client.query(`drop database if exists "${name}" with (force)`);
      await client.query(`drop database if exists "${registry}" with (force)`);
      // After the databases, whose grants would keep them.
      for (const name of spy.statements.flatMap(createdAgentRoles)) await client.query(`drop role if exists "${name}"`);
      for (const { name } of roles) {
        await client.query(`drop owned by ${name}`);
        await client.query(`drop role ${name}`);
      }
      await client.end();
      await rm(base, { recursive: true, force: true });
    },
  };
  return fixture;
}

function createdDatabases(sql: string): string[] {
  const name = /^\s*(?:create database|alter database .* rename to) "?(\w+)/i.exec(sql)?.[1];
  return name === undefined ? [] : [name];
}

function createdAgentRoles(sql: string): string[] {
  const name = /^create role "(registrar_agent_\w+)"/.exec(sql)?.[1];
  return name === undefined ? [] : [name];
}

/** `config matched`, `explicit skipped` …: the path that a resolution took. */
export function path(resolution: Resolution): string[] {
  return resolution.trace.map(({ name, outcome }) => `${name} ${outcome}`);
}
