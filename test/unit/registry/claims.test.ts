import assert from 'node:assert/strict';
import { writeMarker } from '../../../daemon/registry/marker.ts';
import type { Project } from '../../../daemon/protocol/model.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { Machine } from '../../support/world/machine.ts';
import { WorldFixture } from '../../support/worldFixture.ts';

const minute = 60_000;
const agent = (...folders: string[]) => ({ folders: () => Promise.resolve(folders) });

describe('a folder that claims a project', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  beforeEach(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
  });

  async function project(folder: string): Promise<Project> {
    const made = resolved(await engine.resolve({ directory: folder }));
    fixture.world.clock.move(2 * minute);
    fixture.changes();
    return made;
  }

  it('H4: is refused where another folder has the name, and an agent hears nothing of it', async () => {
    const one = fixture.workspace('shop');
    await project(one);
    const other = fixture.workspace('shop');
    const error = refused(await engine.resolve({ directory: other }), 'PROJECT_CONFLICT');
    assert.match(error.message, /Nothing was read or made/);
    const told = refused(await engine.resolve({ directory: other, agent: agent(other) }), 'PROJECT_CONFLICT');
    assert.ok(!JSON.stringify(told).includes(one));
    assert.deepEqual(fixture.changes(), []);
    await engine.useProject({ project: 'shop', directory: other });
    assert.deepEqual(warningCodes(await engine.resolve({ directory: other })), []);
    await thrown(
      engine.useProject({ project: 'shop', directory: fixture.folder(), agent: agent(other) }),
      'PROJECT_CONFLICT',
    );
  });

  it('H5: is refused where its id is one project’s and its name another’s', async () => {
    const [one, two] = [await project(fixture.workspace('shop')), await project(fixture.workspace('blog'))];
    const folder = fixture.folder();
    fixture.named(folder, two.name, one.id);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    refused(await engine.resolve({ directory: folder, agent: agent(folder) }), 'PROJECT_CONFLICT');
  });

  it('H3: is the project in a clone, moved within its repository, and not at another place or in another repository', async () => {
    const origin = 'example.com/acme/shop';
    const one = fixture.workspace('shop');
    fixture.origin(one, origin);
    const { id } = await project(one);
    const clone = fixture.workspace('shop');
    fixture.origin(clone, origin);
    assert.equal(resolved(await engine.resolve({ directory: clone })).id, id);
    const third = fixture.folder();
    fixture.origin(third, origin);
    const inner = fixture.world.machine.folder(`${third}/packages/app`, { isRepository: false });
    fixture.named(inner, 'shop');
    refused(await engine.resolve({ directory: inner }), 'PROJECT_CONFLICT');
    const stranger = fixture.workspace('shop');
    fixture.origin(stranger, 'example.com/other/shop');
    refused(await engine.resolve({ directory: stranger }), 'PROJECT_CONFLICT');
    // An agent that works there sees the repository of its own folder alone.
    const fresh = fixture.workspace('shop');
    fixture.origin(fresh, origin);
    refused(await engine.resolve({ directory: fresh, agent: agent(one) }), 'PROJECT_CONFLICT');
    assert.equal(resolved(await engine.resolve({ directory: fresh, agent: agent(fresh) })).id, id);
    refused(await engine.resolve({ directory: inner, agent: agent(third) }), 'PROJECT_CONFLICT');
  });

  it('H3: follows its folder within the repository, which the row then keeps', async () => {
    const root = fixture.folder();
    fixture.origin(root, 'example.com/acme/mono');
    const old = fixture.world.machine.folder(`${root}/old`, { isRepository: false });
    fixture.named(old, 'shop');
    const { id } = await project(old);
    const clone = fixture.folder();
    fixture.origin(clone, 'example.com/acme/mono');
    const moved = fixture.world.machine.folder(`${clone}/new`, { isRepository: false });
    fixture.named(moved, 'shop', id);
    assert.equal(resolved(await engine.resolve({ directory: moved })).id, id);
    const kept = fixture.world.row(id)?.metadata?.['registrar'] as { evidence: { origins: { path: string }[] } };
    assert.deepEqual(
      kept.evidence.origins.map(({ path }) => path),
      ['old', 'new'],
    );
    const copy = fixture.world.machine.folder(`${clone}/copy`, { isRepository: false });
    fixture.named(copy, 'shop', id);
    refused(await engine.resolve({ directory: copy }), 'PROJECT_CONFLICT');
  });

  it('H3: is the project in a clone of a folder of this machine, as long as that is what claimed', async () => {
    const one = fixture.workspace('shop');
    const { id } = await project(one);
    const clone = fixture.workspace('shop');
    fixture.origin(clone, `file:${one}`);
    assert.equal(resolved(await engine.resolve({ directory: clone })).id, id);
    const gone = fixture.workspace('shop');
    fixture.origin(gone, 'file:/work/nowhere');
    refused(await engine.resolve({ directory: gone }), 'PROJECT_CONFLICT');
  });

  it('H3: is a worktree’s project where its main checkout has it', async () => {
    const main = fixture.workspace('shop');
    const { id } = await project(main);
    const worktree = fixture.worktree(main);
    assert.equal(resolved(await engine.resolve({ directory: worktree })).id, id);
    fixture.named(worktree, 'shop', id);
    assert.equal(resolved(await engine.resolve({ directory: worktree })).id, id);
    fixture.named(worktree, 'shop', fixture.world.newId());
    refused(await engine.resolve({ directory: worktree }), 'PROJECT_CONFLICT');
    const other = fixture.workspace('blog');
    const theirs = fixture.worktree(other);
    fixture.named(theirs, 'shop', id);
    refused(await engine.resolve({ directory: theirs }), 'PROJECT_CONFLICT');
    fixture.world.machine.remove(other);
    refused(await engine.resolve({ directory: theirs }), 'PROJECT_CONFLICT');
  });

  it('H3: is recorded anew where the folder moved, and is a copy while the other is there', async () => {
    const folder = fixture.workspace('shop');
    const { id } = await project(folder);
    fixture.world.machine.copy(folder, '/work/copy');
    refused(await engine.resolve({ directory: '/work/copy' }), 'PROJECT_CONFLICT');
    fixture.world.machine.remove('/work/copy');
    fixture.world.machine.move(folder, '/work/elsewhere');
    assert.deepEqual((await engine.resolve({ directory: '/work/elsewhere', dryRun: true })).wouldDo, [
      'record /work/elsewhere as the new folder of project "shop"',
    ]);
    refused(await engine.resolve({ directory: '/work/elsewhere', agent: agent('/work') }), 'PROJECT_CONFLICT');
    assert.deepEqual(warningCodes(await engine.resolve({ directory: '/work/elsewhere' })), ['FOLDER_MOVED']);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: '/work/elsewhere' })), []);
    fixture.world.machine.move('/work/elsewhere', '/work/again');
    fixture.named('/work/again', 'shop');
    assert.deepEqual(warningCodes(await engine.resolve({ directory: '/work/again' })), ['FOLDER_MOVED']);
    // Where a disk is not mounted, nobody can tell that the folder is gone.
    fixture.world.machine.move('/work/again', '/work/last');
    fixture.world.machine.unmounted.add('/work');
    fixture.world.machine.copy('/work/last', '/work/more');
    refused(await engine.resolve({ directory: '/work/more' }), 'PROJECT_CONFLICT');
    assert.equal(fixture.world.row('shop')?.id, id);
  });

  it('H3: is made again at the same place, or taken over by another repository', async () => {
    const folder = fixture.workspace('shop');
    const { id } = await project(folder);
    fixture.world.machine.remove(folder);
    fixture.world.machine.folder(folder);
    fixture.named(folder, 'shop', id);
    resolved(await engine.resolve({ directory: folder }));
    fixture.world.machine.remove(folder);
    fixture.world.machine.folder(folder, { origins: ['example.com/other/shop'] });
    fixture.named(folder, 'shop', id);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_CONFLICT');
  });

  it('H3: on another machine is let in by id, said once, and refused by name', async () => {
    const { id } = await project(fixture.workspace('shop'));
    const elsewhere = new Machine('elsewhere');
    const other = fixture.engine({ machine: elsewhere });
    const folder = elsewhere.config(elsewhere.folder('/work/shop'), { name: 'shop' });
    refused(await other.resolve({ directory: folder }), 'PROJECT_CONFLICT');
    elsewhere.config(folder, { name: 'shop', id });
    assert.deepEqual(warningCodes(await other.resolve({ directory: folder })), ['CLAIMED_ELSEWHERE']);
    assert.deepEqual(warningCodes(await other.resolve({ directory: folder })), []);
  });

  it('I2: is the first of a project that codebase-mcp made, and nobody else is then', async () => {
    const planted = fixture.world.plantRow({ name: 'shop', databaseName: 'cb_proj_shop_00000001' });
    fixture.world.plantDatabase('cb_proj_shop_00000001');
    fixture.world.clock.move(2 * minute);
    const folders = [fixture.folder(), fixture.folder()];
    for (const folder of folders) fixture.named(folder, 'shop', planted.id);
    refused(await engine.resolve({ directory: folders[0] ?? '', agent: agent('/work') }), 'PROJECT_CONFLICT');
    const [one = '', two = ''] = folders;
    const answers = await Promise.all([
      engine.resolve({ directory: one }),
      fixture.engine().resolve({ directory: two }),
    ]);
    assert.deepEqual(answers.map(({ outcome }) => outcome).sort(), ['refused', 'resolved']);
    const winner = answers.find(({ outcome }) => outcome === 'resolved');
    assert.deepEqual(winner && warningCodes(winner).sort(), ['FIRST_CLAIM', 'MARKER_RESTORED']);
    const named = fixture.world.plantRow({ name: 'blog', databaseName: 'cb_proj_blog_00000001' });
    fixture.world.plantDatabase('cb_proj_blog_00000001');
    const folder = fixture.workspace('blog');
    refused(await engine.resolve({ directory: folder, agent: agent(folder) }), 'PROJECT_CONFLICT');
    assert.ok(warningCodes(await engine.resolve({ directory: folder })).includes('FIRST_CLAIM'));
    assert.equal(fixture.config(folder).id, named.id);
  });

  it('I3: of version 0.1 counts for its own folder, and for others where its one origin is theirs', async () => {
    const folder = fixture.workspace('shop');
    fixture.origin(folder, 'example.com/acme/shop');
    const clone = fixture.workspace('shop');
    fixture.origin(clone, 'example.com/acme/shop');
    const claims = { [`here:${clone}`]: { name: 'shop', at: '' } };
    const git = { origins: ['example.com/acme/shop'], pathInRepository: '' };
    const registrar = { state: 'ready', folder: { host: 'here', path: folder }, claims, git };
    const row = fixture.world.plantRow({
      name: 'shop',
      databaseName: 'cb_proj_shop_00000001',
      metadata: { registrar },
    });
    fixture.world.plantDatabase('cb_proj_shop_00000001');
    fixture.world.clock.move(24 * 60 * minute);
    for (const one of [folder, clone]) assert.equal(resolved(await engine.resolve({ directory: one })).id, row.id);
    const kept = fixture.world.row(row.id)?.metadata?.['registrar'] as { evidence?: { origins: unknown[] } };
    assert.equal(kept.evidence?.origins.length, 1);
    const several = { ...registrar, git: { ...git, origins: ['example.com/a', 'example.com/b'] }, claims: {} };
    fixture.world.plantRow({ name: 'blog', databaseName: 'cb_proj_blog_00000001', metadata: { registrar: several } });
    const third = fixture.workspace('blog');
    fixture.origin(third, 'example.com/a');
    refused(await engine.resolve({ directory: third }), 'PROJECT_CONFLICT');
  });

  it('I3: keeps an origin that its folder got later, and none that a person’s other repository has', async () => {
    const folder = fixture.workspace('shop');
    const { id } = await project(folder);
    fixture.world.machine.setOrigins(folder, ['example.com/acme/shop']);
    resolved(await engine.resolve({ directory: folder }));
    const origins = (): unknown[] =>
      (fixture.world.row(id)?.metadata?.['registrar'] as { evidence: { origins: unknown[] } }).evidence.origins;
    assert.equal(origins().length, 1);
    const other = fixture.folder();
    fixture.origin(other, 'example.com/other/tools');
    await thrown(engine.useProject({ project: 'shop', directory: other }), 'CONFIRMATION_REQUIRED');
    await engine.useProject({ project: 'shop', directory: other, confirm: 'example.com/acme/shop' });
    assert.equal(origins().length, 1);
    // A role that does not own the database leaves its marker, and still notes what it may.
    fixture.world.server.enter(resolved(await engine.resolve({ project: id })).databaseName).owner = 'postgres';
    fixture.world.machine.setOrigins(folder, ['example.com/acme/shop', 'example.com/acme/store']);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
    assert.equal(origins().length, 2);
    fixture.world.server.roles.get('registrar')?.lacks.add('update');
    fixture.world.clock.move(24 * 60 * minute);
    for (let time = 0; time < 2; time += 1) resolved(await engine.resolve({ directory: folder }));
    assert.equal(engine.client.sent.filter((what) => what === 'change').length > 0, true);
  });

  it('H3: knows a database whose row was lost by the evidence in its marker, and no other', async () => {
    const folder = fixture.workspace('shop');
    const { id, databaseName } = await project(folder);
    fixture.world.server.rows.clear();
    engine.options.state.claims.clear();
    const stranger = fixture.folder();
    fixture.named(stranger, 'shop', id);
    refused(await engine.resolve({ directory: stranger }), 'PROJECT_CONFLICT');
    refused(await engine.resolve({ directory: stranger, agent: agent(stranger) }), 'PROJECT_CONFLICT');
    fixture.named(stranger, 'shop');
    refused(await engine.resolve({ directory: stranger }), 'PROJECT_CONFLICT');
    assert.equal(resolved(await engine.resolve({ directory: folder })).databaseName, databaseName);
    fixture.assertAgreement({ id, name: 'shop', databaseName }, folder);
    const cloned = fixture.workspace('blog');
    fixture.origin(cloned, 'example.com/acme/blog');
    const blog = await project(cloned);
    fixture.world.server.hasTable = false;
    engine.options.state.claims.clear();
    const clone = fixture.folder();
    fixture.origin(clone, 'example.com/acme/blog');
    fixture.named(clone, 'blog', blog.id);
    assert.equal(resolved(await engine.resolve({ directory: clone })).id, blog.id);
    const rebuilt = fixture.world.row(blog.id)?.metadata?.['registrar'] as { rebuilt?: boolean };
    assert.equal(rebuilt.rebuilt, true);
  });

  it('C3: waits for the id that whoever made the project a moment ago writes into its config', async () => {
    const folder = fixture.workspace('shop');
    const other = fixture.engine({ state: fixture.world.stateFolder() });
    const { id } = resolved(await engine.resolve({ directory: folder }));
    const clone = fixture.workspace('shop');
    let waited = 0;
    fixture.world.passage.onPoint = ({ what }) => {
      if (what === 'pause' && (waited += 1) === 3) fixture.config(clone).id = id;
    };
    refused(await other.resolve({ directory: clone }), 'PROJECT_CONFLICT');
    assert.equal(waited, 3);
    const late = fixture.workspace('shop');
    waited = 10;
    refused(await other.resolve({ directory: late }), 'PROJECT_CONFLICT');
    assert.equal(waited, 60);
  });

  it('looks again where rows and markers were read at two moments', async () => {
    const folder = fixture.workspace('shop');
    const { id, databaseName } = await project(folder);
    const row = [...fixture.world.server.rows.entries()][0];
    assert.ok(row);
    fixture.world.server.rows.clear();
    const marker = fixture.world.marker(databaseName);
    assert.ok(marker);
    fixture.world.server.enter(databaseName).comment = writeMarker({ ...marker, forgottenAt: marker.createdAt }, null);
    fixture.world.passage.onPoint = ({ what }) => {
      if (what !== 'marked') return;
      fixture.world.server.rows.set(...row);
      setImmediate(() => {
        fixture.world.server.enter(databaseName).comment = writeMarker(marker, null);
      });
    };
    await engine.resolve({ directory: folder });
    fixture.world.passage.onPoint = () => undefined;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, id);
  });
});
