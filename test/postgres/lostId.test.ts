import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project, Resolution } from '../../daemon/protocol/model.ts';
import { atOnce, path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  warningCodes,
} from '../support/resolutionAssertions.ts';

describe('a config that lost its id', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine(atOnce);
  });
  after(() => fixture.close());

  async function named(folder: string, name: string): Promise<void> {
    await fixture.config(folder, { version: '1.0', project: { name } });
  }

  /** A folder's project, made by its first resolution. */
  async function project(folder: string, name: string): Promise<Project> {
    await named(folder, name);
    const made = await engine.resolve({ directory: folder });
    assert.equal(made.created, true);
    fixture.spy.take();
    return resolved(made);
  }

  /** By name to the same project, no database made, and the id is in the config again. */
  async function assertSame(answer: Resolution, before: Project, folder: string, warnings: string[]): Promise<void> {
    const after = resolved(answer);
    assert.deepEqual(path(answer), ['explicit skipped', 'config matched', 'identity matched']);
    assert.match(answer.trace[1]?.reason ?? '', new RegExp(`^name "${before.name}"`));
    assert.equal(answer.created, false);
    assert.deepEqual(warningCodes(answer), warnings);
    assert.deepEqual([after.id, after.databaseName], [before.id, before.databaseName]);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, after, folder);
  }

  it('H3: is the same project after a checkout', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'barn');
    await named(folder, 'barn');
    await assertSame(await engine.resolve({ directory: folder }), before, folder, []);
  });

  it('H3: is the same project for a daemon that never saw it', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'stable');
    await named(folder, 'stable');
    const second = await fixture.engine(atOnce);
    await assertSame(await second.resolve({ directory: folder }), before, folder, []);
  });

  it('H3: is the same project after its folder was moved, which is said once', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'coop');
    await named(folder, 'coop');
    const moved = `${folder}-moved`;
    await rename(folder, moved);
    const answer = await engine.resolve({ directory: moved });
    assert.match(answer.warnings[0]?.message ?? '', new RegExp(`"coop" was in ${folder}, which is gone`));
    assert.match(answer.warnings[0]?.hint ?? '', /another project\.name/);
    await assertSame(answer, before, moved, ['FOLDER_MOVED']);
    assert.equal(await recordedFolder(before.id), moved);
    await named(moved, 'coop');
    await assertSame(await engine.resolve({ directory: moved }), before, moved, []);
  });

  it('H3: is the same project in clones of one origin, however each spells it', async () => {
    const folder = await fixture.folder();
    await fixture.origin(folder, 'https://alice:gh-token@GitHub.com/acme/silo.git');
    const before = await project(folder, 'silo');
    const spellings = [
      'git@github.com:acme/silo.git',
      'ssh://git@github.com:22/acme/silo/',
      'https://github.com/acme/silo',
      'git://github.com/acme/silo.git',
    ];
    for (const [index, url] of spellings.entries()) {
      const clone = await fixture.folder();
      await fixture.origin(clone, url);
      await named(clone, 'silo');
      // Every other clone is on another machine.
      const host = `machine-${String(index)}`;
      const one = index % 2 === 0 ? engine : await fixture.engine({ ...atOnce, host });
      await assertSame(await one.resolve({ directory: clone }), before, clone, []);
      await named(clone, 'silo');
      await assertSame(await one.resolve({ directory: clone }), before, clone, []);
    }
    assert.equal(await recordedFolder(before.id), folder);
    const [row] = await fixture.sql<{ metadata: string }>('select metadata::text from projects where id = $1', [
      before.id,
    ]);
    assert.doesNotMatch(row?.metadata ?? '', /alice|gh-token/);
  });

  it('I3: is another project where only a second remote is the same', async () => {
    const folder = await fixture.folder();
    await fixture.origin(folder, 'https://github.com/acme/trough');
    await project(folder, 'trough');
    const fork = await fixture.folder();
    await fixture.origin(fork, 'git@github.com:bob/trough.git');
    await writeFile(
      join(fork, '.git', 'config'),
      '[remote "origin"]\n\turl = git@github.com:bob/trough.git\n[remote "upstream"]\n\turl = git@github.com:acme/trough.git\n',
    );
    await named(fork, 'trough');
    const resolution = await engine.resolve({ directory: fork });
    assert.equal(resolution.error?.code, 'PROJECT_CONFLICT');
  });

  it('H3: is the same project in a worktree that has a config of its own', async () => {
    const folder = await fixture.folder();
    await fixture.origin(folder, 'git@example.com:acme/paddock.git');
    const before = await project(folder, 'paddock');
    const worktree = await fixture.folder();
    await rm(join(worktree, '.git'), { recursive: true });
    const gitDir = join(folder, '.git', 'worktrees', 'feature');
    await mkdir(gitDir, { recursive: true });
    await writeFile(join(gitDir, 'commondir'), '../..\n');
    await writeFile(join(gitDir, 'gitdir'), `${join(worktree, '.git')}\n`);
    await writeFile(join(worktree, '.git'), `gitdir: ${gitDir}\n`);
    await named(worktree, 'paddock');
    await assertSame(await engine.resolve({ directory: worktree }), before, worktree, []);
  });

  it('H3: is the same project at the same place inside another clone', async () => {
    const [one, other] = [await fixture.folder(), await fixture.folder()];
    await fixture.origin(one, 'https://example.com/acme/farm.git');
    await fixture.origin(other, 'git@example.com:acme/farm.git');
    const before = await project(join(one, 'packages', 'hay'), 'hay');
    const there = join(other, 'packages', 'hay');
    await named(there, 'hay');
    await assertSame(await engine.resolve({ directory: there }), before, there, []);
  });

  it('H3: is another project where a path as origin is the same on two machines only by its text', async () => {
    const folder = await fixture.folder();
    await fixture.origin(folder, '/srv/git/meadow.git');
    const before = await project(folder, 'meadow');
    const clone = await fixture.folder();
    await fixture.origin(clone, 'file:///srv/git/meadow.git');
    await named(clone, 'meadow');
    const elsewhere = await fixture.engine({ ...atOnce, host: 'elsewhere' });
    const error = refused(await elsewhere.resolve({ directory: clone }), 'PROJECT_CONFLICT');
    assert.equal(
      error.message,
      '"meadow" belongs to file:/srv/git/meadow on another machine; this folder is file:/srv/git/meadow. Nothing was read or made.',
    );
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal((await fixture.readConfig(clone)).project.id, undefined);
    await assertSame(await engine.resolve({ directory: clone }), before, clone, []);
  });

  describe('of a project that codebase-mcp registered', () => {
    const id = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
    const databaseName = 'cb_proj_granary_0a1b2c3d';
    before(async () => {
      await engine.listProjects({});
      await fixture.sql(`create database ${databaseName}`, [], 'postgres');
      await fixture.sql('create table harvest (tons int)', [], databaseName);
      await fixture.sql(
        `insert into projects (id, name, description, database_name, metadata) values ($1, 'granary', 'grain', $2, '{"team": "north"}')`,
        [id, databaseName],
      );
      fixture.spy.take();
    });

    it('H3: is that project; its folder is recorded, its database marked, its data and metadata are kept', async () => {
      const folder = await fixture.folder();
      await named(folder, 'granary');
      const answer = await engine.resolve({ directory: folder });
      const [claimed, marked] = answer.warnings;
      assert.ok(claimed?.message.startsWith(`Project "granary" had no folder and now belongs to ${folder};`));
      assert.match(marked?.message ?? '', /no marker.*"granary"/);
      await assertSame(answer, { ...resolved(answer), id, databaseName }, folder, ['FIRST_CLAIM', 'MARKER_RESTORED']);
      assert.equal(resolved(answer).description, 'grain');
      assert.equal(resolved(answer).metadata['team'], 'north');
      assert.equal(await recordedFolder(id), folder);
      assert.deepEqual(await fixture.sql('select * from harvest', [], databaseName), []);
      assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
    });

    it('H3: is nobody else’s once a folder has claimed it', async () => {
      const other = await fixture.folder();
      await named(other, 'granary');
      const error = refused(await engine.resolve({ directory: other }), 'PROJECT_CONFLICT');
      assert.match(error.message, /^"granary" belongs to a folder on this machine; this folder has no origin\./);
      assert.equal(error.details?.['folder'], other);
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal((await fixture.readConfig(other)).project.id, undefined);
    });

    it('H3: goes to one of two folders that claim it at the same time', async () => {
      await fixture.sql(`create database cb_proj_hopper_0a1b2c3e`, [], 'postgres');
      await fixture.sql(
        `insert into projects (name, database_name, metadata) values ('hopper', 'cb_proj_hopper_0a1b2c3e', null)`,
      );
      const folders = [await fixture.folder(), await fixture.folder()];
      for (const folder of folders) await named(folder, 'hopper');
      const second = await fixture.engine(atOnce);
      const [one, other] = folders;
      const answers = await Promise.all([
        engine.resolve({ directory: one ?? '' }),
        second.resolve({ directory: other ?? '' }),
      ]);
      assert.deepEqual(answers.map(({ outcome }) => outcome).sort(), ['refused', 'resolved']);
      const loser = answers.find(({ outcome }) => outcome === 'refused');
      assert.equal(loser?.error?.code, 'PROJECT_CONFLICT');
      assert.deepEqual(creations(fixture.spy.take()), []);
    });
  });

  async function recordedFolder(id: string): Promise<string | undefined> {
    const [row] = await fixture.sql<{ path: string }>(
      `select metadata #>> '{registrar,folder,path}' as path from projects where id = $1`,
      [id],
    );
    return row?.path;
  }
});
