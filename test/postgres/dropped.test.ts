import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { changes, refused, resolved } from '../support/resolutionAssertions.ts';

describe('a project that somebody dropped', function () {
  this.timeout(60_000);
  const origin = 'https://example.org/acme/shop.git';
  let fixture: RegistryFixture;
  let ann: Engine;
  let bob: Engine;
  before(async () => {
    fixture = await registryFixture();
    ann = await fixture.engine({ host: 'tower' });
    bob = await fixture.engine({ host: 'laptop' });
  });
  after(() => fixture.close());

  const events = async (name: string): Promise<string[]> => {
    const rows = await fixture.sql<{ operation: string }>(
      'select operation from registrar_events where name = $1 order by id',
      [name],
    );
    return rows.map(({ operation }) => operation);
  };
  const clone = async (name: string, project: object = { name }, from = origin): Promise<string> => {
    const folder = await fixture.folder();
    await fixture.origin(folder, from);
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  };
  const dropped = async (name: string): Promise<{ project: Project; folder: string }> => {
    const folder = await clone(name);
    const project = resolved(await ann.resolve({ directory: folder }));
    await ann.dropProject({ project: project.id, confirm: project.databaseName });
    fixture.spy.take();
    return { project, folder };
  };
  const says = (name: string): RegExp =>
    new RegExp(
      `^\\S+ dropped ${name} \\(\\d+ [kM]B, 0 tables\\) on \\d+ \\w{3}, \\d\\d:\\d\\d, from tower\\. Nothing was made\\.$`,
    );

  it('X7: is dropped for everybody with its evidence: resolve, dry run and agent say who and when, and make nothing', async () => {
    const { project, folder } = await dropped('shop');
    const byName = await clone('shop');
    const byId = await fixture.folder();
    await fixture.config(byId, { version: '1.0', project: { name: 'other name', id: project.id } });
    for (const [engine, directory] of [
      [ann, folder],
      [bob, byName],
      [bob, byId],
    ] as const) {
      for (const dryRun of [false, true]) {
        const error = refused(await engine.resolve({ directory, dryRun }), 'PROJECT_DROPPED');
        assert.match(error.message, says('shop'));
        assert.match(error.hint, /^registrar projects create .* --directory \. \(a new, empty one\), or registrar use/);
        assert.equal(error.details?.['host'], 'tower');
      }
      refused(await engine.look(directory), 'PROJECT_DROPPED');
    }
    const agent = { folders: () => Promise.resolve([byName]) };
    const heard = refused(await bob.resolve({ directory: byName, agent }), 'PROJECT_DROPPED');
    assert.deepEqual(
      [heard.message, heard.hint],
      ['Dropped by a person. Nothing was read or made.', 'Make nothing; tell your user.'],
    );
    refused(await bob.createProject({ name: 'shop', directory: byName, agent }), 'PROJECT_DROPPED');
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal(await fixture.row('shop'), undefined);
    assert.deepEqual(await fixture.databases(), []);
    assert.deepEqual(await events('shop'), ['created', 'dropped']);
  });

  it('X7: leaves its name to another repository, and stays dropped for its own', async () => {
    await dropped('wiki');
    const other = await clone('wiki', { name: 'wiki' }, 'https://example.org/globex/wiki.git');
    const theirs = resolved(await bob.resolve({ directory: other }));
    await bob.dropProject({ project: theirs.id, confirm: theirs.databaseName });
    refused(await bob.resolve({ directory: other }), 'PROJECT_DROPPED');
    refused(await ann.resolve({ directory: await clone('wiki') }), 'PROJECT_DROPPED');
  });

  it('X7: is made anew once a person says so, which ends it for everybody', async () => {
    const { folder } = await dropped('blog');
    const colleague = await clone('blog');
    refused(await bob.resolve({ directory: colleague }), 'PROJECT_DROPPED');
    const anew = await ann.createProject({ name: 'blog', directory: folder });
    assert.equal(anew.created, true, JSON.stringify(anew.error));
    assert.equal(resolved(await bob.resolve({ directory: colleague })).id, resolved(anew).id);
    assert.deepEqual(await events('blog'), ['created', 'dropped', 'created']);
  });

  it('X7: an entry that still waits for the registry is not delivered, and its resolve says so', async () => {
    const folder = await clone('queue');
    const waiting = await fixture.engine({ host: 'laptop' });
    await fixture.sql(`create function refuse() returns trigger language plpgsql as $$ begin
      raise exception using errcode = '53100', message = 'No space left'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    const made = await waiting.resolve({ directory: folder });
    const project = resolved(made);
    assert.equal(made.sync?.state, 'pending', JSON.stringify(made.sync));
    await fixture.sql('drop trigger refuse on projects');
    // Another daemon had delivered the same project meanwhile, and ann dropped it.
    await fixture.release(project.databaseName);
    await fixture.sql(`drop database ${project.databaseName} with (force)`, [], 'postgres');
    await fixture.sql(
      `insert into registrar_events (host, operation, project_id, name, database_name, details)
       values ('tower', 'dropped', $1, 'queue', $2, '{"by": "ann@tower"}')`,
      [project.id, project.databaseName],
    );
    const said = refused(await waiting.resolve({ directory: folder }), 'PROJECT_DROPPED');
    assert.match(said.message, /^ann dropped queue on .*, from tower\./);
    const status = await waiting.syncNow();
    assert.deepEqual(status.pending, []);
    assert.deepEqual(
      status.parked.map(({ error }) => error.code),
      ['PROJECT_DROPPED'],
    );
    assert.equal(await fixture.row('queue'), undefined);
    refused(await waiting.resolve({ directory: folder }), 'PROJECT_DROPPED');
    assert.ok(!(await fixture.databases()).includes(project.databaseName));
  });

  it('X7: stays dropped when the registry’s table is lost and made again from the markers', async () => {
    const { folder } = await dropped('atlas');
    await fixture.sql('drop table projects');
    refused(await bob.resolve({ directory: folder }), 'PROJECT_DROPPED');
  });

  it('X7: is dropped also where its folder has no origin, and where its database was made again before', async () => {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'pond' } });
    const project = resolved(await ann.resolve({ directory: folder }));
    await fixture.release(project.databaseName);
    await fixture.sql(`drop database ${project.databaseName} with (force)`, [], 'postgres');
    await ann.remakeProject({ project: project.id, confirm: project.databaseName });
    await ann.dropProject({ project: project.id, confirm: project.databaseName });
    refused(await ann.resolve({ directory: folder, dryRun: true }), 'PROJECT_DROPPED');
    assert.deepEqual(await events('pond'), ['created', 'dropped']);
  });

  it('X7: is dropped also for a daemon that looked before there was a registry', async () => {
    const fresh = await registryFixture();
    try {
      const engine = await fresh.engine({ host: 'tower' });
      const folder = await fresh.folder();
      await fresh.config(folder, { version: '1.0', project: { name: 'early' } });
      assert.equal((await engine.look(folder)).outcome, 'unresolved');
      const project = resolved(await engine.resolve({ directory: folder }));
      await engine.dropProject({ project: project.id, confirm: project.databaseName });
      refused(await engine.look(folder), 'PROJECT_DROPPED');
    } finally {
      await fresh.close();
    }
  });

  it('asks for no event where the project is there', async () => {
    const folder = await clone('warm');
    await ann.resolve({ directory: folder });
    fixture.spy.take();
    await ann.resolve({ directory: folder });
    await bob.resolve({ directory: folder });
    assert.deepEqual(
      fixture.spy.take().filter((sql) => sql.includes('from public.registrar_events')),
      [],
    );
  });
});

describe('the registry’s events', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  it('say who made, renamed, forgot, adopted and dropped a project', async () => {
    const engine = await fixture.engine({ host: 'tower' });
    const { id, databaseName } = resolved(await engine.createProject({ name: 'shop' }));
    await engine.updateProject({ project: id, name: 'store' });
    await engine.forgetProject({ project: id });
    await engine.adoptDatabase({ database: databaseName });
    await engine.dropProject({ project: id, confirm: databaseName });
    const rows = await fixture.sql(
      'select operation, name, host, actor = session_user as is_actor from registrar_events order by id',
    );
    assert.deepEqual(
      rows.map((row) => [row['operation'], row['name'], row['host'], row['is_actor']]),
      [
        ['created', 'shop', 'tower', true],
        ['renamed', 'store', 'tower', true],
        ['forgotten', 'store', 'tower', true],
        ['adopted', 'store', 'tower', true],
        ['dropped', 'store', 'tower', true],
      ],
    );
  });

  it('are only added to by members, who cannot say that they are somebody else', async () => {
    const owner = await fixture.role();
    const member = await fixture.role();
    await fixture.sql(`alter table projects owner to ${owner.name}`);
    await fixture.sql(`alter table registrar_migrations owner to ${owner.name}`);
    await fixture.sql(`grant create on schema public to ${owner.name}`);
    await fixture.sql(`grant select, insert, update, delete on projects to ${member.name}`);
    await fixture.sql('drop table registrar_events');
    const first = await fixture.engine({ role: owner });
    resolved(await first.createProject({ name: 'first' }));
    const engine = await fixture.engine({ role: member });
    resolved(await engine.createProject({ name: 'second' }));
    const rows = await fixture.sql(`select actor from registrar_events where name = 'second'`);
    assert.deepEqual(rows, [{ actor: member.name }]);
    for (const sql of [
      `insert into registrar_events (actor, operation) values ('ann', 'dropped')`,
      `update registrar_events set name = 'x'`,
      'delete from registrar_events',
    ]) {
      await fixture.sql(`set role ${member.name}`);
      await assert.rejects(fixture.sql(sql), /permission denied/);
      await fixture.sql('reset role');
    }
  });

  it('are not missed where they cannot be kept, and it is said once', async () => {
    const bare = await registryFixture();
    try {
      await (await bare.engine()).listProjects({});
      const member = await bare.role();
      await bare.sql(`grant select, insert, update, delete on projects to ${member.name}`);
      const warned: string[] = [];
      const engine = await bare.engine({
        role: member,
        log: { info: () => undefined, warn: (_fields, message) => warned.push(message) },
      });
      await bare.sql('drop table if exists registrar_events');
      const folder = await bare.folder();
      await bare.config(folder, { version: '1.0', project: { name: 'plain' } });
      const { id, databaseName } = resolved(await engine.resolve({ directory: folder }));
      await engine.dropProject({ project: id, confirm: databaseName });
      assert.equal((await engine.resolve({ directory: folder })).created, true);
      assert.deepEqual(warned, ['the registry records no events']);
    } finally {
      await bare.close();
    }
  });
});
