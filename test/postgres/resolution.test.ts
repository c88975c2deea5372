import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { defaultDatabaseName } from '../../daemon/engine/enginePorts.ts';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { startWorkflowServer, type WorkflowServer } from '../support/workflowServer.ts';

let fixture: RegistryFixture;
let workflow: WorkflowServer;
let engine: Engine;
before(async () => {
  fixture = await registryFixture();
  workflow = await startWorkflowServer();
  engine = await fixture.engine();
});
after(async () => {
  await workflow.close();
  await fixture.close();
});

let names = 0;
function newName(): string {
  names += 1;
  return `project-${String(names)}`;
}

/** A folder with a config file, and the project that came of it. */
async function registered(name = newName(), origin?: string): Promise<{ folder: string; project: Project }> {
  const folder = await fixture.folder();
  if (origin !== undefined) await fixture.origin(folder, origin);
  await fixture.config(folder, { version: '1.0', project: { name } });
  const { project, error } = await engine.resolve({ directory: folder });
  assert.ok(project, JSON.stringify(error));
  return { folder, project };
}

/** Rows and databases: what a refusal must leave as it was. */
async function everything(): Promise<unknown> {
  const rows = await fixture.sql(`select id, name, database_name, updated_at from projects order by id`);
  return { rows, databases: await fixture.databases() };
}

function created(): string[] {
  return fixture.spy.take().filter((sql) => /create database/i.test(sql));
}

/** An engine whose lower tiers would answer, if they were asked. */
function eagerEngine(): Promise<Engine> {
  return fixture.engine({
    settings: { 'registrar.workflow.url': workflow.url, 'registrar.defaultProject.enabled': true },
  });
}

describe('an explicit reference', () => {
  it('R1: that is unknown is refused, and no other tier is asked in its place', async () => {
    const { project: other } = await registered();
    workflow.answer = { project: other.id };
    const eager = await eagerEngine();
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: newName() } });
    const before = await everything();
    fixture.spy.take();
    workflow.take();

    const unknown = [randomUUID(), 'no-such-project', other.databaseName, other.id.slice(0, 7), '', 'a\0b', "'; --"];
    for (const project of unknown) {
      for (const directory of [null, folder]) {
        const answer = await eager.resolve({ project, directory });
        assert.equal(answer.outcome, 'refused', project);
        assert.deepEqual(path(answer), ['explicit failed']);
        assert.equal(answer.tier, 1);
        assert.equal(answer.project, null);
        assert.equal(answer.error?.code, 'PROJECT_NOT_FOUND', JSON.stringify(answer.error));
        assert.ok(answer.error.message.includes(JSON.stringify(project)), answer.error.message);
        assert.match(answer.error.hint, /projects list/);
        if (project !== other.databaseName) assert.ok(!JSON.stringify(answer).includes(other.databaseName));
      }
    }
    assert.deepEqual(workflow.take(), []);
    assert.deepEqual(created(), []);
    assert.deepEqual(await everything(), before);
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);
  });

  it('R3: matches an id in every spelling, and answers in one', async () => {
    const { folder, project } = await registered();
    const { id } = project;
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const bare = id.replaceAll('-', '');
    for (const spelling of [id, id.toUpperCase(), bare, bare.toUpperCase(), `{${id}}`, `urn:uuid:${id}`]) {
      const answer = await engine.resolve({ project: spelling });
      assert.deepEqual(path(answer), ['explicit matched', 'identity matched']);
      assert.deepEqual(answer.project, (await engine.resolve({ directory: folder })).project);
      assert.equal(answer.project?.id, id);
      const expecting = await engine.resolve({ directory: folder, expect: spelling });
      assert.equal(expecting.outcome, 'resolved', spelling);
    }
    for (const time of [project.createdAt, project.updatedAt]) assert.equal(new Date(time).toISOString(), time);
  });

  it('R3: reads an id in any spelling from a config file, which keeps its spelling', async () => {
    const id = randomUUID();
    const folder = await fixture.folder();
    const file = await fixture.config(folder, {
      version: '1.0',
      project: { name: newName(), id: id.toUpperCase().replaceAll('-', '') },
    });
    const text = await readFile(file, 'utf8');
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.project?.id, id, JSON.stringify(answer.error));
    assert.equal(answer.created, true);
    assert.equal((await fixture.row(id))?.['name'], answer.project.name);
    assert.equal((await fixture.marker(answer.project.databaseName))?.projectId, id);
    assert.equal(await readFile(file, 'utf8'), text);
    assert.equal((await engine.resolve({ directory: folder })).created, false);
  });

  it('R3: gives times that another program wrote in the same form', async () => {
    const id = randomUUID();
    const name = newName();
    await fixture.sql(
      `insert into projects (id, name, database_name, created_at, updated_at)
       values ($1, $2, $3, '2024-03-01 12:00:00.123456+05:30', '2024-03-01 12:00:00-08')`,
      [id, name, `cb_proj_times_${id.slice(0, 8)}`],
    );
    const shown = await engine.showProject({ project: name });
    assert.deepEqual([shown.createdAt, shown.updatedAt], ['2024-03-01T06:30:00.123Z', '2024-03-01T20:00:00.000Z']);
    const { projects } = await engine.listProjects({ query: name });
    assert.deepEqual(
      projects.map(({ id: listedId, createdAt }) => [listedId, createdAt]),
      [[id, shown.createdAt]],
    );
    await fixture.sql('delete from projects where id = $1', [id]);
  });

  it("R4: that is one project's id and another's name is ambiguous, and both are named", async () => {
    const { project: one } = await registered();
    const { project: other } = await registered(one.id);
    const { project: shouting } = await registered(one.id.toUpperCase());
    const before = await everything();
    fixture.spy.take();
    for (const [reference, second] of [
      [one.id, other],
      [one.id.toUpperCase(), shouting],
    ] as const) {
      const answer = await engine.resolve({ project: reference });
      assert.deepEqual(path(answer), ['explicit failed']);
      assert.equal(answer.error?.code, 'PROJECT_AMBIGUOUS');
      assert.ok(answer.error.message.includes(`"${one.name}"`), answer.error.message);
      assert.ok(answer.error.message.includes(second.id), answer.error.message);
      assert.ok(answer.error.hint.includes(one.name) && answer.error.hint.includes(second.id), answer.error.hint);
    }
    // What the hint proposes works, and a spelling that nobody has as a name is no name.
    assert.equal((await engine.resolve({ project: one.name })).project?.id, one.id);
    assert.equal((await engine.resolve({ project: other.id })).project?.id, other.id);
    assert.equal((await engine.resolve({ project: one.id.replaceAll('-', '') })).project?.id, one.id);
    assert.deepEqual(created(), []);
    assert.deepEqual(await everything(), before);
  });
});

describe('an explicit reference to a project that waits for the registry', () => {
  it('R4: is ambiguous when it is the id of one and the name of another', async () => {
    const role = await fixture.role();
    await fixture.sql(`grant select on projects to ${role.name}`);
    const waiting = await fixture.engine({ role });
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: newName() } });
    const pending = await waiting.resolve({ directory: folder });
    assert.equal(pending.sync?.state, 'pending', JSON.stringify(pending.error));
    const id = pending.project?.id ?? '';
    for (const project of [id, pending.project?.name ?? '']) {
      assert.equal((await waiting.resolve({ project })).project?.id, id);
    }
    const { project: other } = await registered(id);
    const answer = await waiting.resolve({ project: id });
    assert.equal(answer.error?.code, 'PROJECT_AMBIGUOUS', JSON.stringify(answer));
    assert.ok(answer.error.message.includes(pending.project?.name ?? '-') && answer.error.message.includes(other.id));
    assert.equal((await waiting.resolve({ project: other.id })).project?.id, other.id);
  });
});

describe('the nearest config file', () => {
  it('R5: wins at once when one appears closer, and the next one when it is gone', async () => {
    const { folder, project: far } = await registered();
    const near = join(folder, 'packages', 'near');
    await mkdir(near, { recursive: true });
    assert.equal((await engine.resolve({ directory: near })).project?.id, far.id);

    const file = await fixture.config(near, { version: '1.0', project: { name: newName() } });
    const closer = await engine.resolve({ directory: near });
    assert.equal(closer.created, true);
    assert.equal(closer.configPath, file);
    assert.notEqual(closer.project?.id, far.id);
    assert.equal((await engine.resolve({ directory: folder })).project?.id, far.id);

    await rm(file);
    const back = await engine.resolve({ directory: near });
    assert.equal(back.project?.id, far.id);
    assert.equal(back.configPath, join(folder, '.codebase-mcp', 'config.json'));
    await rm(join(folder, '.codebase-mcp'), { recursive: true });
    const none = await engine.resolve({ directory: near });
    assert.equal(none.error?.code, 'UNRESOLVED');
    assert.equal(none.configPath, null);
  });

  it('R5: is read again when it changed without a trace in time and size', async () => {
    const origin = 'git@example.com:acme/pair.git';
    const { project: one } = await registered('same-size-1', origin);
    const { project: two } = await registered('same-size-2', origin);
    const folder = await fixture.folder();
    await fixture.origin(folder, origin);
    const seconds = 1_700_000_000;
    const claim = (project: Project): object => ({ version: '1.0', project: { name: project.name, id: project.id } });
    const file = await fixture.config(folder, claim(one));
    await utimes(file, seconds, seconds);
    const before = await stat(file);
    assert.equal((await engine.resolve({ directory: folder })).project?.id, one.id);

    await fixture.config(folder, claim(two));
    await utimes(file, seconds, seconds);
    const after = await stat(file);
    assert.deepEqual([after.mtimeMs, after.size, after.ino], [before.mtimeMs, before.size, before.ino]);
    assert.equal((await engine.resolve({ directory: folder })).project?.id, two.id);
  });

  it('R5: is an error while it is half-written, and the project when it is whole', async () => {
    const { folder, project } = await registered();
    const file = join(folder, '.codebase-mcp', 'config.json');
    const text = await readFile(file, 'utf8');
    for (const length of [0, 1, text.length - 3]) {
      await writeFile(file, text.slice(0, length));
      const half = await engine.resolve({ directory: folder });
      assert.equal(half.error?.code, 'CONFIG_INVALID');
      assert.deepEqual(path(half), ['explicit skipped', 'config failed']);
      await writeFile(file, text);
      assert.equal((await engine.resolve({ directory: folder })).project?.id, project.id);
    }
  });

  it('R6: is not looked for above a repository, in the home folder or in the root', async () => {
    const { folder, project } = await registered();
    const nested = join(folder, 'vendor', 'library');
    await mkdir(join(nested, '.git'), { recursive: true });
    assert.equal((await engine.resolve({ directory: dirname(nested) })).project?.id, project.id);
    const home = join(dirname(folder), 'home-of-r6');
    const inHome = join(home, 'scratch');
    await mkdir(inHome, { recursive: true });
    await fixture.config(home, { version: '1.0', project: { name: newName() } });
    const atHome = await fixture.engine({ home });

    for (const [resolution, limit] of [
      [await engine.resolve({ directory: nested }), `from ${nested} up to the repository root ${nested}`],
      [await atHome.resolve({ directory: inHome }), `from ${inHome} up to below the home folder, at ${home}`],
      [await atHome.resolve({ directory: home }), `${home} is the home folder, which cannot have a project`],
      [await engine.resolve({ directory: '/' }), 'from / up to below the root, at /'],
    ] as const) {
      assert.equal(resolution.outcome, 'unresolved');
      assert.deepEqual(path(resolution), ['explicit skipped', 'config missed', 'workflow skipped', 'default skipped']);
      assert.equal(resolution.error?.code, 'UNRESOLVED');
      assert.ok(resolution.error.message.endsWith(limit), resolution.error.message);
      assert.match(resolution.error.hint, /^registrar init NAME \| registrar use PROJECT$/);
    }
  });

  it("R6: of a worktree is its own, or else its main worktree's", async () => {
    const { folder: main, project } = await registered();
    const tree = `${main}-tree`;
    const gitDir = join(main, '.git', 'worktrees', 'tree');
    await mkdir(gitDir, { recursive: true });
    await mkdir(join(tree, 'src'), { recursive: true });
    await writeFile(join(gitDir, 'commondir'), '../..\n');
    await writeFile(join(gitDir, 'gitdir'), `${join(tree, '.git')}\n`);
    await writeFile(join(tree, '.git'), `gitdir: ${gitDir}\n`);
    const shared = await engine.resolve({ directory: join(tree, 'src') });
    assert.equal(shared.project?.id, project.id, JSON.stringify(shared.error));
    assert.ok(shared.trace[1]?.reason.includes(`main worktree ${main}`), shared.trace[1]?.reason);
    assert.equal(shared.configPath, join(main, '.codebase-mcp', 'config.json'));

    const own = await fixture.config(tree, { version: '1.0', project: { name: newName() } });
    const answer = await engine.resolve({ directory: join(tree, 'src') });
    assert.equal(answer.configPath, own);
    assert.equal(answer.created, true);
    assert.notEqual(answer.project?.id, project.id);
  });

  it('R6: is found past parents that may not be listed and through links that lead in circles', async () => {
    const { folder, project } = await registered();
    const below = join(folder, 'private', 'below');
    await mkdir(below, { recursive: true });
    await symlink('..', join(below, 'up'));
    await chmod(join(folder, 'private'), 0o111);
    try {
      const around = await engine.resolve({ directory: join(below, 'up', 'below', 'up', 'below') });
      assert.equal(around.project?.id, project.id);
    } finally {
      await chmod(join(folder, 'private'), 0o755);
    }
    await symlink(join(folder, 'loop'), join(folder, 'loop'));
    for (const directory of [join(folder, 'loop'), join(folder, 'missing'), `${folder}\0`]) {
      const refused = await engine.resolve({ directory });
      assert.equal(refused.error?.code, 'DIRECTORY_INVALID', directory);
      assert.deepEqual(path(refused), ['explicit skipped', 'config failed']);
    }
  });
});

describe('the switches of a config file', () => {
  it('R7: auto_switch false leaves the choice to the other tiers, and says so', async () => {
    const { project } = await registered();
    const folder = await fixture.folder();
    const name = newName();
    const file = await fixture.config(folder, { version: '1.0', project: { name }, auto_switch: false });
    const alone = await engine.resolve({ directory: folder });
    assert.deepEqual(path(alone), ['explicit skipped', 'config skipped', 'workflow skipped', 'default skipped']);
    assert.equal(alone.error?.code, 'UNRESOLVED');
    assert.ok(alone.error.message.includes(`auto_switch is false in ${file}`), alone.error.message);
    assert.match(alone.error.hint, /auto_switch/);

    workflow.answer = { project: project.id };
    const working = await fixture.engine({ settings: { 'registrar.workflow.url': workflow.url } });
    const answer = await working.resolve({ directory: folder });
    assert.deepEqual(path(answer), ['explicit skipped', 'config skipped', 'workflow matched', 'identity matched']);
    assert.equal(answer.project?.id, project.id);
    assert.equal(await fixture.row(name), undefined);
  });

  it("R7: strict_mode true refuses every explicit project but the folder's own", async () => {
    const { project: other } = await registered();
    const folder = await fixture.folder();
    const name = newName();
    const strict = { version: '1.0', project: { name }, strict_mode: true };
    const file = await fixture.config(folder, strict);
    // Also while the folder's own project has not been made.
    for (let round = 0; round < 2; round++) {
      fixture.spy.take();
      for (const project of [other.id, other.name]) {
        const refused = await engine.resolve({ directory: join(folder, '.git'), project });
        assert.deepEqual(path(refused), ['explicit failed']);
        assert.equal(refused.error?.code, 'PROJECT_MISMATCH');
        assert.ok(refused.error.message.includes(`strict_mode in ${file}`), refused.error.message);
        assert.ok(refused.error.message.includes(other.name), refused.error.message);
        assert.ok(!JSON.stringify(refused).includes(other.databaseName));
      }
      assert.deepEqual(created(), []);
      const own = await engine.resolve({ directory: folder });
      assert.equal(own.created, round === 0);
      for (const project of [own.project?.id ?? '', name]) {
        const named = await engine.resolve({ directory: folder, project });
        assert.equal(named.project?.id, own.project?.id);
        assert.deepEqual(path(named), ['explicit matched', 'identity matched']);
      }
    }
    assert.equal((await engine.resolve({ project: other.id })).project?.id, other.id);
  });

  it('R7: dry_run true says what would be done and does nothing, until it is removed', async () => {
    const folder = await fixture.folder();
    const name = newName();
    const dry = { version: '1.0', project: { name }, dry_run: true };
    const file = await fixture.config(folder, dry);
    const text = await readFile(file, 'utf8');
    const before = await everything();
    fixture.spy.take();
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.project, null);
    assert.equal(answer.created, false);
    assert.deepEqual(path(answer), ['explicit skipped', 'config matched', 'identity skipped']);
    assert.deepEqual(answer.wouldDo, [
      `register project "${name}"`,
      `create database cb_proj_${name.replace('-', '_')}_…`,
      "write the project's id into the config",
    ]);
    assert.deepEqual(
      fixture.spy.take().filter((sql) => /^\s*(create|insert|update|comment)/i.test(sql)),
      [],
    );
    assert.deepEqual(await everything(), before);
    assert.equal(await readFile(file, 'utf8'), text);

    await fixture.config(folder, { ...dry, dry_run: false });
    assert.equal((await engine.resolve({ directory: folder })).created, true);
    const { id } = (await fixture.readConfig(folder)).project;
    await fixture.config(folder, { ...dry, project: { name, id } });
    const known = await engine.resolve({ directory: folder });
    assert.equal(known.outcome, 'resolved');
    assert.equal(known.project?.id, id);
    assert.deepEqual(known.wouldDo, []);

    // A dropped database stays dropped: nothing is made again either.
    const databaseName = known.project?.databaseName ?? '';
    await fixture.sql(`drop database "${databaseName}"`, [], 'postgres');
    created();
    const dropped = await engine.resolve({ directory: folder });
    assert.equal(dropped.error?.code, 'DATABASE_MISSING');
    assert.deepEqual(created(), []);
    assert.ok(!(await fixture.databases()).includes(databaseName));
  });
});

describe('the default project', () => {
  it('R11: is off unless switched on: UNRESOLVED says what was looked for', async () => {
    const folder = await fixture.folder();
    const before = await everything();
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.outcome, 'unresolved');
    assert.deepEqual(path(answer), ['explicit skipped', 'config missed', 'workflow skipped', 'default skipped']);
    assert.equal(answer.error?.code, 'UNRESOLVED');
    assert.ok(answer.error.message.includes(`no .codebase-mcp/config.json from ${folder}`), answer.error.message);
    assert.deepEqual(
      (answer.error.details?.['tried'] as { name: string }[]).map(({ name }) => name),
      ['explicit', 'config', 'workflow', 'default'],
    );
    assert.match(answer.trace[3]?.reason ?? '', /default project is off/);
    const nowhere = await engine.resolve({});
    assert.equal(nowhere.error?.code, 'UNRESOLVED');
    assert.match(nowhere.error.message, /no project was named/);
    assert.deepEqual(await everything(), before);
  });

  it('R11: is usable the first time, and shared by all directories that have nothing else', async () => {
    const on = await fixture.engine({ settings: { 'registrar.defaultProject.enabled': true } });
    created();
    const first = await on.resolve({ directory: await fixture.folder() });
    assert.equal(first.outcome, 'resolved', JSON.stringify(first.error));
    assert.deepEqual(path(first), [
      'explicit skipped',
      'config missed',
      'workflow skipped',
      'default matched',
      'identity matched',
    ]);
    assert.deepEqual([first.tier, first.created, first.warnings], [4, true, []]);
    assert.equal(first.project?.id, '00000000-0000-0000-0000-000000000000');
    assert.equal(first.project.name, 'default');
    assert.equal(first.project.databaseName, defaultDatabaseName(fixture.registry));
    assert.equal((await fixture.marker(first.project.databaseName))?.projectId, first.project.id);
    assert.equal((await fixture.row('default'))?.['database_name'], first.project.databaseName);
    await fixture.sql('select 1', [], first.project.databaseName);
    assert.equal(created().length, 1);

    const second = await on.resolve({ directory: await fixture.folder() });
    assert.deepEqual([second.project?.id, second.created], [first.project.id, false]);
    assert.deepEqual(created(), []);
  });

  it('R11: is not shared by two registries on one server', async () => {
    const other = await registryFixture();
    try {
      const settings = { 'registrar.defaultProject.enabled': true };
      const [here, there] = [await fixture.engine({ settings }), await other.engine({ settings })];
      const [one, two] = [await here.resolve({}), await there.resolve({})];
      assert.equal(two.created, true, JSON.stringify(two.error));
      assert.notEqual(one.project?.databaseName, two.project?.databaseName);
      assert.equal((await other.marker(two.project?.databaseName ?? ''))?.registry, other.registry);
      assert.equal((await fixture.marker(one.project?.databaseName ?? ''))?.registry, fixture.registry);
      assert.equal(defaultDatabaseName('codebase_mcp_registry'), 'cb_proj_default_00000000');
    } finally {
      await other.close();
    }
  });
});

describe('every answer', () => {
  it('R12: names its tier, and the reason and duration of each tier that was asked, once', async () => {
    const { folder, project } = await registered();
    const eager = await eagerEngine();
    workflow.answer = { project: project.id };
    const byWorkflow = await eager.resolve({});
    const plain = await fixture.folder();
    const broken = await fixture.folder();
    await fixture.config(broken, '{');
    const dry = await fixture.folder();
    await fixture.config(dry, { version: '1.0', project: { name: newName() }, dry_run: true });
    const on = await fixture.engine({ settings: { 'registrar.defaultProject.enabled': true } });
    const answers: [Resolution, string, number | null][] = [
      [await engine.resolve({ project: project.name }), 'resolved', 1],
      [await engine.resolve({ project: 'nobody' }), 'refused', 1],
      [await engine.resolve({ directory: folder }), 'resolved', 2],
      [await engine.resolve({ directory: folder, expect: 'nobody' }), 'refused', 2],
      [await engine.resolve({ directory: broken }), 'refused', 2],
      [await engine.resolve({ directory: dry }), 'unresolved', 2],
      [byWorkflow, 'resolved', 3],
      [await on.resolve({ directory: plain }), 'resolved', 4],
      [await engine.resolve({ directory: plain }), 'unresolved', null],
      [await engine.resolve({}), 'unresolved', null],
    ];
    const order = ['explicit', 'config', 'workflow', 'default', 'identity'];
    for (const [answer, outcome, tier] of answers) {
      assert.deepEqual([answer.outcome, answer.tier], [outcome, tier], JSON.stringify(answer));
      const asked = answer.trace.map(({ name }) => name);
      assert.deepEqual(
        asked,
        order.filter((name) => asked.some((other) => other === name)),
      );
      const last = answer.trace.findLast(({ name }) => name !== 'identity');
      assert.equal(last?.outcome, outcome === 'refused' ? 'failed' : tier === null ? 'skipped' : 'matched');
      for (const attempt of answer.trace) {
        assert.equal(attempt.tier, attempt.name === 'identity' ? null : order.indexOf(attempt.name) + 1);
        assert.notEqual(attempt.reason, '');
        assert.ok(attempt.durationMs >= 0 && attempt.durationMs < 60_000, JSON.stringify(attempt));
      }
      assert.equal(answer.error === null, outcome === 'resolved' || answer.wouldDo !== null);
      assert.deepEqual(answer.server, engine.server());
    }
    // The statement of a tier that asked the server took some time.
    assert.ok((answers[0]?.[0].trace[0]?.durationMs ?? 0) > 0);
  });

  it('R12: of a warm directory, id or name is one round trip', async () => {
    const { folder, project } = await registered();
    for (const params of [{ directory: folder }, { project: project.id }, { project: project.name }]) {
      await engine.resolve(params);
      fixture.spy.takeRoundTrips();
      const answer = await engine.resolve(params);
      assert.equal(answer.outcome, 'resolved');
      assert.equal(fixture.spy.takeRoundTrips(), 1, JSON.stringify(params));
    }
  });
});
