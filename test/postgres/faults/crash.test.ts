import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../../daemon/engine/engine.ts';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import {
  CrashRuns,
  answeredProject,
  isExhaustive,
  type CrashRun,
  type CrashScenario,
} from '../../support/crashRuns.ts';
import { registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { assertAgreement, refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';

describe('an engine that is killed between any two steps', function () {
  this.timeout(isExhaustive ? 600_000 : 120_000);
  let fixture: RegistryFixture;
  let runs: CrashRuns;
  before(async () => {
    fixture = await registryFixture();
    runs = await CrashRuns.open(fixture);
    const engine = await fixture.engine();
    await engine.listProjects({});
    // A registry that refuses some projects' rows, as a full disk or a missing grant refuses all of them.
    await fixture.sql('create table refused (prefix text)');
    await fixture.sql(`create function refuse() returns trigger language plpgsql as $$ begin
      if exists (select from refused where starts_with(new.name, prefix)) then
        raise exception using errcode = '53100', message = 'No space left on device';
      end if;
      return new; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
  });
  after(async () => {
    await runs.close();
    await fixture.close();
  });

  /** Kills at every point; the child must have come to nearly all of them, or the test would show nothing. */
  async function kill<Prepared>(scenario: CrashScenario<Prepared>, least: { statements: number; fileCalls: number }) {
    const count = await runs.everyPoint(scenario);
    assert.ok(count.statements >= least.statements, JSON.stringify(count));
    assert.ok(count.fileCalls >= least.fileCalls, JSON.stringify(count));
    // A run to learn from that was slow has retries of deliveries among its steps, to which a faster one never comes.
    const reached = count.statements + count.fileCalls - count.missed;
    assert.ok(reached * 10 >= (least.statements + least.fileCalls) * 9, JSON.stringify(count));
  }

  async function configure(run: CrashRun, project: object): Promise<void> {
    await fixture.config(run.folder, { version: '1.0', project });
  }

  /** Killed before the row said that its database is being made again, a person has to ask for it once more. */
  async function resolvedOrRemade(engine: Engine, folder: string, { id, databaseName }: Project): Promise<Resolution> {
    const answer = await engine.resolve({ directory: folder });
    if (answer.error?.code !== 'DATABASE_MISSING') return answer;
    return engine.remakeProject({ project: id, confirm: databaseName });
  }

  async function edit(folder: string, project: object): Promise<void> {
    const path = join(folder, '.codebase-mcp', 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as { project: object };
    await writeFile(path, JSON.stringify({ ...config, project: { ...config.project, ...project } }));
  }

  /** Databases that this run's children and engines made, whether a marker says whose they are or not. */
  async function databases(run: CrashRun): Promise<string[]> {
    const found = await fixture.sql<{ name: string }>(
      'select datname as name from pg_database where datname like $1 order by 1',
      [`cb\\_proj\\_${run.prefix}%`],
      'postgres',
    );
    return found.map(({ name }) => name);
  }

  async function rows(run: CrashRun): Promise<Record<string, unknown>[]> {
    return fixture.sql('select * from projects where name like $1', [`${run.prefix}%`]);
  }

  /** The outbox's entries on disk. */
  async function entries(run: CrashRun): Promise<(Project & Record<string, unknown>)[]> {
    const folder = join(run.stateFolder, 'outbox');
    const files = (await readdir(folder)).filter((file) => !file.endsWith('.tmp'));
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    return texts.map((text) => (JSON.parse(text) as { row: Project & Record<string, unknown> }).row);
  }

  /** One row, one ready database that carries its marker, nothing else of this run, and the config says the same. */
  async function assertOnly(run: CrashRun, project: Project, folder: string | null): Promise<void> {
    assert.deepEqual(
      (await rows(run)).map(({ id, metadata }) => ({ id, state: stateOf(metadata) })),
      [{ id: project.id, state: 'ready' }],
    );
    assert.deepEqual(await databases(run), [project.databaseName]);
    await assertAgreement(fixture, project, folder);
    assert.deepEqual(await entries(run), []);
    assertAcknowledged(run, project);
  }

  /** What a caller was told before the kill stays true. */
  function assertAcknowledged(run: CrashRun, project: Project): void {
    const answered = answeredProject(run);
    if (!answered) return;
    assert.deepEqual(
      { id: answered.id, databaseName: answered.databaseName },
      { id: project.id, databaseName: project.databaseName },
    );
  }

  async function resolveFolder(run: CrashRun): Promise<Project> {
    return run.withEngine(async (engine) => resolved(await engine.resolve({ directory: run.folder })));
  }

  async function made(run: CrashRun): Promise<Project> {
    await configure(run, { name: run.prefix });
    return resolveFolder(run);
  }

  const firstResolve = { statements: 8, fileCalls: 10 };

  it('C5: at a first resolve: the next one completes it', () =>
    kill(
      {
        prepare: (run) => configure(run, { name: run.prefix }),
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run) {
          await assertOnly(run, await resolveFolder(run), run.folder);
        },
      },
      firstResolve,
    ));

  it('C5: at a first resolve of a config with an id', () =>
    kill(
      {
        async prepare(run) {
          const id = randomUUID();
          await configure(run, { name: run.prefix, id });
          return id;
        },
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run, id) {
          const project = await resolveFolder(run);
          assert.equal(project.id, id);
          await assertOnly(run, project, run.folder);
        },
      },
      { statements: 8, fileCalls: 5 },
    ));

  it('C5: at a first resolve of a config that names its database', () =>
    kill(
      {
        async prepare(run) {
          const databaseName = `cb_proj_${run.prefix}chosen_0a0b0c0d`;
          await configure(run, { name: run.prefix, database_name: databaseName });
          return databaseName;
        },
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run, databaseName) {
          const project = await resolveFolder(run);
          assert.equal(project.databaseName, databaseName);
          await assertOnly(run, project, run.folder);
        },
      },
      firstResolve,
    ));

  it('C5: at a first resolve that applies a project schema', () =>
    kill(
      {
        async settings(run) {
          const schema = join(run.stateFolder, 'schema.sql');
          await writeFile(schema, 'create table if not exists things (id integer)');
          return { 'registrar.postgres.projectSchema': schema };
        },
        prepare: (run) => configure(run, { name: run.prefix }),
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run) {
          const project = await resolveFolder(run);
          await assertOnly(run, project, run.folder);
          const marker = await fixture.marker(project.databaseName);
          assert.match(marker?.schemaVersion ?? '', /^[0-9a-f]{64}$/);
          await run.withEngine(async (engine) => {
            const { environment } = await engine.connection({ project: project.id });
            assert.equal(environment?.['PGDATABASE'], project.databaseName);
          });
        },
      },
      { statements: 14, fileCalls: 10 },
    ));

  it('C5: while the id in the config is changed: re-keyed once, the database kept', () =>
    kill(
      {
        async prepare(run) {
          const before = await made(run);
          const id = randomUUID();
          await edit(run.folder, { id });
          return { before, id };
        },
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run, { before, id }) {
          const project = await resolveFolder(run);
          assert.deepEqual(project, { ...project, id, databaseName: before.databaseName });
          await assertOnly(run, project, run.folder);
          await run.withEngine(async (engine) => {
            assert.equal(resolved(await engine.resolve({ project: before.id })).id, id);
          });
        },
      },
      { statements: 6, fileCalls: 5 },
    ));

  it('C5: while the name in the config is changed: renamed once, the database kept', () =>
    kill(
      {
        async prepare(run) {
          const before = await made(run);
          await edit(run.folder, { name: `${run.prefix} new` });
          return before;
        },
        act: (child, run) => child.call('resolve', { directory: run.folder }),
        async complete(run, before) {
          const project = await resolveFolder(run);
          assert.deepEqual(project, { ...project, ...pick(before), name: `${run.prefix} new` });
          await assertOnly(run, project, run.folder);
        },
      },
      { statements: 5, fileCalls: 5 },
    ));

  it('C5: at a rename: the next one completes it, in the config too', () =>
    kill(
      {
        prepare: made,
        act: (child, run, { id }) => child.call('updateProject', { project: id, name: `${run.prefix} new` }),
        async complete(run, before) {
          // Whoever resolves in between undoes nothing.
          assert.equal((await resolveFolder(run)).id, before.id);
          const project = await run.withEngine(async (engine) =>
            resolved(await engine.updateProject({ project: before.id, name: `${run.prefix} new` })),
          );
          assert.deepEqual(pick(project), pick(before));
          await assertOnly(run, await resolveFolder(run), run.folder);
        },
      },
      { statements: 6, fileCalls: 5 },
    ));

  it('C5: while a dropped database is made again: somebody says that its data is gone', () =>
    kill(
      {
        async prepare(run) {
          const before = await made(run);
          await fixture.sql(`drop database "${before.databaseName}"`, [], 'postgres');
          return before;
        },
        async act(child, _run, before) {
          const { id, databaseName } = before;
          const answer = await child.call('remakeProject', { project: id, confirm: databaseName });
          assert.deepEqual(warningCodes(answer), ['DATABASE_RECREATED']);
          return answer;
        },
        async complete(run, before) {
          const isFinished =
            stateOf((await rows(run))[0]?.['metadata']) === 'ready' && (await databases(run)).length === 1;
          const answer = await run.withEngine((engine) => resolvedOrRemade(engine, run.folder, before));
          const project = resolved(answer);
          assert.deepEqual(pick(project), pick(before));
          await assertOnly(run, project, run.folder);
          // Where the kill came between the last write and the answer, nobody can know that nobody was told.
          assert.deepEqual(warningCodes(answer), isFinished ? [] : ['DATABASE_RECREATED']);
        },
      },
      { statements: 8, fileCalls: 1 },
    ));

  it('C5: while a project is forgotten: it ends forgotten, its database untouched', () =>
    kill(
      {
        prepare: made,
        act: (child, _run, { id }) => child.call('forgetProject', { project: id }),
        async complete(run, { id, databaseName }) {
          await run.withEngine(async (engine) => {
            if ((await rows(run)).length > 0) await engine.forgetProject({ project: id });
            assert.equal(run.answer === null || (await rows(run)).length === 0, true);
          });
          await assertForgotten(run, databaseName);
        },
      },
      { statements: 5, fileCalls: 5 },
    ));

  async function assertForgotten(run: CrashRun, databaseName: string): Promise<void> {
    const marker = await fixture.marker(databaseName);
    assert.notEqual(marker?.forgottenAt ?? null, null);
    await run.withEngine(async (engine) => {
      refused(await engine.resolve({ directory: run.folder }), 'PROJECT_FORGOTTEN');
      await engine.syncNow();
    });
    assert.deepEqual(await rows(run), []);
    assert.deepEqual(await entries(run), []);
    assert.deepEqual(await databases(run), [databaseName]);
  }

  /** Whether anything of the project is left; what is left is refused, or is all there, and never made again. */
  async function assertNotHalf(run: CrashRun, { id }: Project): Promise<boolean> {
    const [left] = [...(await rows(run)), ...(await entries(run))];
    const answer = await run.withEngine((engine) => engine.resolve({ project: id }));
    if (!left) refused(answer, 'PROJECT_NOT_FOUND');
    else if (stateOf(left.metadata) === 'dropping') refused(answer, 'PROJECT_FORGOTTEN');
    else assert.equal(resolved(answer).id, id);
    return left !== undefined;
  }

  async function assertDropped(run: CrashRun, project: Project): Promise<void> {
    if (await assertNotHalf(run, project)) {
      assert.equal(run.answer, null);
      await run.withEngine((engine) => engine.dropProject({ project: project.id, confirm: project.databaseName }));
    }
    await run.withEngine((engine) => engine.syncNow());
    assert.deepEqual(await rows(run), []);
    assert.deepEqual(await entries(run), []);
    assert.deepEqual(await databases(run), []);
  }

  it('C5: while a project is dropped: it is refused until somebody finishes, and nothing is left then', () =>
    kill(
      {
        prepare: made,
        act: (child, _run, { id, databaseName }) => child.call('dropProject', { project: id, confirm: databaseName }),
        complete: assertDropped,
      },
      { statements: 10, fileCalls: 5 },
    ));

  it('C5: while a database is adopted', () =>
    kill(
      {
        async prepare(run) {
          const databaseName = `cb_proj_${run.prefix}_0a0b0c0d`;
          await fixture.sql(`create database "${databaseName}"`, [], 'postgres');
          return databaseName;
        },
        act: (child, run, database) => child.call('adoptDatabase', { database, name: run.prefix }),
        async complete(run, database) {
          const project = await run.withEngine(async (engine) =>
            resolved(await engine.adoptDatabase({ database, name: run.prefix })),
          );
          assert.equal(project.databaseName, database);
          await assertOnly(run, project, null);
        },
      },
      { statements: 7, fileCalls: 5 },
    ));

  it('C5: while a forgotten project is adopted again', () =>
    kill(
      {
        async prepare(run) {
          const before = await made(run);
          await run.withEngine((engine) => engine.forgetProject({ project: before.id }));
          return before;
        },
        act: (child, _run, { databaseName }) => child.call('adoptDatabase', { database: databaseName }),
        async complete(run, before) {
          await run.withEngine((engine) => engine.adoptDatabase({ database: before.databaseName }));
          const project = await resolveFolder(run);
          assert.deepEqual(pick(project), pick(before));
          await assertOnly(run, project, run.folder);
        },
      },
      { statements: 7, fileCalls: 5 },
    ));

  it('C5: while a folder is bound to another project', () =>
    kill(
      {
        async prepare(run) {
          const project = await run.withEngine(async (engine) =>
            resolved(await engine.createProject({ name: run.prefix })),
          );
          return project;
        },
        act: (child, run, { id }) => child.call('useProject', { project: id, directory: run.folder }),
        async complete(run, before) {
          const answer = await run.withEngine((engine) => engine.resolve({ directory: run.folder }));
          if (answer.outcome !== 'unresolved') assert.equal(resolved(answer).id, before.id);
          await run.withEngine((engine) => engine.useProject({ project: before.id, directory: run.folder }));
          await assertOnly(run, await resolveFolder(run), run.folder);
        },
      },
      { statements: 2, fileCalls: 9 },
    ));

  it('C5: while a project is created in a folder: the folder has the project, or nothing is there', () =>
    kill(
      {
        prepare: () => Promise.resolve(),
        act: (child, run) => child.call('createProject', { name: run.prefix, directory: run.folder }),
        async complete(run) {
          const answer = await run.withEngine((engine) => engine.resolve({ directory: run.folder }));
          if (answer.outcome === 'unresolved') {
            assert.deepEqual(await rows(run), []);
            assert.deepEqual(await databases(run), []);
            await run.withEngine((engine) => engine.createProject({ name: run.prefix, directory: run.folder }));
          }
          await assertOnly(run, await resolveFolder(run), run.folder);
        },
      },
      { statements: 8, fileCalls: 15 },
    ));

  it('C5: while a project is created by its name: the name has it, or nothing is there', () =>
    kill(
      {
        prepare: () => Promise.resolve(),
        act: (child, run) => child.call('createProject', { name: run.prefix }),
        async complete(run) {
          const answer = await run.withEngine((engine) => engine.resolve({ project: run.prefix }));
          if (answer.outcome === 'refused') {
            refused(answer, 'PROJECT_NOT_FOUND');
            assert.deepEqual(await rows(run), []);
            assert.deepEqual(await databases(run), []);
            await run.withEngine((engine) => engine.createProject({ name: run.prefix }));
          } else {
            await run.withEngine((engine) => thrown(engine.createProject({ name: run.prefix }), 'PROJECT_CONFLICT'));
          }
          const project = await run.withEngine(async (engine) =>
            resolved(await engine.resolve({ project: run.prefix })),
          );
          await assertOnly(run, project, null);
        },
      },
      { statements: 8, fileCalls: 5 },
    ));

  describe('with a registry that refuses its row', () => {
    const refuse = (run: CrashRun) => fixture.sql('insert into refused values ($1)', [run.prefix]);

    /** While the registry refuses: one entry on disk, one database that is its own, no row. */
    async function assertPending(run: CrashRun, project: Project, folder: string | null): Promise<void> {
      assert.deepEqual(await rows(run), []);
      const found = await entries(run);
      assert.deepEqual(
        found.map((row) => ({ ...pick(row), name: row.name, state: stateOf(row.metadata) })),
        [{ ...pick(project), name: project.name, state: 'ready' }],
      );
      assert.deepEqual(await databases(run), [project.databaseName]);
      const marker = await fixture.marker(project.databaseName);
      assert.deepEqual({ id: marker?.projectId, name: marker?.name }, { id: project.id, name: project.name });
      if (folder !== null) {
        const { project: config } = await fixture.readConfig(folder);
        assert.deepEqual({ id: config.id, name: config.name }, { id: project.id, name: project.name });
      }
      assertAcknowledged(run, project);
    }

    /** The registry takes rows again: the entry becomes the row. */
    async function assertDelivered(run: CrashRun, project: Project, folder: string | null): Promise<void> {
      await fixture.sql('delete from refused where prefix = $1', [run.prefix]);
      await run.withEngine(async (engine) => {
        const { pending, parked } = await engine.syncNow();
        assert.deepEqual({ pending, parked }, { pending: [], parked: [] });
        const found = resolved(
          await engine.resolve(folder === null ? { project: project.name } : { directory: folder }),
        );
        assert.deepEqual(pick(found), pick(project));
      });
      await assertOnly(run, project, folder);
    }

    async function madePending(run: CrashRun): Promise<Project> {
      await refuse(run);
      return made(run);
    }

    async function completePending(run: CrashRun): Promise<Project> {
      const project = await resolveFolder(run);
      await assertPending(run, project, run.folder);
      await assertDelivered(run, project, run.folder);
      return project;
    }

    it('S2: at a first resolve: one entry, one database, and one row after recovery', () =>
      kill(
        {
          async prepare(run) {
            await refuse(run);
            await configure(run, { name: run.prefix });
          },
          act: (child, run) => child.call('resolve', { directory: run.folder }),
          async complete(run) {
            await completePending(run);
          },
        },
        { statements: 10, fileCalls: 20 },
      ));

    it('S2: at a first resolve of a config with an id', () =>
      kill(
        {
          async prepare(run) {
            await refuse(run);
            const id = randomUUID();
            await configure(run, { name: run.prefix, id });
            return id;
          },
          act: (child, run) => child.call('resolve', { directory: run.folder }),
          async complete(run, id) {
            assert.equal((await completePending(run)).id, id);
          },
        },
        { statements: 10, fileCalls: 15 },
      ));

    it('S2: at a first resolve that the registry takes only after the kill', () =>
      kill(
        {
          async prepare(run) {
            await refuse(run);
            await configure(run, { name: run.prefix });
          },
          act: (child, run) => child.call('resolve', { directory: run.folder }),
          async complete(run) {
            await fixture.sql('delete from refused where prefix = $1', [run.prefix]);
            await run.withEngine((engine) => engine.syncNow());
            await assertOnly(run, await resolveFolder(run), run.folder);
          },
        },
        { statements: 10, fileCalls: 20 },
      ));

    it('S2: at a creation by name', () =>
      kill(
        {
          prepare: refuse,
          act: (child, run) => child.call('createProject', { name: run.prefix }),
          async complete(run) {
            const answer = await run.withEngine((engine) => engine.resolve({ project: run.prefix }));
            if (answer.outcome === 'refused') {
              refused(answer, 'PROJECT_NOT_FOUND');
              assert.deepEqual(await databases(run), []);
              await run.withEngine((engine) => engine.createProject({ name: run.prefix }));
            }
            const project = await run.withEngine(async (engine) =>
              resolved(await engine.resolve({ project: run.prefix })),
            );
            await assertPending(run, project, null);
            await assertDelivered(run, project, null);
          },
        },
        { statements: 10, fileCalls: 10 },
      ));

    it('S2: while the id in the config of a pending project is changed', () =>
      kill(
        {
          async prepare(run) {
            const before = await madePending(run);
            const id = randomUUID();
            await edit(run.folder, { id });
            return { before, id };
          },
          act: (child, run) => child.call('resolve', { directory: run.folder }),
          async complete(run, { before, id }) {
            const project = await completePending(run);
            assert.deepEqual(project, { ...project, id, databaseName: before.databaseName });
          },
        },
        { statements: 5, fileCalls: 10 },
      ));

    it('S2: while a pending project is renamed', () =>
      kill(
        {
          prepare: madePending,
          act: (child, run, { id }) => child.call('updateProject', { project: id, name: `${run.prefix} new` }),
          async complete(run, before) {
            await run.withEngine((engine) => engine.updateProject({ project: before.id, name: `${run.prefix} new` }));
            assert.deepEqual(pick(await completePending(run)), pick(before));
          },
        },
        { statements: 5, fileCalls: 10 },
      ));

    it('S2: while a pending project is forgotten', () =>
      kill(
        {
          prepare: madePending,
          act: (child, _run, { id }) => child.call('forgetProject', { project: id }),
          async complete(run, { id, databaseName }) {
            const isStarted = (await fixture.marker(databaseName))?.forgottenAt !== null;
            // Where the marker says it already, the delivery that every engine starts with drops the entry.
            if (!isStarted) await run.withEngine((engine) => engine.forgetProject({ project: id }));
            await fixture.sql('delete from refused where prefix = $1', [run.prefix]);
            await assertForgotten(run, databaseName);
          },
        },
        { statements: 4, fileCalls: 2 },
      ));

    it('S2: while a pending project is dropped', () =>
      kill(
        {
          prepare: madePending,
          act: (child, _run, { id, databaseName }) => child.call('dropProject', { project: id, confirm: databaseName }),
          complete: assertDropped,
        },
        { statements: 5, fileCalls: 6 },
      ));

    it('S2: while a pending project’s dropped database is made again', () =>
      kill(
        {
          async prepare(run) {
            const before = await madePending(run);
            await fixture.sql(`drop database "${before.databaseName}"`, [], 'postgres');
            return before;
          },
          act: (child, _run, { id, databaseName }) =>
            child.call('remakeProject', { project: id, confirm: databaseName }),
          async complete(run, before) {
            await run.withEngine((engine) => resolvedOrRemade(engine, run.folder, before));
            assert.deepEqual(pick(await completePending(run)), pick(before));
          },
        },
        { statements: 6, fileCalls: 10 },
      ));

    it('S2: while a pending project is delivered: one row, nothing left to deliver', () =>
      kill(
        {
          async prepare(run) {
            const project = await madePending(run);
            await fixture.sql('delete from refused where prefix = $1', [run.prefix]);
            return project;
          },
          async act(child) {
            const { pending } = await child.call('syncNow');
            assert.deepEqual(pending, []);
          },
          async complete(run, project) {
            await assertDelivered(run, project, run.folder);
          },
        },
        { statements: 1, fileCalls: 2 },
      ));
  });
});

function pick({ id, databaseName }: Project): Pick<Project, 'id' | 'databaseName'> {
  return { id, databaseName };
}

function stateOf(metadata: unknown): unknown {
  return (metadata as { registrar?: { state?: unknown } } | null)?.registrar?.state;
}
