import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { readMarker } from '../../daemon/registry/marker.ts';
import type { Marker, RegistrarMetadata } from '../../daemon/registry/model.ts';
import { engineProcesses, ProcessEnded, type EngineProcess, type EngineProcesses } from '../support/engineProcess.ts';
import { OwnServer } from '../support/ownServer.ts';
import { noSettings } from '../support/registryFixture.ts';

/*
 * Random sequences of what people, agents, crashes and strangers do to one registry from three daemons, and then, when all
 * is quiet, what must hold. REGISTRAR_TEST_MODEL_RUNS says how many; REGISTRAR_TEST_SEED repeats a run.
 */

const registry = 'registrar_model';
const role = 'registrar_model_role';
const engineCount = 3;
const folderCount = 3;
const names = ['shop', 'blog', 'my shop', 'wiki'] as const;

const engineIndex = fc.nat(engineCount - 1);
const folderIndex = fc.nat(folderCount - 1);
const name = fc.constantFrom(...names);

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('resolve' as const), engine: engineIndex, folder: folderIndex }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resolve-everywhere' as const), folder: folderIndex }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('kill-while-resolving' as const),
      engine: engineIndex,
      folder: folderIndex,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('name-in-config' as const), folder: folderIndex, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('no-id-in-config' as const), folder: folderIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('new-id-in-config' as const), folder: folderIndex }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('id-of-other-folder' as const), folder: folderIndex, other: folderIndex }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('same-origin' as const), folder: folderIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('create' as const), engine: engineIndex, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), engine: engineIndex, name, to: name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('use' as const), engine: engineIndex, name, folder: folderIndex }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), engine: engineIndex, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('adopt' as const), engine: engineIndex, pick: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), engine: engineIndex, name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remake' as const), engine: engineIndex, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sync' as const), engine: engineIndex }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), engine: engineIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart-postgres' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop-postgres' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start-postgres' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('unwritable' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('writable' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop-database-behind' as const), pick: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename-database-behind' as const), pick: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign-marker' as const), pick: fc.nat(7) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One sequence for each kind of trouble, before the random ones: chance may leave the rarer kinds out. */
const [shop] = names;
const resolveFirst: Step = { do: 'resolve', engine: 0, folder: 0 };
const troubles: Record<string, Step[]> = {
  created: [resolveFirst],
  pending: [resolveFirst, { do: 'unwritable' }, { do: 'resolve', engine: 0, folder: 1 }],
  STALE: [resolveFirst, { do: 'stop-postgres' }, resolveFirst],
  RENAMED: [resolveFirst, { do: 'name-in-config', folder: 0, name: 'wiki' }, resolveFirst],
  REKEYED: [resolveFirst, { do: 'new-id-in-config', folder: 0 }, resolveFirst],
  DATABASE_MISSING: [resolveFirst, { do: 'drop-database-behind', pick: 0 }, resolveFirst],
  DATABASE_RECREATED: [resolveFirst, { do: 'drop-database-behind', pick: 0 }, { do: 'remake', engine: 0, name: shop }],
  PROJECT_CONFLICT: [
    resolveFirst,
    { do: 'name-in-config', folder: 1, name: shop },
    { do: 'resolve', engine: 0, folder: 1 },
  ],
  DATABASE_FOREIGN: [resolveFirst, { do: 'foreign-marker', pick: 0 }, resolveFirst],
};

describe('any sequence of commands, crashes and interventions', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    world = await World.open();
  });
  after(() => world.close());

  const numRuns = Number(process.env['REGISTRAR_TEST_MODEL_RUNS'] ?? 30);

  it(`ends, ${String(numRuns)} times, with one row per project, one database per row, and nothing lost or unnamed`, async function () {
    const examples = Object.values(troubles).map((steps): [Step[]] => [steps]);
    this.timeout((examples.length + numRuns) * 20_000);
    const seed = Number(process.env['REGISTRAR_TEST_SEED'] ?? Date.now() % 2 ** 31);
    console.log(`      seed ${String(seed)}`);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        await world.reset();
        for (const next of steps) await world.take(next);
        await world.quiesce();
        await world.checkInvariants();
      }),
      { seed, numRuns: examples.length + numRuns, examples, endOnFailure: process.env['CI'] === 'true' },
    );
    console.log(`      met ${[...world.seen].map(([what, times]) => `${what} ${String(times)}`).join(', ')}`);
    assert.deepEqual(
      Object.keys(troubles).filter((what) => !world.seen.has(what)),
      [],
      'every kind of trouble was met',
    );
  });
});

/** Codes that a refusal may carry here; INTERNAL is a defect wherever it shows. */
const refusals = new Set([
  'CONFIG_CHANGED',
  'PROJECT_NOT_FOUND',
  'INVALID_ARGUMENT',
  'PROJECT_CONFLICT',
  'PROJECT_FORGOTTEN',
  'PROJECT_DROPPED',
  'PROJECT_AMBIGUOUS',
  'PROJECT_MISMATCH',
  'DATABASE_MISSING',
  'DATABASE_FOREIGN',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_FORBIDDEN',
  'PROVISION_FAILED',
]);

interface Acknowledged {
  id: string;
  /** Somebody forgot or dropped it, or took its database away, on purpose. */
  isExcused: boolean;
}

class World {
  readonly #server: OwnServer;
  readonly #processes: EngineProcesses;
  readonly #base: string;
  readonly #engines: (EngineProcess | null)[] = [];
  readonly #acknowledged = new Map<string, Acknowledged>();
  /** Databases that were renamed behind our back: new name → old name. */
  readonly #renamed = new Map<string, string>();
  /** How often each outcome, warning and refusal was met: a run that met too few of them shows nothing. */
  readonly seen = new Map<string, number>();
  /** Folders that were answered with a project, as `folder id`: each may claim it again. */
  readonly #claimed = new Set<string>();
  /** Folders that a person bound, or that may have claimed something in an answer that nobody got. */
  readonly #unheld = new Set<number>();
  #admin: pg.Pool | null = null;
  #run = 0;
  #isRunning = true;
  #isWritable = true;

  private constructor(server: OwnServer, processes: EngineProcesses, base: string) {
    this.#server = server;
    this.#processes = processes;
    this.#base = base;
  }

  static async open(): Promise<World> {
    const server = await OwnServer.start();
    const base = await realpath(await mkdtemp(join(tmpdir(), 'registrar-model-')));
    const world = new World(server, await engineProcesses(), base);
    // What is tested are crashes of processes, not of the machine.
    await world.#sql('alter system set fsync = off', 'postgres');
    await world.#sql('select pg_reload_conf()', 'postgres');
    await world.#sql(`create role ${role} login createdb password 'model'`, 'postgres');
    return world;
  }

  async close(): Promise<void> {
    await this.#processes.close();
    await this.#admin?.end();
    await this.#server.close();
    await rm(this.#base, { recursive: true, force: true });
  }

  /** A registry, state folders and workspaces as nobody has touched them. */
  async reset(): Promise<void> {
    this.#run += 1;
    this.#acknowledged.clear();
    this.#claimed.clear();
    this.#unheld.clear();
    this.#renamed.clear();
    await this.#startPostgres();
    for (const engine of this.#engines) await engine?.close();
    for (const database of [...(await this.#databases()), registry]) {
      await this.#sql(`drop database if exists "${database}" with (force)`, 'postgres');
    }
    await this.#sql(`create database ${registry} owner ${role}`, 'postgres');
    this.#isWritable = true;
    for (let folder = 0; folder < folderCount; folder++) {
      await mkdir(join(this.#folder(folder), '.git'), { recursive: true });
      await mkdir(join(this.#folder(folder), '.codebase-mcp'), { recursive: true });
      await this.#writeConfig(folder, { name: names[folder] ?? 'shop' });
    }
    for (let engine = 0; engine < engineCount; engine++) await this.#openEngine(engine);
  }

  async take(next: Step): Promise<void> {
    switch (next.do) {
      case 'resolve':
        return this.#resolve(next.engine, next.folder);
      case 'resolve-everywhere':
        await Promise.all([...this.#engines.keys()].map((engine) => this.#resolve(engine, next.folder)));
        return;
      case 'kill-while-resolving': {
        this.#unheld.add(next.folder);
        const resolving = this.#resolve(next.engine, next.folder);
        await this.#kill(next.engine);
        return resolving;
      }
      case 'name-in-config':
        return this.#writeConfig(next.folder, { ...(await this.#config(next.folder)), name: next.name });
      case 'no-id-in-config':
        return this.#writeConfig(next.folder, { name: (await this.#config(next.folder)).name });
      case 'new-id-in-config':
        return this.#writeConfig(next.folder, { ...(await this.#config(next.folder)), id: randomUUID() });
      case 'id-of-other-folder':
        return this.#writeConfig(next.folder, await this.#config(next.other));
      case 'same-origin':
        return writeFile(
          join(this.#folder(next.folder), '.git', 'config'),
          '[remote "origin"]\n\turl = https://example.org/team/one.git\n',
        );
      case 'create': {
        const made = await this.#ask(next.engine, (engine) => engine.call('createProject', { name: next.name }));
        if (made) this.#note(made);
        return;
      }
      case 'rename':
        await this.#ask(next.engine, (engine) => engine.call('updateProject', { project: next.name, name: next.to }));
        return;
      case 'use': {
        this.#unheld.add(next.folder);
        const directory = this.#folder(next.folder);
        await this.#ask(next.engine, (engine) => engine.call('useProject', { project: next.name, directory }));
        return;
      }
      case 'forget': {
        const forgotten = await this.#ask(next.engine, (engine) =>
          engine.call('forgetProject', { project: next.name }),
        );
        if (forgotten) this.#excuse(forgotten.project.id);
        else this.#excuseAll();
        return;
      }
      case 'adopt': {
        const database = await this.#pick(next.pick);
        if (database === undefined) return;
        const adopted = await this.#ask(next.engine, (engine) => engine.call('adoptDatabase', { database }));
        if (adopted) this.#note(adopted);
        return;
      }
      case 'drop':
        await this.#ask(next.engine, async (engine) => {
          const { id, databaseName } = await engine.call('showProject', { project: next.name });
          // Excused before it is asked for: an answer that is lost on the way has dropped it all the same.
          this.#excuse(id);
          return engine.call('dropProject', { project: id, confirm: databaseName });
        });
        return;
      case 'remake': {
        const made = await this.#ask(next.engine, async (engine) => {
          const { id, databaseName } = await engine.call('showProject', { project: next.name });
          return engine.call('remakeProject', { project: id, confirm: databaseName });
        });
        if (made) this.#count(made);
        return;
      }
      case 'sync':
        await this.#ask(next.engine, (engine) => engine.call('syncNow'));
        return;
      case 'kill':
        return this.#kill(next.engine);
      case 'restart-postgres':
        await this.#stopPostgres();
        return this.#startPostgres();
      case 'stop-postgres':
        return this.#stopPostgres();
      case 'start-postgres':
        return this.#startPostgres();
      case 'unwritable':
        return this.#setWritable(false);
      case 'writable':
        return this.#setWritable(true);
      case 'drop-database-behind': {
        const database = this.#isRunning ? await this.#pick(next.pick) : undefined;
        if (database !== undefined) await this.#sql(`drop database "${database}" with (force)`, 'postgres');
        return;
      }
      case 'rename-database-behind': {
        const database = this.#isRunning ? await this.#pick(next.pick) : undefined;
        if (database === undefined) return;
        const to = `cb_proj_moved_${randomUUID().slice(0, 8)}`;
        await this.#sql(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid()`,
          'postgres',
        );
        await this.#sql(`alter database "${database}" rename to ${to}`, 'postgres');
        this.#renamed.set(to, database);
        return;
      }
      case 'foreign-marker': {
        const database = await this.#pick(next.pick);
        if (database === undefined) return;
        const marker = { registrar: { registry: 'another', project_id: randomUUID(), name: 'theirs' } };
        await this.#sql(`comment on database "${database}" is '${JSON.stringify(marker)}'`, 'postgres');
        return;
      }
    }
  }

  /** Everything works again, everything pending is delivered, and every folder has been resolved by every daemon. */
  async quiesce(): Promise<void> {
    await this.#startPostgres();
    await this.#setWritable(true);
    for (const [to, from] of this.#renamed) {
      const there = new Set(await this.#databases());
      // Where a new one was made under the old name, or the renamed one was dropped, it stays as it is for drift to name.
      if (there.has(to) && !there.has(from)) await this.#sql(`alter database "${to}" rename to "${from}"`, 'postgres');
    }
    for (let engine = 0; engine < engineCount; engine++) await this.#ask(engine, (open) => open.call('syncNow'));
    for (let folder = 0; folder < folderCount; folder++) {
      for (let engine = 0; engine < engineCount; engine++) await this.#resolve(engine, folder);
    }
  }

  async checkInvariants(): Promise<void> {
    const rows = await this.#sql<{ id: string; name: string; database_name: string; state: string | null }>(
      `select id, name, database_name, metadata #>> '{registrar,state}' as state from projects`,
    );
    const marked = await this.#markers();
    const report = await this.#demand(0, (engine) => engine.call('drift'));
    const named = (text: string): boolean => report.findings.some((finding) => JSON.stringify(finding).includes(text));

    for (const { id, name: rowName, database_name: database, state } of rows) {
      const marker = marked.get(database);
      const isSound = (state ?? 'ready') === 'ready' && marker?.projectId === id && marker.forgottenAt === null;
      assert.ok(isSound || named(id), `row ${rowName} (${id}) is neither sound nor named by drift`);
    }
    for (const [database, marker] of marked) {
      const row = rows.find((candidate) => candidate.database_name === database);
      const isOwned = marker !== null && row?.id === marker.projectId;
      // Forgotten on purpose, or said to be another registry's by a stranger and then let go of.
      const isNobodys = marker !== null && (marker.forgottenAt !== null || marker.registry !== registry);
      const isParked = await this.#isInOutbox(database);
      assert.ok(
        isOwned || isNobodys || isParked || named(database),
        `database ${database} is owned by nobody and not named by drift`,
      );
    }
    for (const { id, isExcused } of this.#acknowledged.values()) {
      if (isExcused) continue;
      const found = await this.#demand(0, (engine) => engine.call('resolve', { project: id }));
      const isFound = found.project ?? (await this.#findAnywhere(id))?.project ?? undefined;
      // Its database may have been taken away behind our back: then the project is there, and says so.
      const isRefused = found.error !== null && ['DATABASE_MISSING', 'DATABASE_FOREIGN'].includes(found.error.code);
      assert.ok(
        isFound !== undefined || isRefused,
        `project ${id} was acknowledged and is lost: ${JSON.stringify(found.error)}`,
      );
    }
    for (let engine = 0; engine < engineCount; engine++) {
      const sync = await this.#demand(engine, (open) => open.call('syncStatus'));
      assert.deepEqual(sync.pending, [], 'what can be delivered was delivered');
    }
  }

  /** A parked project is found where its entry is. */
  async #findAnywhere(id: string): Promise<Resolution | undefined> {
    for (let engine = 1; engine < engineCount; engine++) {
      const found = await this.#demand(engine, (open) => open.call('resolve', { project: id }));
      if (found.project) return found;
    }
    return undefined;
  }

  async #isInOutbox(database: string): Promise<boolean> {
    for (let engine = 0; engine < engineCount; engine++) {
      const { pending, parked } = await this.#demand(engine, (open) => open.call('syncStatus'));
      if ([...pending, ...parked].some(({ databaseName }) => databaseName === database)) return true;
    }
    return false;
  }

  async #resolve(engine: number, folder: number): Promise<void> {
    const before = await this.#config(folder);
    const answer = await this.#ask(engine, (open) => open.call('resolve', { directory: this.#folder(folder) }));
    if (!answer) return;
    this.#count(answer);
    if (answer.error) assert.ok(refusals.has(answer.error.code), JSON.stringify(answer.error));
    if (answer.outcome !== 'resolved' || !answer.project) return;
    const { project } = answer;
    const after = await this.#config(folder);
    if (before.id !== undefined && after.id === before.id) {
      const former = (project.metadata['registrar'] as { formerIds?: string[] } | undefined)?.formerIds ?? [];
      assert.ok(project.id === before.id || former.includes(before.id), `asked for ${before.id}, got ${project.id}`);
    }
    await this.#checkEvidence(folder, project);
    if (answer.stale || !this.#isRunning) return;
    const marker = (await this.#markers()).get(project.databaseName);
    assert.equal(marker?.projectId, project.id, `${project.databaseName} was given for ${project.id}`);
    this.#note(answer);
  }

  /** Whoever got a project claimed it before, is recorded by it, or shares its origin: an id or a name alone is not enough. */
  async #checkEvidence(folder: number, { id, name: projectName, metadata }: Project): Promise<void> {
    const { evidence, formerIds = [] } = (metadata['registrar'] ?? {}) as RegistrarMetadata;
    const isClaimed = [id, ...formerIds].some((one) => this.#claimed.has(`${String(folder)} ${one}`));
    this.#claimed.add(`${String(folder)} ${id}`);
    if (!evidence?.folder || isClaimed || this.#unheld.has(folder)) return;
    const isRecorded = [evidence.folder, ...evidence.claims].some(({ path }) => path === this.#folder(folder));
    const isClone = evidence.origins.length > 0 && (await this.#hasOrigin(folder));
    assert.ok(isRecorded || isClone, `folder ${String(folder)} got ${projectName} (${id}) without evidence`);
  }

  #hasOrigin(folder: number): Promise<boolean> {
    return access(join(this.#folder(folder), '.git', 'config')).then(
      () => true,
      () => false,
    );
  }

  #count(answer: Resolution): void {
    const seen = [
      answer.created ? 'created' : answer.outcome,
      ...(answer.sync && !answer.stale ? [answer.sync.state] : []),
      ...answer.warnings.map(({ code }) => code),
      ...(answer.error ? [answer.error.code] : []),
    ];
    for (const what of seen) this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  #note(answer: Resolution): void {
    if (answer.outcome !== 'resolved' || !answer.project || answer.stale) return;
    const { id } = answer.project;
    this.#acknowledged.set(id, { id, isExcused: false });
  }

  #excuse(id: string): void {
    this.#acknowledged.set(id, { id, isExcused: true });
  }

  /** A forget whose answer was lost: whatever it was is not known, so nothing can be held against it. */
  #excuseAll(): void {
    for (const id of this.#acknowledged.keys()) this.#excuse(id);
  }

  /** Asks an engine; undefined when it refused for a reason that the situation gives, or was killed. */
  async #ask<T>(index: number, ask: (engine: EngineProcess) => Promise<T>): Promise<T | undefined> {
    const engine = await this.#engine(index);
    try {
      return await ask(engine);
    } catch (error) {
      if (error instanceof ProcessEnded) return undefined;
      if (error instanceof RegistrarError && refusals.has(error.code)) return undefined;
      throw error;
    }
  }

  async #demand<T>(index: number, ask: (engine: EngineProcess) => Promise<T>): Promise<T> {
    return ask(await this.#engine(index));
  }

  async #engine(index: number): Promise<EngineProcess> {
    const engine = this.#engines[index];
    if (engine) return engine;
    await this.#openEngine(index);
    const opened = this.#engines[index];
    assert.ok(opened);
    return opened;
  }

  async #openEngine(index: number): Promise<void> {
    const engine = this.#engines[index] ?? this.#processes.start();
    const stateFolder = join(this.#base, `run-${String(this.#run)}`, `state-${String(index)}`);
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    const url = new URL(this.#server.url);
    url.username = role;
    url.password = 'model';
    url.pathname = `/${registry}`;
    const home = join(this.#base, 'home');
    // Nearly every conflict is with a project made a moment ago, so that the whole wait would come dozens of times.
    await engine.open({ url: url.href, stateFolder, home, settings: noSettings, hurries: true });
    this.#engines[index] = engine;
  }

  async #kill(index: number): Promise<void> {
    const engine = this.#engines[index];
    this.#engines[index] = null;
    await engine?.kill();
  }

  async #stopPostgres(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const admin = this.#admin;
    this.#admin = null;
    await admin?.end();
    await this.#server.stop('immediate');
  }

  async #startPostgres(): Promise<void> {
    if (this.#isRunning) return;
    await this.#server.start();
    this.#isRunning = true;
  }

  /** Takes INSERT and UPDATE on the table away, which the owner would otherwise have, or gives them back. */
  async #setWritable(isWritable: boolean): Promise<void> {
    if (!this.#isRunning || this.#isWritable === isWritable) return;
    const [table] = await this.#sql<{ there: boolean }>(`select to_regclass('projects') is not null as there`);
    if (!table?.there) return;
    await this.#sql(
      isWritable ? `grant insert, update on projects to ${role}` : `revoke insert, update on projects from ${role}`,
    );
    this.#isWritable = isWritable;
  }

  async #databases(): Promise<string[]> {
    const rows = await this.#sql<{ datname: string }>(
      `select datname from pg_database where datname like 'cb\\_proj\\_%' order by 1`,
      'postgres',
    );
    return rows.map(({ datname }) => datname);
  }

  async #markers(): Promise<Map<string, Marker | null>> {
    const rows = await this.#sql<{ datname: string; comment: string | null }>(
      `select datname, shobj_description(oid, 'pg_database') as comment from pg_database where datname like 'cb\\_proj\\_%'`,
      'postgres',
    );
    return new Map(
      rows.map(({ datname, comment }) => {
        const reading = readMarker(comment);
        return [datname, reading.kind === 'marker' ? reading.marker : null];
      }),
    );
  }

  async #pick(number: number): Promise<string | undefined> {
    if (!this.#isRunning) return undefined;
    const databases = await this.#databases();
    return databases[number % Math.max(1, databases.length)];
  }

  #folder(index: number): string {
    return join(this.#base, `run-${String(this.#run)}`, `workspace-${String(index)}`);
  }

  async #config(folder: number): Promise<{ name: string; id?: string }> {
    const text = await readFile(join(this.#folder(folder), '.codebase-mcp', 'config.json'), 'utf8');
    return (JSON.parse(text) as { project: { name: string; id?: string } }).project;
  }

  async #writeConfig(folder: number, project: { name: string; id?: string }): Promise<void> {
    const path = join(this.#folder(folder), '.codebase-mcp', 'config.json');
    await writeFile(path, `${JSON.stringify({ version: '1.0', project }, null, 2)}\n`);
  }

  /** As superuser: on `postgres` over one connection, in the registry over one of its own. */
  async #sql<Row extends object = object>(text: string, database = registry): Promise<Row[]> {
    if (database === 'postgres') {
      this.#admin ??= this.#pool();
      return (await this.#admin.query(text)).rows as Row[];
    }
    const client = await this.#connect(database);
    try {
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  #pool(): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.#server.url, max: 4 });
    pool.on('error', () => undefined);
    return pool;
  }

  async #connect(database: string): Promise<pg.Client> {
    const url = new URL(this.#server.url);
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
