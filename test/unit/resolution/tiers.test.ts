import assert from 'node:assert/strict';
import type { Project } from '../../../daemon/protocol/model.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { path, WorldFixture } from '../../support/worldFixture.ts';

const agent = (...folders: string[]) => ({ folders: () => Promise.resolve(folders) });

describe('the tiers of a resolution, in the world', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  beforeEach(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  const made = async (name: string): Promise<Project> => resolved(await engine.createProject({ name }));

  it('R1: an explicit project is found by id, by the beginning of its id and by name; nothing falls through', async () => {
    const shop = await made('shop');
    for (const project of [shop.id, shop.id.toUpperCase(), shop.id.slice(0, 8), 'shop']) {
      const answer = await engine.resolve({ project, directory: fixture.workspace('blog') });
      assert.deepEqual(path(answer), ['explicit matched', 'identity matched']);
      assert.equal(resolved(answer).id, shop.id);
    }
    for (const project of ['nobody', fixture.world.newId(), '00000000', 'shop\0'])
      refused(await engine.resolve({ project }), 'PROJECT_NOT_FOUND');
    await made(shop.id);
    refused(await engine.resolve({ project: shop.id }), 'PROJECT_AMBIGUOUS');
    const twin = `${shop.id.slice(0, 8)}-0000-4000-8000-000000000000`;
    fixture.world.plantRow({ id: twin, name: 'twin', databaseName: 'cb_proj_twin_00000001' });
    refused(await engine.resolve({ project: shop.id.slice(0, 8) }), 'PROJECT_AMBIGUOUS');
  });

  it('R7: a strict folder lets no other project be named, where somebody vouches for its config', async () => {
    const [shop, blog] = [await made('shop'), await made('blog')];
    const folder = fixture.workspace('shop', { strictMode: true, id: shop.id });
    assert.equal(resolved(await engine.resolve({ directory: folder, project: 'shop' })).id, shop.id);
    refused(await engine.resolve({ directory: folder, project: 'blog' }), 'PROJECT_MISMATCH');
    fixture.config(folder).uid = 1;
    assert.equal(resolved(await engine.resolve({ directory: folder, project: 'blog' })).id, blog.id);
    fixture.world.machine.remove('/work');
    fixture.world.machine.folder('/work', { isRepository: false });
    assert.equal(resolved(await engine.resolve({ directory: '/work', project: 'blog' })).id, blog.id);
    refused(await engine.resolve({ directory: '/nowhere', project: 'blog' }), 'DIRECTORY_INVALID');
  });

  it('R13: a config that nobody vouches for is not read, one in Restricted Mode never', async () => {
    const folder = fixture.workspace('shop', { uid: 1 });
    refused(await engine.resolve({ directory: folder }), 'CONFIG_NOT_TRUSTED');
    engine.trustedFolders = [folder];
    resolved(await engine.resolve({ directory: folder }));
    engine.windows = [{ path: folder, trusted: false }];
    refused(await engine.resolve({ directory: folder }), 'CONFIG_NOT_TRUSTED');
    engine.trustedFolders = [];
    engine.windows = [{ path: folder, trusted: true }];
    resolved(await engine.resolve({ directory: folder }));
  });

  it('R7: a config that steps back, and a folder without one, leave the question open and say why', async () => {
    const folder = fixture.workspace('shop', { autoSwitch: false });
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.outcome, 'unresolved');
    assert.match(answer.error?.hint ?? '', /auto_switch/);
    const none = await engine.resolve({ directory: fixture.folder() });
    assert.match(none.error?.message ?? '', /no \.codebase-mcp\/config\.json.*repository root/);
    assert.equal((await engine.resolve({})).error?.code, 'UNRESOLVED');
    const dry = fixture.workspace('dry', { dryRun: true });
    assert.equal((await engine.resolve({ directory: dry })).wouldDo?.length, 3);
    resolved(await engine.resolve({ directory: fixture.workspace('real') }));
  });

  it('I2: a folder that a person bound has that project before any config above it, until that is undone', async () => {
    const shop = await made('shop');
    const folder = fixture.workspace('blog');
    await engine.useProject({ project: 'shop', directory: folder, local: true });
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).id, shop.id);
    assert.equal(answer.configPath, null);
    const inside = fixture.world.machine.folder(`${folder}/src`, { isRepository: false });
    assert.equal(resolved(await engine.resolve({ directory: inside })).id, shop.id);
    fixture.world.machine.replaceRepository(folder, ['example.com/other/tools']);
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, shop.id);
    const { identity } = fixture.world.machine.at(folder);
    fixture.world.machine.at(folder).identity = { ...identity, inode: '999' };
    refused(await engine.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    refused(await engine.resolve({ directory: folder, agent: agent(folder) }), 'PROJECT_CONFLICT');
    fixture.world.machine.at(folder).identity = identity;
    await engine.forgetProject({ project: 'shop' });
    refused(await engine.resolve({ directory: folder }), 'PROJECT_NOT_FOUND');
    await engine.removeBinding({ directory: folder });
    assert.equal(resolved(await engine.resolve({ directory: folder })).name, 'blog');
  });

  it('R10: the workflow server’s active project answers where nothing nearer does; its trouble is a miss', async () => {
    const shop = await made('shop');
    const ask = (answer: Parameters<typeof fixture.engine>[0]) => fixture.engine(answer).resolve({});
    const active = { kind: 'project', id: shop.id, cached: false } as const;
    assert.equal(resolved(await ask({ workflow: active })).id, shop.id);
    const unknown = await ask({ workflow: { ...active, id: fixture.world.newId() } });
    assert.deepEqual(warningCodes(unknown), ['WORKFLOW_UNKNOWN_PROJECT']);
    const none = await ask({ workflow: { kind: 'none', reason: 'no project is active', cached: false } });
    assert.deepEqual(path(none).slice(2), ['workflow missed', 'default skipped']);
    fixture.world.server.enter(shop.databaseName).comment = JSON.stringify({
      registrar: { registry: 'another', project_id: shop.id },
    });
    refused(await ask({ workflow: active }), 'DATABASE_FOREIGN');
  });

  it('R11: the default project answers last, where it is switched on, and is one', async () => {
    const options = { defaultDatabase: 'cb_proj_default_00000000' };
    const answers = await Promise.all([fixture.engine(options), fixture.engine(options)].map((one) => one.resolve({})));
    for (const answer of answers) {
      assert.equal(resolved(answer).name, 'default');
      assert.equal(answer.tier, 4);
    }
    refused(await fixture.engine(options).resolve({ expect: 'shop' }), 'PROJECT_MISMATCH');
    const dry = await new WorldFixture().engine(options).resolve({ dryRun: true });
    assert.equal(dry.outcome, 'unresolved');
    assert.equal(dry.wouldDo?.length, 2);
  });

  it('S4: memory answers for what is known while the server is away, and nothing else is made', async () => {
    const folder = fixture.workspace('shop');
    const shop = resolved(await engine.resolve({ directory: folder }));
    fixture.world.server.stop();
    for (const params of [{ directory: folder }, { project: shop.id }, { project: 'shop' }]) {
      const answer = await engine.resolve(params);
      assert.equal(resolved(answer).id, shop.id);
      assert.equal(answer.stale, true);
      assert.deepEqual(warningCodes(answer), ['STALE']);
    }
    const unknown = refused(await engine.resolve({ project: 'blog' }), 'REGISTRY_UNREACHABLE');
    assert.match(unknown.message, /not known here, so nothing was made/);
    refused(await engine.resolve({ directory: fixture.workspace('shop') }), 'REGISTRY_UNREACHABLE');
    refused(await engine.resolve({ project: shop.id, expect: 'blog' }), 'PROJECT_MISMATCH');
    const stranger = fixture.folder();
    fixture.named(stranger, 'shop', shop.id);
    refused(await engine.resolve({ directory: stranger }), 'PROJECT_CONFLICT');
    const again = fixture.world.restart(engine);
    assert.equal(resolved(await again.resolve({ directory: folder })).id, shop.id);
    fixture.world.server.start();
    assert.equal((await again.resolve({ directory: folder })).stale, false);
    await thrown(again.updateProject({ project: 'nobody', name: 'x' }), 'PROJECT_NOT_FOUND');
  });

  it('R12: a fault that nobody planned is an answer that says so', async () => {
    engine.registry.look = () => Promise.reject(new Error('broken'));
    const error = refused(await engine.resolve({ project: 'shop' }), 'INTERNAL');
    assert.match(error.message, /broken/);
  });
});
