import assert from 'node:assert/strict';
import { person } from '../../../daemon/registry/evidence/evidence.ts';
import { writeMarker } from '../../../daemon/registry/marker.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { WorldFixture } from '../../support/worldFixture.ts';

const agent = (folder: string) => ({ folders: () => Promise.resolve([folder]) });

describe('a project that ends', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  beforeEach(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
    assert.equal(person.kind, 'person');
  });

  it('H9: is forgotten with its data untouched, and comes back by adopt with id, name and evidence', async () => {
    const folder = fixture.workspace('shop');
    fixture.origin(folder, 'example.com/acme/shop');
    const project = resolved(await engine.resolve({ directory: folder }));
    await engine.forgetProject({ project: 'shop' });
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    refused(await engine.resolve({ directory: folder, agent: agent(folder) }), 'PROJECT_FORGOTTEN');
    fixture.named(folder, 'shop');
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    refused(await engine.resolve({ project: project.id }), 'PROJECT_NOT_FOUND');
    const adopted = await engine.adoptDatabase({ database: project.databaseName });
    assert.equal(resolved(adopted).id, project.id);
    const clone = fixture.workspace('shop');
    fixture.origin(clone, 'example.com/acme/shop');
    assert.equal(resolved(await engine.resolve({ directory: clone })).id, project.id);
    fixture.assertAgreement(project, null);
    assert.equal(resolved(await engine.adoptDatabase({ database: project.databaseName })).id, project.id);
  });

  it('H9: is forgotten where its database is gone, a stranger’s or unmarked', async () => {
    for (const change of ['gone', 'foreign', 'unmarked'] as const) {
      const { id, databaseName } = resolved(await engine.createProject({ name: change }));
      const database = fixture.world.server.enter(databaseName);
      const other = { registry: 'another', projectId: id, name: 'x', createdAt: '', schemaVersion: null };
      if (change === 'gone') fixture.world.server.databases.delete(databaseName);
      else if (change === 'unmarked') database.comment = null;
      else database.comment = writeMarker({ ...other, forgottenAt: null }, null);
      await engine.forgetProject({ project: id });
      assert.equal(fixture.world.row(id), undefined);
    }
  });

  it('X7: is dropped with its database after its name was typed, and stays dropped for its folder', async () => {
    const folder = fixture.workspace('shop');
    fixture.origin(folder, 'example.com/acme/shop');
    const { id, databaseName } = resolved(await engine.resolve({ directory: folder }));
    for (const confirm of [null, 'shop', id])
      await thrown(engine.dropProject({ project: id, confirm }), 'CONFIRMATION_REQUIRED');
    await engine.dropProject({ project: id, confirm: databaseName });
    assert.equal(fixture.world.server.databases.has(databaseName), false);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_DROPPED');
    refused(await engine.resolve({ directory: folder, agent: agent(folder) }), 'PROJECT_DROPPED');
    fixture.named(folder, 'shop');
    refused(await engine.resolve({ directory: folder }), 'PROJECT_DROPPED');
    const stranger = fixture.workspace('shop');
    fixture.origin(stranger, 'example.com/other/shop');
    assert.equal((await engine.resolve({ directory: stranger })).created, true);
    const anew = await engine.resolve({ directory: fixture.workspace('shop two'), anew: true });
    assert.equal(anew.created, true);
  });

  it('H10: is finished by whoever asks again, wherever the first drop was cut off', async () => {
    for (const step of ['change', 'comment', 'commit', 'hold', 'drop', 'delete'] as const)
      for (const when of ['away', 'lost'] as const) {
        const { id, databaseName } = resolved(await engine.createProject({ name: `${step} ${when}` }));
        fixture.world.passage.plan(engine.options.name, step, when);
        const drop = () => engine.dropProject({ project: id, confirm: databaseName });
        await drop().catch(() => undefined);
        const left = await engine.resolve({ project: id });
        if (left.error?.code === 'PROJECT_FORGOTTEN')
          await thrown(engine.forgetProject({ project: id }), 'PROJECT_FORGOTTEN');
        if (left.error?.code === 'PROJECT_FORGOTTEN')
          await thrown(engine.updateProject({ project: id, name: 'x' }), 'PROJECT_FORGOTTEN');
        await drop().catch(() => undefined);
        assert.equal(fixture.world.row(id), undefined, `${step} ${when}`);
        assert.equal(fixture.world.server.databases.has(databaseName), false);
      }
  });

  it('X7: is not dropped while it is being made, while its database is elsewhere, foreign, forgotten or in use', async () => {
    const { server } = fixture.world;
    const made = async (name: string) => resolved(await engine.createProject({ name }));
    const drop = (project: { id: string; databaseName: string }, code: Parameters<typeof thrown>[1]) =>
      thrown(engine.dropProject({ project: project.id, confirm: project.databaseName }), code);
    const renamed = await made('renamed');
    fixture.world.renameDatabase(renamed.databaseName, 'cb_proj_moved_00000001');
    await drop(renamed, 'DATABASE_MISSING');
    const foreign = await made('foreign');
    const marker = fixture.world.marker(foreign.databaseName);
    assert.ok(marker);
    server.enter(foreign.databaseName).comment = writeMarker({ ...marker, registry: 'another' }, null);
    await drop(foreign, 'DATABASE_FOREIGN');
    server.enter(foreign.databaseName).comment = writeMarker({ ...marker, forgottenAt: marker.createdAt }, null);
    await drop(foreign, 'PROJECT_FORGOTTEN');
    const used = await made('used');
    server.addRole('visitor');
    server.enter(used.databaseName).sessions.add({ role: 'visitor', isOpen: true });
    await drop(used, 'PROVISION_FAILED');
    server.enter(used.databaseName).sessions.clear();
    server.enter(used.databaseName).comment = null;
    await engine.dropProject({ project: used.id, confirm: used.databaseName });
    const fresh = fixture.world.plantRow({
      ...{ name: 'fresh', databaseName: 'cb_proj_fresh_00000001' },
      metadata: { registrar: { state: 'provisioning' } },
    });
    await drop(fresh, 'PROJECT_CONFLICT');
  });

  it('X7: is usable again at once where the server refuses the drop', async () => {
    const { id, databaseName } = resolved(await engine.createProject({ name: 'shop' }));
    const dropDatabase = engine.catalog.dropDatabase.bind(engine.catalog);
    engine.catalog.dropDatabase = async (name, isMeant) => {
      fixture.world.server.enter(name).owner = 'postgres';
      await dropDatabase(name, isMeant).finally(() => {
        fixture.world.server.enter(name).owner = 'registrar';
      });
    };
    await thrown(engine.dropProject({ project: id, confirm: databaseName }), 'PROVISION_FAILED');
    assert.deepEqual(warningCodes(await engine.resolve({ project: id })), []);
  });

  it('X8: is registered by adopting a database that somebody made, under a name that is free', async () => {
    const { server } = fixture.world;
    fixture.world.plantDatabase('cb_proj_old_shop_00000001', { comment: 'a note', hasRelations: true });
    const adopted = await engine.adoptDatabase({ database: 'cb_proj_old_shop_00000001' });
    assert.equal(resolved(adopted).name, 'old_shop');
    assert.match(server.enter('cb_proj_old_shop_00000001').comment ?? '', /a note/);
    fixture.world.plantDatabase('cb_proj_other_00000002');
    await thrown(engine.adoptDatabase({ database: 'cb_proj_other_00000002', name: 'old_shop' }), 'PROJECT_CONFLICT');
    await thrown(engine.adoptDatabase({ database: 'cb_proj_other_00000002', name: '@' }), 'NAME_INVALID');
    await thrown(engine.adoptDatabase({ database: 'nothing' }), 'DATABASE_NAME_INVALID');
    await thrown(engine.adoptDatabase({ database: 'cb_proj_none_00000003' }), 'DATABASE_MISSING');
    const foreign = { registry: 'another', projectId: fixture.world.newId(), name: 'x', createdAt: '' };
    const comment = writeMarker({ ...foreign, schemaVersion: null, forgottenAt: null }, null);
    fixture.world.plantDatabase('cb_proj_foreign_00000004', { comment });
    await thrown(engine.adoptDatabase({ database: 'cb_proj_foreign_00000004' }), 'DATABASE_FOREIGN');
    server.enter('cb_proj_old_shop_00000001').comment = comment;
    await thrown(engine.adoptDatabase({ database: 'cb_proj_old_shop_00000001' }), 'DATABASE_FOREIGN');
    server.addRole('mallory');
    fixture.world.plantDatabase('cb_proj_theirs_00000005', { owner: 'mallory' });
    await thrown(engine.adoptDatabase({ database: 'cb_proj_theirs_00000005' }), 'DATABASE_FOREIGN');
  });
});
