import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { checkName, databaseNameFor } from '../../daemon/protocol/names.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, changes, creations, refused, resolved, thrown } from '../support/resolutionAssertions.ts';

describe('names of projects and their databases', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
    resolved(await (await fixture.engine()).createProject({ name: 'bystander' }));
  });
  afterEach(() => {
    fixture.spy.rewrite = null;
  });
  after(() => fixture.close());

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(project: object): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  }

  for (const [title, name] of [
    ['@scope/my.app', '@scope/my.app'],
    ['日本語', '日本語'],
    ['an empty name', ''],
    ['default', 'default'],
    ['300 letters', 'a'.repeat(300)],
  ] as const) {
    it(`C6: ${title} is refused before anything is made, with a valid name proposed`, async () => {
      const engine = await fixture.engine();
      const folder = await workspace({ name });
      const config = await readFile(`${folder}/.codebase-mcp/config.json`, 'utf8');
      const before = await fixture.databases();
      fixture.spy.take();

      const answer = await engine.resolve({ directory: folder });
      const error = refused(answer, 'NAME_INVALID');
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
      const proposal = String(error.details?.['proposal']);
      assert.ok(checkName(proposal).ok, proposal);
      assert.ok(error.hint.includes(proposal), error.hint);
      const command = await thrown(engine.createProject({ name }), 'NAME_INVALID');
      assert.match(command.message, /Nothing was made/);
      assert.ok(command.hint.includes(proposal), command.hint);

      assert.deepEqual(fixture.spy.take(), []);
      assert.deepEqual(await fixture.databases(), before);
      assert.equal(await readFile(`${folder}/.codebase-mcp/config.json`, 'utf8'), config);
    });
  }

  it('C7: two names whose slug and first eight digits collide get two databases', async () => {
    const engine = await fixture.engine();
    const first = await workspace({ name: 'my shop', id: 'aaaabbbb-1111-4111-8111-111111111111' });
    const second = await workspace({ name: 'my-shop', id: 'aaaabbbb-2222-4222-8222-222222222222' });
    const one = resolved(await engine.resolve({ directory: first }));
    fixture.spy.take();
    const other = resolved(await engine.resolve({ directory: second }));
    assert.equal(one.databaseName, 'cb_proj_my_shop_aaaabbbb');
    assert.equal(other.databaseName, 'cb_proj_my_shop_22224222');
    assert.deepEqual(creations(fixture.spy.take()), ['create database "cb_proj_my_shop_22224222"']);
    await assertAgreement(fixture, one, first);
    await assertAgreement(fixture, other, second);
  });

  it('C7: two overrides that share their first 63 bytes are refused, and so is anything that is not a whole name', async () => {
    const engine = await fixture.engine();
    const long = `cb_proj_${'x'.repeat(55)}`;
    const overrides = [
      `${long}_11111111`,
      `${long}_22222222`,
      'postgres',
      'cb_proj_a_1234567',
      'cb_proj_a_12345678"; --',
      '',
    ];
    fixture.spy.take();
    for (const databaseName of overrides) {
      const folder = await workspace({ name: 'overridden', database_name: databaseName });
      const answer = await engine.resolve({ directory: folder });
      const { message, hint } = refused(answer, 'DATABASE_NAME_INVALID');
      assert.match(message, /63|cb_proj_/, databaseName);
      assert.notEqual(hint, '');
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    }
    assert.deepEqual(fixture.spy.take(), []);
    assert.equal(await fixture.row('overridden'), undefined);
  });

  it('C11: an override names the new database, and a restart finds it', async () => {
    const before = await fixture.engine();
    const folder = await workspace({ name: 'chosen', database_name: 'cb_proj_my_choice_00000001' });
    fixture.spy.take();
    const answer = await before.resolve({ directory: folder });
    const project = resolved(answer);
    assert.equal(answer.created, true);
    assert.equal(project.databaseName, 'cb_proj_my_choice_00000001');
    assert.deepEqual(creations(fixture.spy.take()), ['create database "cb_proj_my_choice_00000001"']);
    await assertAgreement(fixture, project, folder);
    await before.close();

    const after = await fixture.engine();
    fixture.spy.take();
    const again = await after.resolve({ directory: folder });
    assert.deepEqual(path(again), found);
    assert.equal(resolved(again).id, project.id);
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('C11: an override is applied live to the database that carries the marker, and stays after a restart', async () => {
    const before = await fixture.engine();
    const folder = await workspace({ name: 'repointed' });
    const project = resolved(await before.resolve({ directory: folder }));
    const renamed = 'cb_proj_repointed_0000000a';
    await fixture.sql(`alter database "${project.databaseName}" rename to "${renamed}"`, [], 'postgres');
    const missing = refused(await before.resolve({ directory: folder }), 'DATABASE_MISSING');
    assert.ok(missing.message.includes(renamed), missing.message);
    assert.ok(missing.hint.includes(renamed), missing.hint);

    await fixture.config(folder, {
      version: '1.0',
      project: { name: 'repointed', id: project.id, database_name: renamed },
    });
    fixture.spy.take();
    const live = await before.resolve({ directory: folder });
    assert.deepEqual(resolved(live), {
      ...project,
      databaseName: renamed,
      updatedAt: resolved(live).updatedAt,
      metadata: resolved(live).metadata,
    });
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, { ...project, databaseName: renamed }, folder);
    await before.close();

    const after = await fixture.engine();
    for (const params of [{ directory: folder }, { project: project.id }, { project: 'repointed' }]) {
      assert.equal(resolved(await after.resolve(params)).databaseName, renamed);
    }
  });

  it('C11: an override that names another project’s database is DATABASE_FOREIGN, for a new project and an old one', async () => {
    const engine = await fixture.engine();
    const victim = resolved(await engine.createProject({ name: 'victim' }));
    const markerBefore = await fixture.marker(victim.databaseName);
    const thief = await workspace({ name: 'thief' });
    const { id } = resolved(await engine.resolve({ directory: thief }));
    fixture.spy.take();
    for (const project of [
      { name: 'newcomer', database_name: victim.databaseName },
      { name: 'thief', id, database_name: victim.databaseName },
    ]) {
      const folder = project.id === undefined ? await workspace(project) : thief;
      await fixture.config(folder, { version: '1.0', project });
      const answer = await engine.resolve({ directory: folder });
      const { message, hint } = refused(answer, 'DATABASE_FOREIGN');
      assert.match(message, /is not project ".*"'s: .*It was not touched/);
      assert.match(hint, /project\.database_name/);
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    }
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.equal(await fixture.row('newcomer'), undefined);
    assert.notEqual((await fixture.row('thief'))?.['database_name'], victim.databaseName);
    assert.deepEqual(await fixture.marker(victim.databaseName), markerBefore);
    await assertAgreement(fixture, victim, null);
  });

  it('C11: an override cannot take an existing project to a database that is unmarked or not there', async () => {
    const engine = await fixture.engine();
    const folder = await workspace({ name: 'stays' });
    const project = resolved(await engine.resolve({ directory: folder }));
    await fixture.sql('create database cb_proj_unmarked_00000002', [], 'postgres');
    fixture.spy.take();
    for (const [override, code, text] of [
      ['cb_proj_unmarked_00000002', 'DATABASE_FOREIGN', /carries no marker/],
      ['cb_proj_nowhere_00000003', 'DATABASE_MISSING', /cb_proj_nowhere_00000003, which does not exist/],
    ] as const) {
      await fixture.config(folder, {
        version: '1.0',
        project: { name: 'stays', id: project.id, database_name: override },
      });
      assert.match(refused(await engine.resolve({ directory: folder }), code).message, text);
    }
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal(await fixture.marker('cb_proj_unmarked_00000002'), null);
    await assertAgreement(fixture, project, null);
  });

  it('C12: an unmarked database without user relations becomes the project’s', async () => {
    const engine = await fixture.engine();
    const id = '12121212-1111-4111-8111-111111111111';
    const databaseName = databaseNameFor('left over', id);
    await fixture.sql(`create database "${databaseName}"`, [], 'postgres');
    const folder = await workspace({ name: 'left over', id });
    fixture.spy.take();
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).databaseName, databaseName);
    assert.deepEqual(path(answer), found);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, { id, name: 'left over', databaseName }, folder);
  });

  for (const [title, statements] of [
    ['a table', ['create table notes (text text)']],
    ['a view in a schema of its own', ['create schema theirs', 'create view theirs.v as select 1 as one']],
  ] as const) {
    it(`C12: an unmarked database with ${title} is somebody’s: DATABASE_FOREIGN, and adopting it is offered`, async () => {
      const engine = await fixture.engine();
      const id = `12121212-2222-4222-8222-${String(title.length).padStart(12, '0')}`;
      const name = `occupied ${String(title.length)}`;
      const databaseName = databaseNameFor(name, id);
      await fixture.sql(`create database "${databaseName}"`, [], 'postgres');
      for (const sql of statements) await fixture.sql(sql, [], databaseName);
      const folder = await workspace({ name, id });
      fixture.spy.take();
      const answer = await engine.resolve({ directory: folder });
      const { message, hint, details } = refused(answer, 'DATABASE_FOREIGN');
      assert.match(message, /holds somebody's tables.*It was not touched/);
      assert.ok(hint.includes(`registrar projects adopt ${databaseName}`), hint);
      assert.deepEqual(details?.['choices'], ['adopt']);
      assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
      assert.deepEqual(creations(fixture.spy.take()), []);
      assert.equal(await fixture.marker(databaseName), null);

      const adopted = resolved(await engine.adoptDatabase({ database: databaseName }));
      assert.deepEqual([adopted.id, adopted.databaseName], [id, databaseName]);
      const again = await engine.resolve({ directory: folder });
      assert.deepEqual(path(again), found);
      await assertAgreement(fixture, { id, name, databaseName }, folder);
    });
  }

  it('C12: a database that another daemon furnishes and marks between two looks is the project’s own', async () => {
    const engine = await fixture.engine();
    const id = '12121212-4444-4444-8444-444444444444';
    const databaseName = databaseNameFor('overtaken', id);
    const marker = {
      registry: fixture.registry,
      project_id: id,
      name: 'overtaken',
      created_at: '2026-01-01T00:00:00Z',
    };
    await fixture.sql(`create database "${databaseName}"`, [], 'postgres');
    // What the other daemon commits at once; asking for relations is answered with how it is afterwards.
    await fixture.sql(
      `create function overtake() returns boolean language plpgsql as $$ begin
         create table public.notes (text text);
         comment on database ${databaseName} is '${JSON.stringify({ registrar: marker })}';
         return true;
       end $$`,
      [],
      databaseName,
    );
    let asked = 0;
    fixture.spy.rewrite = (sql) => {
      // Whoever only asks may not write, and the other daemon's changes come in the asking one's place.
      if (sql.startsWith('begin ')) return sql.replace('read only', 'read write');
      if (!sql.includes('pg_class c join pg_namespace')) return null;
      asked += 1;
      return 'select public.overtake() as relations';
    };
    const folder = await workspace({ name: 'overtaken', id });
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).databaseName, databaseName);
    assert.deepEqual(path(answer), found);
    assert.equal(asked, 1);
    await assertAgreement(fixture, { id, name: 'overtaken', databaseName }, folder);
  });

  it('C12: a database with the marker of another registry is left alone, and the project gets the next name', async () => {
    const engine = await fixture.engine();
    const id = '12121212-3333-4333-8333-333333333333';
    const taken = databaseNameFor('neighbour', id);
    const comment = JSON.stringify({
      registrar: {
        registry: 'another_registry',
        project_id: id,
        name: 'neighbour',
        created_at: '2026-01-01T00:00:00Z',
      },
    });
    await fixture.sql(`create database "${taken}"`, [], 'postgres');
    try {
      await fixture.sql(`comment on database "${taken}" is '${comment}'`, [], 'postgres');
      const folder = await workspace({ name: 'neighbour', id });
      fixture.spy.take();
      const answer = await engine.resolve({ directory: folder });
      assert.equal(resolved(answer).databaseName, databaseNameFor('neighbour', id, 1));
      assert.deepEqual(creations(fixture.spy.take()), [`create database "${databaseNameFor('neighbour', id, 1)}"`]);
      assert.equal((await fixture.marker(taken))?.registry, 'another_registry');
      await assertAgreement(fixture, resolved(answer), folder);

      const chosen = await workspace({ name: 'insists', database_name: taken });
      const { message } = refused(await engine.resolve({ directory: chosen }), 'DATABASE_FOREIGN');
      assert.match(message, /of registry another_registry/);
      assert.deepEqual(creations(fixture.spy.take()), []);
      assert.equal((await fixture.marker(taken))?.registry, 'another_registry');
    } finally {
      // The fixture removes only what is its own registry's.
      await fixture.sql(`drop database "${taken}" with (force)`, [], 'postgres');
    }
  });
});
