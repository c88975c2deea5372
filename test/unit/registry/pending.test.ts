import assert from 'node:assert/strict';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';
import type { WorldDaemon } from '../../support/world/daemon.ts';
import { ServerError } from '../../support/world/serverError.ts';
import { WorldFixture } from '../../support/worldFixture.ts';

const full = new ServerError('53100', 'No space left on device');

describe('a project that the registry does not take', () => {
  let fixture: WorldFixture;
  let engine: WorldDaemon;
  beforeEach(() => {
    fixture = new WorldFixture();
    engine = fixture.engine();
    fixture.world.server.refusesRows = full;
  });

  async function pending(folder: string): Promise<Project> {
    const answer = await engine.resolve({ directory: folder });
    assert.ok(warningCodes(answer).includes('PENDING'));
    return resolved(answer);
  }

  async function delivered(): Promise<void> {
    fixture.world.server.refusesRows = null;
    assert.deepEqual(await engine.syncNow(), { pending: [], parked: [] });
  }

  it('S2: is delivered once that is mended, also by the daemon that comes after a kill', async () => {
    const folder = fixture.workspace('shop');
    const project = await pending(folder);
    engine = fixture.world.restart(engine);
    assert.equal(resolved(await engine.resolve({ project: 'shop' })).id, project.id);
    assert.deepEqual(await engine.syncNow(), { pending: ['shop'], parked: [] });
    await delivered();
    fixture.assertAgreement(project, folder);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
  });

  it('S2: is none of its own where the registry has it, under a name that it got there', async () => {
    const { id, databaseName } = resolved(await engine.createProject({ name: 'shop' }));
    // As when the reply to the row's insertion was lost, and somebody renamed the project.
    fixture.world.plantRow({ id, name: 'store', databaseName, metadata: { registrar: { state: 'ready' } } });
    const comment = fixture.world.server.databases.get(databaseName)?.comment ?? '';
    fixture.world.plantDatabase(databaseName, { comment: comment.replaceAll('"shop"', '"store"') });
    fixture.world.server.refusesRows = null;
    refused(await engine.resolve({ project: 'shop' }), 'PROJECT_NOT_FOUND');
    assert.equal(resolved(await engine.resolve({ project: 'store' })).id, id);
    const other = resolved(await engine.resolve({ directory: fixture.workspace('shop') }));
    assert.notEqual(other.id, id);
    assert.notEqual(other.databaseName, databaseName);
  });

  it('S2: is one for two daemons: the id in the config decides, and the other entry gives way', async () => {
    const folder = fixture.workspace('shop');
    const other = fixture.engine();
    const answers = await Promise.all([engine, other, engine, other].map((one) => one.resolve({ directory: folder })));
    assert.equal(new Set(answers.map((answer) => resolved(answer).id)).size, 1);
    assert.equal(fixture.world.server.databases.size, 1);
    await delivered();
    assert.deepEqual(await other.syncNow(), { pending: [], parked: [] });
    const [answer] = answers;
    assert.ok(answer);
    fixture.assertAgreement(resolved(answer), folder);
  });

  it('S2: is renamed, re-keyed and described in the outbox, and keeps that when it is delivered', async () => {
    const folder = fixture.workspace('shop');
    const project = await pending(folder);
    fixture.named(folder, 'store', project.id);
    assert.ok(warningCodes(await engine.resolve({ directory: folder })).includes('RENAMED'));
    const id = fixture.world.newId();
    fixture.named(folder, 'store', id);
    assert.ok(warningCodes(await engine.resolve({ directory: folder })).includes('REKEYED'));
    await engine.updateProject({ project: id, description: 'goods' });
    await engine.createProject({ name: 'second' });
    await thrown(engine.updateProject({ project: 'second', name: 'store' }), 'PROJECT_CONFLICT');
    await delivered();
    fixture.assertAgreement({ ...project, name: 'store', id }, folder);
    assert.equal(fixture.world.row('store')?.description, 'goods');
  });

  /** Runs `work` when `who` next comes to `what`, before it goes on. */
  function standing(who: WorldDaemon, what: string, work: () => void | Promise<void>): void {
    const { passage } = fixture.world;
    const before = passage.onPoint;
    let isOver = false;
    passage.onPoint = async (point) => {
      await before(point);
      if (isOver || point.who !== who.options.name || point.what !== what) return;
      isOver = true;
      await work();
    };
  }

  function onlyDatabase(): string {
    const [name, ...others] = fixture.world.server.databases.keys();
    assert.ok(name !== undefined && others.length === 0);
    return name;
  }

  it('X8: keeps the marker of whoever adopted its database before it was marked', async () => {
    const folder = fixture.workspace('shop');
    const adopter = fixture.engine();
    standing(engine, 'comment-lock', async () => {
      fixture.world.server.refusesRows = null;
      const adopted = await adopter.adoptDatabase({ database: onlyDatabase(), name: 'till' });
      assert.equal(resolved(adopted).databaseName, onlyDatabase());
    });
    const answer = await engine.resolve({ directory: folder });
    const till = resolved(await adopter.resolve({ project: 'till' }));
    fixture.assertAgreement(till, null);
    const project = resolved(answer);
    assert.notEqual(project.databaseName, till.databaseName);
    await delivered();
    fixture.assertAgreement(project, folder);
  });

  it('X8: is what is adopted where its database was marked while somebody adopted it', async () => {
    const folder = fixture.workspace('shop');
    const adopter = fixture.engine();
    let adopting: Promise<Resolution> | undefined;
    let hasMade: () => void = () => undefined;
    const made = new Promise<void>((resolve) => {
      hasMade = resolve;
    });
    standing(engine, 'comment-lock', async () => {
      await new Promise<void>((resolve) => {
        standing(adopter, 'insert', async () => {
          resolve();
          await made;
          fixture.world.server.refusesRows = null;
        });
        adopting = adopter.adoptDatabase({ database: onlyDatabase() });
      });
    });
    const project = await pending(folder);
    hasMade();
    assert.ok(adopting);
    assert.equal(resolved(await adopting).id, project.id);
    await delivered();
    fixture.assertAgreement(project, folder);
  });

  it('S3: is parked where another has its name by then, until a person renames it', async () => {
    const folder = fixture.workspace('shop');
    const project = await pending(folder);
    fixture.world.plantRow({ name: 'shop', databaseName: 'cb_proj_shop_00000001' });
    fixture.world.server.refusesRows = null;
    assert.deepEqual(await engine.syncNow(), { pending: [], parked: ['shop'] });
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), ['PARKED']);
    refused(await engine.resolve({ project: project.id, expect: 'other' }), 'PROJECT_MISMATCH');
    await engine.updateProject({ project: project.id, name: 'shop two' });
    assert.deepEqual(await engine.syncNow(), { pending: [], parked: [] });
    fixture.assertAgreement({ ...project, name: 'shop two' }, folder);
  });

  it('H9: is forgotten for good, though it was never registered', async () => {
    const folder = fixture.workspace('shop');
    const { id, databaseName } = await pending(folder);
    await engine.forgetProject({ project: id });
    assert.deepEqual(engine.outbox.rows(), []);
    assert.notEqual(fixture.world.marker(databaseName)?.forgottenAt ?? null, null);
    fixture.world.server.refusesRows = null;
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
  });

  it('X7: is dropped with its database, though it was never registered', async () => {
    const { id, databaseName } = await pending(fixture.workspace('shop'));
    await thrown(engine.dropProject({ project: id, confirm: 'shop' }), 'CONFIRMATION_REQUIRED');
    await engine.dropProject({ project: id, confirm: databaseName });
    assert.deepEqual(engine.outbox.rows(), []);
    assert.equal(fixture.world.server.databases.has(databaseName), false);
  });

  it('X7: is not made again where somebody dropped it meanwhile', async () => {
    const folder = fixture.workspace('shop');
    const project = await pending(folder);
    const copy = fixture.world.stateFolder();
    for (const [id, entry] of engine.options.state.outbox) copy.outbox.set(id, structuredClone(entry));
    const late = fixture.engine({ state: copy });
    await delivered();
    fixture.world.clock.move(1000);
    await engine.dropProject({ project: project.id, confirm: project.databaseName });
    refused(await late.resolve({ directory: folder }), 'PROJECT_DROPPED');
    assert.deepEqual(await late.syncNow(), { pending: [], parked: ['shop'] });
  });

  it('S4: is known while no server answers, once it was made', async () => {
    const folder = fixture.workspace('shop');
    await pending(folder);
    fixture.world.server.stop();
    engine.options.state.known.clear();
    const answer = await engine.resolve({ directory: folder });
    assert.equal(answer.stale, true);
    assert.equal(answer.sync?.state, 'pending');
  });

  it('is nothing yet where its database was not made before the server went', async () => {
    const folder = fixture.workspace('shop');
    fixture.world.passage.plan(engine.options.name, 'create', 'away');
    refused(await engine.resolve({ directory: folder }), 'REGISTRY_UNREACHABLE');
    fixture.world.server.stop();
    const error = refused(await engine.resolve({ directory: folder }), 'REGISTRY_UNREACHABLE');
    assert.equal(error.details?.['begun'], true);
    fixture.world.server.start();
    assert.equal(resolved(await engine.resolve({ directory: folder })).name, 'shop');
  });

  it('is not kept where this machine’s disk refuses it, too', async () => {
    fixture.world.passage.plan(engine.options.name, 'outbox-write', 'away');
    const error = refused(await engine.resolve({ directory: fixture.workspace('shop') }), 'DISK_FULL');
    assert.match(error.message, /Nothing was made/);
    assert.deepEqual(engine.outbox.rows(), []);
  });

  it('is answered from memory or refused where the table cannot be read at all', async () => {
    fixture.world.server.refusesRows = null;
    const folder = fixture.workspace('shop');
    const project = resolved(await engine.resolve({ directory: folder }));
    fixture.world.server.roles.get('registrar')?.lacks.add('select');
    for (const params of [{ directory: folder }, { project: project.id }]) {
      const answer = await engine.resolve(params);
      assert.deepEqual(warningCodes(answer), ['STALE']);
    }
    refused(await engine.resolve({ project: 'nobody' }), 'REGISTRY_FORBIDDEN');
    assert.equal(resolved(await engine.resolve({ directory: fixture.workspace('blog') })).name, 'blog');
  });
});
