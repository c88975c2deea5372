import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { atOnce, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertKeptOut, everything, projectWithCards, Repositories, writeConfig } from '../support/repositories.ts';
import { changes, creations, refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { git } from '../unit/git/gitFixture.ts';

const victims = 'https://git.example/victim/payments.git';
const mallorys = 'https://git.example/mallory/evil.git';

describe('a stranger’s repository that wants another’s database', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  let places: Repositories;
  let payments: string;
  let project: Project;
  let count = 0;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine(atOnce);
    places = await Repositories.open(fixture);
    payments = await places.make('payments', { origin: victims, project: { name: 'payments' } });
    project = await projectWithCards(fixture, engine, payments);
  });
  after(() => fixture.close());

  const next = (name: string): string => `${name}-${String((count += 1))}`;

  async function keptOut(directory: string, by: Engine = engine): Promise<string> {
    const error = await assertKeptOut(fixture, { directory, project }, () => by.resolve({ directory }));
    return `${error.message} ${error.hint} ${JSON.stringify(error.details)}`;
  }

  for (const [what, claimed] of [
    ['id', () => ({ id: project.id, name: 'evil' })],
    ['name', () => ({ name: 'payments' })],
    ['id and name', () => ({ id: project.id, name: 'payments' })],
    ['id in capitals and without hyphens', () => ({ id: project.id.toUpperCase().replaceAll('-', ''), name: 'x' })],
  ] as const) {
    it(`I1: carries its ${what}: with an origin of its own, and with none`, async () => {
      for (const origin of [mallorys, null]) {
        const folder = await places.make(next('evil'), { origin, project: claimed() });
        const said = await keptOut(folder);
        assert.match(said, /"payments" belongs to git\.example\/victim\/payments; this folder (is|has no)/);
        // A person is told whose it is; the look of a window says the same and changes nothing either.
        const looked = refused(await engine.look(folder), 'PROJECT_CONFLICT');
        assert.equal(`${looked.message} ${looked.hint} ${JSON.stringify(looked.details)}`, said);
        const connection = await engine.connection({ directory: folder });
        assert.equal(connection.environment, null);
        refused(
          (await engine.queryDatabase({ directory: folder, sql: 'select * from cards' })).resolution,
          'PROJECT_CONFLICT',
        );
      }
    });
  }

  it('I1: carries an id that the project had before it was re-keyed', async () => {
    const own = await places.make(next('ledger'), {
      origin: 'https://git.example/victim/ledger.git',
      project: { name: 'ledger' },
    });
    const made = resolved(await engine.resolve({ directory: own }));
    await writeConfig(own, { name: 'ledger', id: randomUUID() });
    const after = resolved(await engine.resolve({ directory: own }));
    assert.notEqual(after.id, made.id);
    const folder = await places.make(next('evil'), { origin: mallorys, project: { name: 'evil', id: made.id } });
    await assertKeptOut(fixture, { directory: folder, project: after }, () => engine.resolve({ directory: folder }));
  });

  it('I1: has an id of one project and the name of another', async () => {
    const other = await places.make(next('wallet'), {
      origin: 'https://git.example/victim/wallet.git',
      project: { name: 'wallet' },
    });
    const second = resolved(await engine.resolve({ directory: other }));
    const folder = await places.make(next('evil'), { origin: mallorys, project: { name: 'wallet', id: project.id } });
    const said = await keptOut(folder);
    assert.ok(!said.includes(second.databaseName));
  });

  it('I1: asks with a guess of what it is, and learns no more from the answer than without', async () => {
    const folder = await places.make(next('evil'), { origin: mallorys, project: { name: 'evil', id: project.id } });
    const agent = { folders: () => Promise.resolve([folder]) };
    const answers = [];
    for (const expect of ['payments', 'evil', 'something', project.id, randomUUID()]) {
      const error = refused(await engine.resolve({ directory: folder, expect, agent }), 'PROJECT_CONFLICT');
      answers.push(JSON.stringify(error));
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
    assert.ok(!answers[0]?.includes('payments') && !answers[0]?.includes('victim'));
  });

  it('I1: is let in by its person once, who types whose database it is, and is remembered by every state folder', async () => {
    const folder = await places.make(next('evil'), { origin: mallorys, project: { name: 'payments' }, tracked: true });
    await keptOut(folder);
    const use = { directory: folder, project: 'payments' };
    for (const confirm of [undefined, 'git.example/mallory/evil', 'payments', '']) {
      const error = await thrown(
        engine.useProject({ ...use, ...(confirm === undefined ? {} : { confirm }) }),
        'CONFIRMATION_REQUIRED',
      );
      assert.equal(error.details?.['origin'], 'git.example/victim/payments');
    }
    await keptOut(folder);
    for (const confirm of ['ssh://git@git.example/victim/payments']) {
      assert.equal(resolved(await engine.useProject({ ...use, confirm })).id, project.id);
    }
    const again = await fixture.engine();
    for (const by of [engine, again]) {
      const answer = await by.resolve({ directory: folder });
      assert.deepEqual([resolved(answer).id, answer.warnings], [project.id, []]);
    }
    // That decides about this folder, and about no other clone of the same repository.
    const clone = places.clone(folder, next('evil'), mallorys);
    await keptOut(clone);
    await keptOut(clone, again);
  });

  it('I1: gets no better by having been let into a project without an origin: its other clones stay out', async () => {
    const own = await places.make(next('diary'), { project: { name: 'diary' } });
    const diary = await projectWithCards(fixture, engine, own);
    const template = await places.make(next('template'), {
      origin: mallorys,
      project: { name: 'diary' },
      tracked: true,
    });
    await assertKeptOut(fixture, { directory: template, project: diary }, () =>
      engine.resolve({ directory: template }),
    );
    assert.equal(resolved(await engine.useProject({ directory: template, project: 'diary' })).id, diary.id);
    for (let time = 0; time < 2; time++) resolved(await engine.resolve({ directory: template }));
    const clone = places.clone(template, next('clone'), mallorys);
    await assertKeptOut(fixture, { directory: clone, project: diary }, () => engine.resolve({ directory: clone }));
    // Neither did the project's own folder lose anything by it.
    assert.equal(resolved(await engine.resolve({ directory: own })).id, diary.id);
  });

  it('I3: shares a second remote with it, like everything that came from one template', async () => {
    const template = 'https://git.example/acme/template.git';
    const [one, two] = ['https://git.example/acme/site-a.git', 'https://git.example/acme/site-b.git'];
    const siteA = await places.make(next('site-a'), { origin: one, project: { name: 'site' }, tracked: true });
    git(siteA, 'remote', 'add', 'template', template);
    const first = await projectWithCards(fixture, engine, siteA);
    const siteB = await places.make(next('site-b'), { origin: two, project: { name: 'site' }, tracked: true });
    git(siteB, 'remote', 'add', 'template', template);
    await assertKeptOut(fixture, { directory: siteB, project: first }, () => engine.resolve({ directory: siteB }));
    // A clone of the template itself is the one remote's, and no site's.
    const bare = await places.make(next('site-c'), { project: { name: 'site' }, tracked: true });
    git(bare, 'remote', 'add', 'template', template);
    await assertKeptOut(fixture, { directory: bare, project: first }, () => engine.resolve({ directory: bare }));
    await writeConfig(siteB, { name: 'site-b' });
    const second = await engine.resolve({ directory: siteB });
    assert.equal(second.created, true);
    assert.notEqual(resolved(second).databaseName, first.databaseName);
  });

  it('I3: comes from one template as row of version 0.1 lists several remotes: the template’s clones stay out', async () => {
    const template = 'https://git.example/acme/starter.git';
    const own = await places.make(next('starter'), {
      origin: 'https://git.example/acme/started.git',
      project: { name: 'started' },
      tracked: true,
    });
    git(own, 'remote', 'add', 'template', template);
    const made = await projectWithCards(fixture, engine, own);
    await fixture.sql(
      `update projects set metadata = jsonb_set(metadata #- '{registrar,evidence}', '{registrar,git,origins}', $1) where id = $2`,
      [JSON.stringify(['git.example/acme/started', 'git.example/acme/starter']), made.id],
    );
    const fresh = await fixture.engine();
    const evil = await places.make(next('evil'), { origin: template, project: { name: 'started', id: made.id } });
    await assertKeptOut(fixture, { directory: evil, project: made }, () => fresh.resolve({ directory: evil }));
  });

  it('I3: is a download of it without .git, or with a .git that was begun anew', async () => {
    const zip = places.at(next('zip'));
    await cp(payments, zip, { recursive: true, filter: (path) => !path.endsWith('.git') });
    await mkdir(join(zip, 'src'));
    assert.match(await keptOut(zip), /this folder has no origin/);
    git(zip, 'init', '--quiet');
    await keptOut(zip);
  });

  it('I3: is a copy beside a folder without an origin', async () => {
    const own = await places.make(next('notes'), { project: { name: 'notes' } });
    const notes = await projectWithCards(fixture, engine, own);
    for (const [id, filter] of [
      [true, () => true],
      [false, (path: string) => !path.endsWith('.git')],
    ] as const) {
      const copy = places.at(next('copy'));
      await cp(own, copy, { recursive: true, filter });
      if (!id) await writeConfig(copy, { name: 'notes' });
      await assertKeptOut(fixture, { directory: copy, project: notes }, () => engine.resolve({ directory: copy }));
    }
    assert.equal(resolved(await engine.resolve({ directory: own })).id, notes.id);
  });

  it('I4: has files that look like a .git of the other repository', async () => {
    const forged: [string, (folder: string) => Promise<unknown>][] = [
      ['a pointer to its .git', (folder) => writeFile(join(folder, '.git'), `gitdir: ${payments}/.git\n`)],
      ['a link to its .git', (folder) => symlink(join(payments, '.git'), join(folder, '.git'))],
      [
        'a pointer to a worktree that it does not list',
        (folder) => writeFile(join(folder, '.git'), `gitdir: ${payments}/.git/worktrees/evil\n`),
      ],
      [
        'a git folder whose commondir leads there',
        async (folder) => {
          const gitDir = join(folder, '.git');
          await mkdir(gitDir);
          await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
          await writeFile(join(gitDir, 'commondir'), `${payments}/.git\n`);
          await writeFile(join(gitDir, 'gitdir'), `${folder}/.git\n`);
        },
      ],
      [
        'a git folder elsewhere whose commondir leads there',
        async (folder) => {
          const gitDir = join(folder, 'git', 'worktrees', 'evil');
          await mkdir(gitDir, { recursive: true });
          await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
          await writeFile(join(gitDir, 'commondir'), `${payments}/.git\n`);
          await writeFile(join(gitDir, 'gitdir'), `${folder}/.git\n`);
          await writeFile(join(folder, '.git'), 'gitdir: git/worktrees/evil\n');
        },
      ],
      [
        'a config that is a link to its',
        async (folder) => {
          git(folder, 'init', '--quiet');
          await rm(join(folder, '.git', 'config'));
          await symlink(join(payments, '.git', 'config'), join(folder, '.git', 'config'));
        },
      ],
      [
        'a config that includes its',
        async (folder) => {
          git(folder, 'init', '--quiet');
          git(folder, 'config', 'include.path', join(payments, '.git', 'config'));
        },
      ],
      [
        'objects of its',
        async (folder) => {
          git(folder, 'init', '--quiet');
          await writeFile(join(folder, '.git', 'objects', 'info', 'alternates'), `${payments}/.git/objects\n`);
        },
      ],
      [
        'a work tree that is its',
        async (folder) => {
          git(folder, 'init', '--quiet');
          git(folder, 'config', 'core.worktree', payments);
        },
      ],
    ];
    for (const [what, forge] of forged) {
      for (const claimed of [{ name: 'payments' }, { name: 'payments', id: project.id }]) {
        const folder = places.at(next('forged'));
        await writeConfig(folder, claimed);
        await forge(folder);
        await keptOut(folder).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`));
      }
    }
  });

  it('I4: has no config of its own, and a .git that leads to the other repository', async () => {
    for (const pointer of [`${payments}/.git`, `${payments}/.git/worktrees/evil`]) {
      const folder = places.at(next('pointer'));
      await mkdir(folder);
      await writeFile(join(folder, '.git'), `gitdir: ${pointer}\n`);
      const answer = await engine.resolve({ directory: folder });
      assert.equal(answer.outcome, 'unresolved', JSON.stringify(answer.project));
    }
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('I4: has a .codebase-mcp that leads into the other repository, as folder and as file', async () => {
    const [linked, file] = [places.at(next('linked')), places.at(next('linked'))];
    await mkdir(linked);
    git(linked, 'init', '--quiet');
    git(linked, 'remote', 'add', 'origin', mallorys);
    await symlink(join(payments, '.codebase-mcp'), join(linked, '.codebase-mcp'));
    git(file, 'init', '--quiet');
    await mkdir(join(file, '.codebase-mcp'));
    await symlink(join(payments, '.codebase-mcp', 'config.json'), join(file, '.codebase-mcp', 'config.json'));
    await keptOut(linked);
    await keptOut(file);
  });

  it('I4: has the nil id', async () => {
    const folder = await places.make(next('nil'), {
      project: { name: 'payments', id: '00000000-0000-0000-0000-000000000000' },
    });
    const before = await everything(fixture);
    refused(await engine.resolve({ directory: folder }), 'CONFIG_INVALID');
    assert.equal(await everything(fixture), before);
  });

  it('I2: takes over the path of a folder that claimed, with an origin, without one, and as a worktree', async () => {
    const evil = await places.make(next('evil'), { origin: mallorys });
    for (const tracked of [true, false]) {
      const own = await places.make(next('taken'), {
        origin: victims.replace('payments', next('taken')),
        project: { name: next('taken') },
        tracked,
      });
      const taken = await projectWithCards(fixture, engine, own);
      for (const claimed of [{ name: taken.name }, { name: taken.name, id: taken.id }]) {
        await places.replace(own, evil, mallorys);
        await writeConfig(own, claimed);
        await assertKeptOut(fixture, { directory: own, project: taken }, () => engine.resolve({ directory: own }));
        await places.replace(own, evil, null);
        await writeConfig(own, claimed);
        await assertKeptOut(fixture, { directory: own, project: taken }, () => engine.resolve({ directory: own }));
        await rm(own, { recursive: true });
        git(evil, 'worktree', 'add', '--quiet', '--force', own);
        await writeConfig(own, claimed);
        await assertKeptOut(fixture, { directory: own, project: taken }, () => engine.resolve({ directory: own }));
        git(evil, 'worktree', 'remove', '--force', own);
      }
    }
  });

  it('I2: takes over the path of a folder whose claim kept no origin', async () => {
    const evil = await places.make(next('evil'), { origin: mallorys });
    for (const isRepository of [true, false]) {
      const name = next('bare');
      const own = places.at(name);
      if (isRepository) await places.make(name, { project: { name } });
      else await writeConfig(own, { name });
      const taken = await projectWithCards(fixture, engine, own);
      for (const claimed of [{ name }, { name, id: taken.id }]) {
        await places.replace(own, evil, mallorys);
        await writeConfig(own, claimed);
        await assertKeptOut(fixture, { directory: own, project: taken }, () => engine.resolve({ directory: own }));
      }
    }
  });

  it('I2: takes over the path of a project whose row was lost, whose database still carries its id', async () => {
    const evil = await places.make(next('evil'), { origin: mallorys });
    const name = next('lost');
    const own = await places.make(name, { origin: 'https://git.example/victim/lost.git', project: { name } });
    const lost = await projectWithCards(fixture, engine, own);
    const [row] = await fixture.sql('delete from projects where id = $1 returning *', [lost.id]);
    await places.replace(own, evil, mallorys);
    await writeConfig(own, { name, id: lost.id });
    const error = await assertKeptOutOfMarked(own);
    assert.equal(row?.['id'], lost.id);
    assert.match(error, /PROJECT_CONFLICT/);
  });

  /** Nothing is made for a folder whose id only a database knows. */
  async function assertKeptOutOfMarked(directory: string): Promise<string> {
    const before = await everything(fixture);
    fixture.spy.take();
    const error = refused(await engine.resolve({ directory }), 'PROJECT_CONFLICT');
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal(await everything(fixture), before);
    return JSON.stringify(error);
  }

  it('I2: takes over the path of a folder with a local binding', async () => {
    const evil = await places.make(next('evil'), { origin: mallorys });
    const folder = await places.make(next('bound'), { project: { name: 'bound' } });
    await engine.useProject({ directory: folder, project: 'payments', local: true, confirm: victims });
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, project.id);
    await places.replace(folder, evil, mallorys);
    await writeConfig(folder, { name: 'payments', id: project.id });
    await keptOut(folder);
  });

  it('H1: cannot rename, re-key or point another’s project at a database by its config', async () => {
    const decoy = resolved(await engine.createProject({ name: next('decoy') }));
    for (const claimed of [
      { id: project.id, name: next('renamed') },
      { name: 'payments', id: randomUUID() },
      { name: 'payments', id: project.id, database_name: decoy.databaseName },
      { name: 'payments', database_name: 'cb_proj_evil_00000000' },
    ]) {
      for (const origin of [mallorys, null]) {
        await keptOut(await places.make(next('evil'), { origin, project: claimed }));
      }
    }
    assert.equal(resolved(await engine.resolve({ directory: payments })).name, 'payments');
  });

  it('H1: a linked worktree never renames or re-keys, also after it has claimed the project', async () => {
    const name = next('tree');
    const own = await places.make(name, {
      origin: 'https://git.example/victim/tree.git',
      project: { name },
      tracked: true,
    });
    const made = await projectWithCards(fixture, engine, own);
    const tree = places.at(next('tree'));
    git(own, 'worktree', 'add', '--quiet', tree);
    assert.equal(resolved(await engine.resolve({ directory: tree })).id, made.id);
    const row = await fixture.row(made.id);
    await writeConfig(tree, { name, id: randomUUID() });
    await assertKeptOut(fixture, { directory: tree, project: made }, () => engine.resolve({ directory: tree }));
    await writeConfig(tree, { name: next('renamed'), id: made.id });
    const answer = await engine.resolve({ directory: tree });
    assert.deepEqual([resolved(answer).name, answer.warnings.map(({ code }) => code)], [name, ['NAME_DIFFERS']]);
    assert.deepEqual(await fixture.row(made.id), row);
  });

  it('I2: is a worktree of an evil repository, beside a worktree of the other', async () => {
    const evil = await places.make(next('evil'), {
      origin: mallorys,
      project: { name: 'payments', id: project.id },
      tracked: true,
    });
    const tree = places.at(next('evil-tree'));
    git(evil, 'worktree', 'add', '--quiet', tree);
    await keptOut(tree);
    // A main checkout that a stranger's .git names, and that does not name it.
    const folder = places.at(next('evil-tree'));
    git(evil, 'worktree', 'add', '--quiet', '-b', next('b'), folder);
    await writeFile(join(folder, '.git'), `gitdir: ${payments}/.git/worktrees/x\n`);
    await keptOut(folder);
  });

  it('I3: has a local path as its origin, to a folder that never claimed, or another place inside', async () => {
    const plain = await places.make(next('plain'), {
      project: { name: 'payments', id: project.id },
      tracked: true,
    });
    await keptOut(places.clone(plain, next('clone'), plain));
    const named = places.clone(payments, next('clone'), payments);
    await writeConfig(join(named, 'inside'), { name: 'payments' });
    const inside = join(named, 'inside');
    await assertKeptOut(fixture, { directory: inside, project }, () => engine.resolve({ directory: inside }));
  });

  it('I2: of two strangers that claim a project of nobody first at the same moment, one gets it', async () => {
    for (const by of ['id', 'name'] as const) {
      const name = next('orphan');
      const database = `cb_proj_${name.replace('-', '_')}_0a1b2c3d`;
      await fixture.sql(`create database ${database}`, [], 'postgres');
      const [row] = await fixture.sql<{ id: string }>(
        'insert into projects (name, database_name) values ($1, $2) returning id',
        [name, database],
      );
      const engines = [engine, await fixture.engine(atOnce), await fixture.engine({ ...atOnce, host: 'elsewhere' })];
      const claimed = by === 'id' ? { name, id: row?.id } : { name };
      const folders = await Promise.all(
        engines.map((_, index) =>
          places.make(next('first'), {
            origin: `https://git.example/u${String(index)}/x.git`,
            project: claimed,
            tracked: true,
          }),
        ),
      );
      const answers = await Promise.all(engines.map((one, index) => one.resolve({ directory: folders[index] ?? '' })));
      assert.deepEqual(
        answers.map(({ outcome }) => outcome).sort(),
        ['refused', 'refused', 'resolved'],
        JSON.stringify(answers.map(({ error }) => error)),
      );
      assert.deepEqual(
        answers.flatMap(({ warnings }) => warnings.map(({ code }) => code)).filter((code) => code === 'FIRST_CLAIM'),
        ['FIRST_CLAIM'],
      );
      for (const { error } of answers) if (error) assert.equal(error.code, 'PROJECT_CONFLICT');
    }
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  it('I1: has a name that is taken: init and create say whose it is to a person, and make nothing', async () => {
    const folder = await places.make(next('evil'), { origin: mallorys });
    const before = await everything(fixture);
    for (const local of [false, true]) {
      const error = await thrown(
        engine.createProject({ name: 'payments', directory: folder, local }),
        'PROJECT_CONFLICT',
      );
      assert.ok(!JSON.stringify(error).includes(project.databaseName));
    }
    assert.deepEqual(await readdir(folder), ['.git', 'README']);
    assert.equal(await everything(fixture), before);
  });
});
