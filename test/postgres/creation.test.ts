import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, changes, creations, refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { testServer } from '../support/testServer.ts';

describe('creating a project from a config file', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  afterEach(() => {
    fixture.spy.rewrite = null;
  });
  after(() => fixture.close());

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(name: string, id?: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name, ...(id === undefined ? {} : { id }) } });
    return folder;
  }

  it('C1: makes row, database, marker and config id once, and finds them by directory, id and name', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('shop');

    fixture.spy.take();
    const steps: string[] = [];
    const first = await engine.resolve({ directory: folder }, (step) => steps.push(step));
    const project = resolved(first);
    assert.deepEqual(steps, [
      'registering project "shop"',
      `creating database ${project.databaseName}`,
      `marking database ${project.databaseName} as the project's`,
    ]);
    assert.deepEqual(path(first), found);
    assert.equal(first.created, true);
    assert.deepEqual(first.sync, { state: 'synced' });
    assert.deepEqual(first.warnings, []);
    assert.match(project.databaseName, /^cb_proj_shop_[0-9a-f]{8}$/);
    const made = creations(fixture.spy.take()).filter((sql) => sql.includes('cb_proj_'));
    assert.deepEqual(made, [`create database "${project.databaseName}"`]);
    await assertAgreement(fixture, project, folder);

    fixture.spy.take();
    for (const params of [{ directory: folder }, { project: project.id }, { project: 'shop' }]) {
      const again = await engine.resolve(params, () => assert.fail('nothing is left to do'));
      assert.equal(resolved(again).id, project.id);
      assert.equal(again.created, false);
      assert.deepEqual(again.warnings, []);
    }
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C1: answers a warm resolution in one round trip, by directory, by id and by name', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('warm');
    const { id } = resolved(await engine.resolve({ directory: folder }));
    for (const params of [{ directory: folder }, { project: id }, { project: 'warm' }]) {
      fixture.spy.takeRoundTrips();
      resolved(await engine.resolve(params));
      assert.equal(fixture.spy.takeRoundTrips(), 1, JSON.stringify(params));
    }
  });

  it('C1: a dry run says what it would do and does nothing of it', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('planned');
    const config = await readFile(`${folder}/.codebase-mcp/config.json`, 'utf8');
    const before = await fixture.databases();
    fixture.spy.take();

    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.equal(dry.outcome, 'unresolved', JSON.stringify(dry.error));
    assert.equal(dry.error, null);
    assert.equal(dry.created, false);
    assert.deepEqual(dry.wouldDo, [
      'register project "planned"',
      'create database cb_proj_planned_…',
      "write the project's id into the config",
    ]);
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.deepEqual(await fixture.databases(), before);
    assert.equal(await fixture.row('planned'), undefined);
    assert.equal(await readFile(`${folder}/.codebase-mcp/config.json`, 'utf8'), config);

    resolved(await engine.resolve({ directory: folder }));
    fixture.spy.take();
    const known = await engine.resolve({ directory: folder, dryRun: true });
    assert.equal(resolved(known).name, 'planned');
    assert.deepEqual(known.wouldDo, []);
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C1: a project made by its name alone needs no folder, and the same name is not given twice', async () => {
    const engine = await fixture.engine();
    const made = await engine.createProject({ name: 'nameless', description: 'made without a folder' });
    const project = resolved(made);
    assert.equal(made.created, true);
    assert.equal(project.description, 'made without a folder');
    await assertAgreement(fixture, project, null);
    fixture.spy.take();
    const taken = await thrown(engine.createProject({ name: 'nameless' }), 'PROJECT_CONFLICT');
    assert.match(taken.message, new RegExp(`taken by project ${project.id}`));
    assert.match(taken.hint, /registrar use .*another name/);
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C2: a restart with an empty memory is a registry hit, with the id and without it', async () => {
    const folder = await workspace('kept');
    const before = await fixture.engine();
    const project = resolved(await before.resolve({ directory: folder }));
    await before.close();

    for (const withId of [true, false]) {
      if (!withId) await fixture.config(folder, { version: '1.0', project: { name: 'kept' } });
      const engine = await fixture.engine();
      fixture.spy.take();
      const again = await engine.resolve({ directory: folder });
      assert.equal(resolved(again).id, project.id);
      assert.equal(again.stale, false);
      assert.equal(again.created, false);
      assert.deepEqual(again.sync, { state: 'synced' });
      assert.deepEqual(path(again), found);
      const statements = fixture.spy.take();
      assert.ok(statements.some((sql) => /from public\.projects p\s+left join pg_catalog\.pg_database/.test(sql)));
      assert.deepEqual(changes(statements), []);
      await engine.close();
    }
    await assertAgreement(fixture, project, folder);
  });

  it('C3: 32 first resolves at once in one daemon make one project', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('crowd');
    const before = await fixture.databases();
    const answers = await Promise.all(Array.from({ length: 32 }, () => engine.resolve({ directory: folder })));
    const projects = answers.map(resolved);
    assert.equal(new Set(projects.map(({ id }) => id)).size, 1);
    for (const answer of answers) assert.deepEqual(path(answer), found);
    assert.deepEqual(
      answers.flatMap(({ warnings }) => warnings),
      [],
    );
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.equal((await fixture.databases()).length, before.length + 1);
    const [project] = projects;
    assert.ok(project);
    await assertAgreement(fixture, project, folder);
  });

  it('C3: four daemons that each resolve the same new folder four times make one project', async () => {
    const engines = await Promise.all(Array.from({ length: 4 }, () => fixture.engine()));
    const folder = await workspace('daemons');
    const before = await fixture.databases();
    const answers = await Promise.all(
      engines.flatMap((engine) => Array.from({ length: 4 }, () => engine.resolve({ directory: folder }))),
    );
    const projects = answers.map(resolved);
    assert.equal(new Set(projects.map(({ id }) => id)).size, 1);
    assert.deepEqual(
      answers.flatMap(({ warnings }) => warnings),
      [],
    );
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.equal((await fixture.databases()).length, before.length + 1);
    const [project] = projects;
    assert.ok(project);
    await assertAgreement(fixture, project, folder);
  });

  it('C4: one id that six clones bring at once, each on a daemon of its own, becomes one project', async () => {
    const id = '6d5c4b3a-2f1e-4d0c-9b8a-796857463524';
    const engines = await Promise.all(Array.from({ length: 6 }, () => fixture.engine()));
    const folders = await Promise.all(engines.map(() => workspace('six', id)));
    for (const folder of folders) await fixture.origin(folder, 'git@example.com:acme/six.git');
    const before = await fixture.databases();
    const answers = await Promise.all(
      engines.map((engine, index) => engine.resolve({ directory: folders[index] ?? '' })),
    );
    for (const answer of answers) {
      assert.equal(resolved(answer).id, id);
      assert.deepEqual(path(answer), found);
      assert.deepEqual(answer.warnings, []);
    }
    assert.equal((await fixture.databases()).length, before.length + 1);
    await assertAgreement(fixture, { id, name: 'six', databaseName: 'cb_proj_six_6d5c4b3a' }, folders[0] ?? '');
  });

  for (const [state, text] of [
    ['42P04', 'database already exists'],
    ['23505', 'duplicate key value violates unique constraint "pg_database_datname_index"'],
  ] as const) {
    it(`C4: a CREATE DATABASE that ends with ${state} is followed by looking again`, async () => {
      const engine = await fixture.engine();
      const folder = await workspace(`lost ${state}`);
      resolved(await engine.resolve({ directory: await workspace(`before ${state}`) }));
      let refusals = 0;
      fixture.spy.rewrite = (sql) => {
        if (refusals > 0 || creations([sql]).length === 0) return null;
        refusals += 1;
        return raising(state, text);
      };
      fixture.spy.take();
      const answer = await engine.resolve({ directory: folder });
      const project = resolved(answer);
      assert.equal(answer.created, true);
      assert.equal(creations(fixture.spy.take()).length, 2);
      await assertAgreement(fixture, project, folder);
    });
  }

  it('C8: a CREATE DATABASE that says yes and makes nothing is PROVISION_FAILED, and the next resolve completes it', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('promised');
    const before = await fixture.databases();
    fixture.spy.rewrite = (sql) => (creations([sql]).length > 0 ? 'select 1' : null);
    fixture.spy.take();
    const answer = await engine.resolve({ directory: folder });
    const { message, hint } = refused(answer, 'PROVISION_FAILED');
    assert.match(message, /said that it created cb_proj_promised_\w+, but the database is not there/);
    assert.match(hint, /server’s log.*resolve again/);
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    assert.equal(creations(fixture.spy.take()).length, 1);
    assert.deepEqual(await fixture.databases(), before);
    assert.equal(stateOf(await fixture.row('promised')), 'provisioning');
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);

    fixture.spy.rewrite = null;
    const project = resolved(await engine.resolve({ directory: folder }));
    assert.equal(creations(fixture.spy.take()).length, 1);
    assert.equal(stateOf(await fixture.row('promised')), 'ready');
    await assertAgreement(fixture, project, folder);
  });

  it('C8: template1 in use: the database is made from template0', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('busy');
    resolved(await engine.resolve({ directory: await workspace('busy before') }));
    const url = new URL((await testServer()).url);
    url.pathname = '/template1';
    const visitor = new pg.Client({ connectionString: url.href });
    await visitor.connect();
    try {
      fixture.spy.take();
      const project = resolved(await engine.resolve({ directory: folder }));
      assert.deepEqual(creations(fixture.spy.take()), [
        `create database "${project.databaseName}"`,
        `create database "${project.databaseName}" template template0`,
      ]);
      await assertAgreement(fixture, project, folder);
    } finally {
      await visitor.end();
    }
  });

  it('C8: template1 with a collation of another system: the database is made from template0', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('moved server');
    fixture.spy.rewrite = (sql) =>
      creations([sql]).length > 0 && !sql.includes('template0')
        ? raising('XX000', 'template database "template1" has a collation version mismatch')
        : null;
    fixture.spy.take();
    const project = resolved(await engine.resolve({ directory: folder }));
    assert.deepEqual(
      creations(fixture.spy.take()).map((sql) => sql.endsWith('template template0')),
      [false, true],
    );
    await assertAgreement(fixture, project, folder);
  });

  it('C8: a full disk under CREATE DATABASE is DISK_FULL with its reason, and leaves nothing usable behind', async () => {
    const engine = await fixture.engine();
    const folder = await workspace('full');
    fixture.spy.rewrite = (sql) =>
      creations([sql]).length > 0 ? raising('53100', 'could not extend file: No space left on device') : null;
    const { message, hint } = refused(await engine.resolve({ directory: folder }), 'DISK_FULL');
    assert.match(message, /cb_proj_full_\w+ could not be created: the server says "could not extend file.*53100/);
    assert.match(hint, /Free disk space/);
    assert.equal(stateOf(await fixture.row('full')), 'provisioning');
  });
});

/** A statement that the server refuses in place of the one that was sent. */
function raising(state: string, text: string): string {
  return `do $do$ begin raise exception using errcode = '${state}', message = '${text}'; end $do$`;
}

function stateOf(row: Record<string, unknown> | undefined): unknown {
  return (row?.['metadata'] as { registrar?: { state?: unknown } } | undefined)?.registrar?.state;
}
