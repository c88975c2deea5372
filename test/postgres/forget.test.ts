import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { path, registryFixture, type RegistryFixture, type Role } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  thrown,
  warningCodes,
} from '../support/resolutionAssertions.ts';

describe('a forgotten project', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
  });
  after(() => fixture.close());

  async function named(folder: string, name: string, id?: string): Promise<void> {
    await fixture.config(folder, { version: '1.0', project: { name, ...(id === undefined ? {} : { id }) } });
  }

  /** A project with a table in its database. */
  async function project(folder: string, name: string): Promise<Project> {
    await named(folder, name);
    const made = resolved(await engine.resolve({ directory: folder }));
    await fixture.sql('create table keepsake (what text)', [], made.databaseName);
    fixture.spy.take();
    return made;
  }

  /** Refused in the folder, and nothing on the server changes for it. */
  async function assertStaysForgotten(one: Engine, folder: string, forgotten: Project): Promise<void> {
    fixture.spy.take();
    const answer = await one.resolve({ directory: folder });
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    const error = refused(answer, 'PROJECT_FORGOTTEN');
    assert.match(
      error.message,
      new RegExp(`"${forgotten.name}" was forgotten.*${forgotten.databaseName} is untouched`),
    );
    assert.match(error.hint, new RegExp(`registrar projects adopt ${forgotten.databaseName}`));
    assert.deepEqual(
      changes(fixture.spy.take()).filter((sql) => !/registrar_migrations|registrar_events|projects/.test(sql)),
      [],
    );
    await assertGone(forgotten);
  }

  async function assertGone({ id, name, databaseName }: Project): Promise<void> {
    assert.equal(await fixture.row(id), undefined);
    assert.equal(await fixture.row(name), undefined);
    const marker = await fixture.marker(databaseName);
    assert.equal(marker?.projectId, id);
    assert.notEqual(marker.forgottenAt, null);
    assert.deepEqual(await fixture.sql('select * from keepsake', [], databaseName), []);
  }

  it('H9: is gone by id, by name and from the listing; its database is untouched', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'drum');
    const forgotten = await engine.forgetProject({ project: 'drum' });
    assert.deepEqual([forgotten.project.id, forgotten.databaseName], [before.id, before.databaseName]);
    assert.deepEqual(
      fixture.spy.take().filter((sql) => /^drop/i.test(sql)),
      [],
    );
    await assertGone(before);
    for (const reference of [before.id, 'drum']) {
      const error = refused(await engine.resolve({ project: reference }), 'PROJECT_NOT_FOUND');
      assert.doesNotMatch(JSON.stringify(error), /cb_proj_/);
      await thrown(engine.showProject({ project: reference }), 'PROJECT_NOT_FOUND');
      await thrown(engine.forgetProject({ project: reference }), 'PROJECT_NOT_FOUND');
    }
    assert.deepEqual((await engine.listProjects({ query: 'drum' })).projects, []);
    await assertStaysForgotten(engine, folder, before);
    // The config file is the user's.
    assert.equal((await fixture.readConfig(folder)).project.id, before.id);
  });

  it('H9: is not brought back by its name alone, from the folder or by a command', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'fife');
    await engine.forgetProject({ project: before.id });
    await named(folder, 'fife');
    await assertStaysForgotten(engine, folder, before);
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);
    const elsewhere = await fixture.folder();
    await named(elsewhere, 'fife');
    await assertStaysForgotten(engine, elsewhere, before);
    const error = await thrown(engine.createProject({ name: 'fife' }), 'PROJECT_FORGOTTEN');
    assert.match(error.hint, /adopt.*another project\.name/);
    await assertGone(before);
  });

  it('H9: is not brought back by another daemon that remembers it', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'lute');
    const stateFolder = await fixture.stateFolder();
    const other = await fixture.engine({ stateFolder, host: 'elsewhere' });
    resolved(await other.resolve({ directory: folder }));
    resolved(await other.resolve({ project: 'lute' }));
    await engine.forgetProject({ project: 'lute' });
    await assertStaysForgotten(other, folder, before);
    refused(await other.resolve({ project: 'lute' }), 'PROJECT_NOT_FOUND');
    refused(await other.resolve({ project: before.id }), 'PROJECT_NOT_FOUND');
    await other.close();
    const restarted = await fixture.engine({ stateFolder, host: 'elsewhere' });
    await assertStaysForgotten(restarted, folder, before);
    refused(await restarted.resolve({ project: 'lute' }), 'PROJECT_NOT_FOUND');
  });

  it('H9: is not brought back by the outbox of a daemon that could not register it', async () => {
    const folder = await fixture.folder();
    await named(folder, 'harp');
    const role = await readOnlyRole();
    const waiting = await fixture.engine({ role });
    const answer = await waiting.resolve({ directory: folder });
    assert.equal(answer.sync?.state, 'pending');
    const before = resolved(answer);
    await fixture.sql('create table keepsake (what text)', [], before.databaseName);

    // Another daemon registers it by its config and forgets it before the entry can be delivered.
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, before.id);
    await engine.forgetProject({ project: before.id });
    await fixture.sql(`grant insert on projects to ${role.name}`);
    const { pending, parked, delivered } = await waiting.syncNow();
    assert.deepEqual([pending, parked, delivered], [[], [], 0]);
    await assertStaysForgotten(waiting, folder, before);
    refused(await waiting.resolve({ project: before.id }), 'PROJECT_NOT_FOUND');
  });

  it('H9: that was never registered leaves the outbox, also for the next start', async () => {
    const folder = await fixture.folder();
    await named(folder, 'viol');
    const role = await readOnlyRole();
    const stateFolder = await fixture.stateFolder();
    const waiting = await fixture.engine({ role, stateFolder });
    const before = resolved(await waiting.resolve({ directory: folder }));
    await fixture.sql('create table keepsake (what text)', [], before.databaseName);
    const forgotten = await waiting.forgetProject({ project: 'viol' });
    assert.equal(forgotten.project.sync.state, 'pending');
    await waiting.close();

    await fixture.sql(`grant insert on projects to ${role.name}`);
    const restarted = await fixture.engine({ role, stateFolder });
    const { pending, parked } = await restarted.syncNow();
    assert.deepEqual([pending, parked], [[], []]);
    await assertStaysForgotten(restarted, folder, before);
  });

  it('H9: is not brought back by rebuilding a lost table, which brings back the others', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'oboe');
    const kept = await project(await fixture.folder(), 'flute');
    await engine.forgetProject({ project: 'oboe' });
    await fixture.sql('drop table projects');
    const rebuilding = await fixture.engine();
    await assertStaysForgotten(rebuilding, folder, before);
    assert.equal(resolved(await rebuilding.resolve({ project: 'flute' })).id, kept.id);
    await assertAgreement(fixture, kept, null);
    assert.deepEqual(creations(fixture.spy.take()), []);
  });

  it('H9: is brought back by adopt, with its id, name and data', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'cello');
    await engine.forgetProject({ project: 'cello' });
    await assertStaysForgotten(engine, folder, before);
    const adopted = await engine.adoptDatabase({ database: before.databaseName });
    assert.deepEqual(path(adopted), ['explicit matched', 'identity matched']);
    assert.deepEqual(warningCodes(adopted), []);
    assert.equal(resolved(adopted).createdAt, before.createdAt);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, before, folder);
    assert.deepEqual(await fixture.sql('select * from keepsake', [], before.databaseName), []);
    const again = await engine.resolve({ directory: folder });
    assert.deepEqual([resolved(again).id, warningCodes(again).length], [before.id, 0]);
    // Its name counts again, too.
    await named(folder, 'cello');
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, before.id);
    await assertAgreement(fixture, before, folder);
  });

  it('H9: leaves its folder free for another name', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'organ');
    await engine.forgetProject({ project: 'organ' });
    await named(folder, 'pipe organ');
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.created, true);
    assert.notEqual(resolved(answer).databaseName, before.databaseName);
    await assertGone(before);
  });

  it('keeps what its database’s comment said before', async () => {
    const folder = await fixture.folder();
    const before = await project(folder, 'zither');
    const { registry } = fixture;
    const comment = JSON.stringify({
      owner: 'ops',
      registrar: { registry, project_id: before.id, name: 'zither', created_at: before.createdAt },
    });
    await fixture.sql(`comment on database ${before.databaseName} is '${comment}'`, [], 'postgres');
    await engine.forgetProject({ project: 'zither' });
    const [row] = await fixture.sql<{ comment: string }>(
      `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1`,
      [before.databaseName],
    );
    const { owner, registrar } = JSON.parse(row?.comment ?? '') as { owner: string; registrar: object };
    assert.equal(owner, 'ops');
    assert.ok('forgotten_at' in registrar);
  });

  it('cannot be forgotten while it is being dropped', async () => {
    const before = await project(await fixture.folder(), 'gong');
    await fixture.sql(
      `update projects set metadata = jsonb_set(metadata, '{registrar,state}', '"dropping"') where id = $1`,
      [before.id],
    );
    const error = await thrown(engine.forgetProject({ project: 'gong' }), 'PROJECT_FORGOTTEN');
    assert.match(error.message, /"gong" is being dropped/);
    for (const params of [{ project: before.id }, { project: 'gong' }]) {
      refused(await engine.resolve(params), 'PROJECT_FORGOTTEN');
    }
    await thrown(engine.adoptDatabase({ database: before.databaseName }), 'PROJECT_FORGOTTEN');
    await thrown(engine.updateProject({ project: 'gong', name: 'tamtam' }), 'PROJECT_FORGOTTEN');
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  /** A role that may read the registry and make databases, but not register them. */
  async function readOnlyRole(): Promise<Role> {
    const role = await fixture.role();
    await fixture.sql(`grant select on projects to ${role.name}`);
    // The other daemon's role is a member of it, as in a team: a stranger's database would not count.
    await fixture.sql(`grant ${role.name} to current_user`);
    return role;
  }
});
