import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { everything, projectWithCards, Repositories, writeConfig } from '../support/repositories.ts';
import { changes, refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { git } from '../unit/git/gitFixture.ts';

const victims = 'https://git.example/victim/payments.git';
const mallorys = 'https://git.example/mallory/evil.git';

describe('an agent that can write files, and wants another’s database', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  let places: Repositories;
  let payments: string;
  let project: Project;
  let diary: Project;
  let count = 0;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
    places = await Repositories.open(fixture);
    payments = await places.make('payments', { origin: victims, project: { name: 'payments' }, tracked: true });
    project = await projectWithCards(fixture, engine, payments);
    diary = await projectWithCards(fixture, engine, await places.make('diary', { project: { name: 'diary' } }));
  });
  after(() => fixture.close());

  const next = (name: string): string => `${name}-${String((count += 1))}`;
  const agentOf = (...folders: string[]): { folders: () => Promise<string[]> } => ({
    folders: () => Promise.resolve(folders),
  });

  /** Nothing was made or written, and nothing is told that the agent did not write itself. */
  async function assertLearnsNothing(ask: () => Promise<ErrorReport>): Promise<ErrorReport> {
    const before = await everything(fixture);
    fixture.spy.take();
    const error = await ask();
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal(await everything(fixture), before);
    const told = JSON.stringify(error);
    for (const secret of ['victim', 'git.example', 'cb_proj_', project.id, diary.id, payments])
      assert.ok(!told.includes(secret), `told ${secret}: ${told}`);
    assert.equal(error.details, undefined);
    return error;
  }

  async function keptOut(directory: string, ...own: string[]): Promise<ErrorReport> {
    return assertLearnsNothing(async () =>
      refused(await engine.resolve({ directory, agent: agentOf(...own) }), 'PROJECT_CONFLICT'),
    );
  }

  it('I9: hears of a stranger’s folder that it belongs to another repository, and to ask its user', async () => {
    for (const claimed of [{ name: 'payments' }, { name: 'mine', id: project.id }, { name: 'diary', id: project.id }]) {
      const folder = await places.make(next('evil'), { origin: mallorys, project: claimed });
      const error = await keptOut(folder, folder);
      assert.match(error.message, /another repository/);
      assert.equal(error.hint, 'Ask your user; do not run use.');
    }
  });

  it('I9: makes evidence below its launch folder: a clone, a .git with the origin, a local clone, a worktree', async () => {
    const launch = await places.make(next('launch'), { origin: mallorys });
    const made: [string, (folder: string) => Promise<unknown>][] = [
      [
        'a clone',
        (folder) =>
          Promise.resolve(git(launch, 'clone', '--quiet', payments, folder)).then(() =>
            git(folder, 'remote', 'set-url', 'origin', victims),
          ),
      ],
      ['a local clone', (folder) => Promise.resolve(git(launch, 'clone', '--quiet', payments, folder))],
      [
        'a .git',
        async (folder) => {
          await mkdir(join(folder, '.git'), { recursive: true });
          await writeFile(join(folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
          await writeFile(join(folder, '.git', 'config'), `[remote "origin"]\n\turl = ${victims}\n`);
          await writeConfig(folder, { name: 'payments', id: project.id });
        },
      ],
      [
        'a worktree of a clone',
        async (folder) => {
          const clone = join(launch, next('clone'));
          git(launch, 'clone', '--quiet', payments, clone);
          git(clone, 'remote', 'set-url', 'origin', victims);
          git(clone, 'worktree', 'add', '--quiet', folder);
          await Promise.resolve();
        },
      ],
      ['a copy', (folder) => cp(payments, folder, { recursive: true })],
      [
        'the only folder of a project without an origin',
        async (folder) => {
          await mkdir(folder);
          await writeConfig(folder, { name: 'orphan', id: await orphan() });
        },
      ],
    ];
    for (const [what, make] of made) {
      const folder = join(launch, next('inside'));
      await make(folder);
      const error = await keptOut(folder, launch).catch((reason: unknown) => assert.fail(`${what}: ${String(reason)}`));
      assert.match(error.hint, /do not run use/, what);
      // Beside the launch folder, as in /tmp, it is no more.
      await keptOut(folder, join(launch, 'elsewhere'));
      await keptOut(folder);
    }
  });

  /** A project of which nobody knows a folder. */
  async function orphan(name = next('orphan')): Promise<string> {
    const database = `cb_proj_${name.replace('-', '_')}_0a1b2c3d`;
    await fixture.sql(`create database ${database}`, [], 'postgres');
    const rows = await fixture.sql<{ id: string }>(
      'insert into projects (name, database_name) values ($1, $2) returning id',
      [name, database],
    );
    return rows[0]?.id ?? '';
  }

  it('I9: plants a repository that points at the one of its launch folder, to borrow its standing', async () => {
    const launch = await places.make(next('launch'), { origin: mallorys });
    for (const pointer of ['gitdir: ../.git\n', `gitdir: ${payments}/.git\n`]) {
      const folder = join(launch, next('inside'));
      await writeConfig(folder, { name: 'payments', id: project.id });
      await writeFile(join(folder, '.git'), pointer);
      await keptOut(folder, launch);
    }
  });

  it('I9: names with use a project of nobody, or one of another machine, that its folder’s config does not have', async () => {
    const name = next('orphan');
    await orphan(name);
    const far = await fixture.engine({ host: 'elsewhere' });
    const away = await places.make(next('away'), { project: { name: 'ledger' } });
    const ledger = await projectWithCards(fixture, far, away);
    await rm(away, { recursive: true });
    const launch = await places.make(next('launch'));
    for (const wanted of [name, 'ledger', ledger.id, 'diary', 'payments', project.id]) {
      await assertLearnsNothing(() =>
        thrown(engine.useProject({ project: wanted, directory: launch, agent: agentOf(launch) }), 'PROJECT_CONFLICT'),
      );
      assert.deepEqual((await readdir(launch)).sort(), ['.git', 'README']);
    }
  });

  it('I9: pastes what a hint says, with the origin typed, for a folder of another origin', async () => {
    const folder = await places.make(next('evil'), { origin: mallorys, project: { name: 'payments' } });
    for (const confirm of [undefined, victims, 'git.example/victim/payments']) {
      const use = { project: 'payments', directory: folder, agent: agentOf(folder) };
      await assertLearnsNothing(() =>
        thrown(engine.useProject({ ...use, ...(confirm === undefined ? {} : { confirm }) }), 'PROJECT_CONFLICT'),
      );
    }
  });

  it('I9: creates under a name that is taken, pending, forgotten, or only a database’s: it learns that it is taken', async () => {
    const folder = await places.make(next('evil'), { origin: mallorys });
    const gone = await places.make(next('gone'), { project: { name: 'gone' } });
    const forgotten = await projectWithCards(fixture, engine, gone);
    await engine.forgetProject({ project: 'gone' });
    const lost = await projectWithCards(
      fixture,
      engine,
      await places.make(next('lost'), { project: { name: 'unlisted' } }),
    );
    await fixture.sql('delete from projects where id = $1', [lost.id]);
    for (const name of ['payments', 'diary', 'gone', 'unlisted']) {
      for (const directory of [undefined, folder]) {
        for (const dryRun of [false, true]) {
          const params = { name, dryRun, agent: agentOf(folder), ...(directory === undefined ? {} : { directory }) };
          const error = await assertLearnsNothing(async () => {
            const answer = await engine.createProject(params).catch((reason: unknown) => {
              assert.ok(reason instanceof RegistrarError, String(reason));
              return reason.toReport();
            });
            return 'outcome' in answer ? (answer.error ?? assert.fail(`${name} was made`)) : answer;
          });
          assert.ok(!JSON.stringify(error).includes(forgotten.id) && !JSON.stringify(error).includes(lost.id));
        }
      }
    }
    assert.deepEqual((await readdir(folder)).sort(), ['.git', 'README']);
  });

  it('I9: works in its own folder, its repository and its worktrees as ever', async () => {
    const clone = places.clone(payments, next('clone'), victims);
    assert.equal(resolved(await engine.resolve({ directory: clone, agent: agentOf(clone) })).id, project.id);
    const inside = join(clone, 'src');
    await mkdir(inside);
    const second = places.clone(payments, next('clone'), victims);
    await mkdir(join(second, 'src'));
    assert.equal(
      resolved(await engine.resolve({ directory: second, agent: agentOf(join(second, 'src')) })).id,
      project.id,
    );
    const tree = places.at(next('tree'));
    git(second, 'worktree', 'add', '--quiet', tree);
    assert.equal(resolved(await engine.resolve({ directory: tree, agent: agentOf(second) })).id, project.id);
    // What a person resolved once is no news, wherever the agent was started.
    const third = places.clone(payments, next('clone'), victims);
    await keptOut(third, clone);
    resolved(await engine.resolve({ directory: third }));
    assert.equal(resolved(await engine.resolve({ directory: third, agent: agentOf(clone) })).id, project.id);
  });

  it('I9: makes a new project below its launch folder, which takes nothing from anybody', async () => {
    const launch = await places.make(next('launch'), { origin: mallorys });
    const folder = join(launch, 'service');
    await writeConfig(folder, { name: next('service'), id: randomUUID() });
    const answer = await engine.resolve({ directory: folder, agent: agentOf(launch) });
    assert.equal(answer.created, true);
    resolved(answer);
  });
});
