import assert from 'node:assert/strict';
import { writeMarker } from '../../../daemon/registry/marker.ts';
import { refused, resolved, thrown, warningCodes } from '../../support/resolutionAssertions.ts';
import { ServerError } from '../../support/world/serverError.ts';
import { WorldFixture } from '../../support/worldFixture.ts';

describe('a project that is made', () => {
  it('is one row, one database and one id in the config, whoever of many asks first', async () => {
    const fixture = new WorldFixture();
    const folder = fixture.workspace('shop');
    const daemons = [fixture.engine(), fixture.engine(), fixture.engine()];
    const answers = await Promise.all(
      daemons.flatMap((one) => [one, one]).map((one) => one.resolve({ directory: folder })),
    );
    const [project] = answers.map(resolved);
    assert.ok(project);
    for (const answer of answers) assert.equal(resolved(answer).id, project.id);
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.equal(fixture.world.server.databases.size, 1);
    fixture.assertAgreement(project, folder);
  });

  /** Every statement of a creation, and what the next one has to do. */
  for (const step of ['reserve', 'abilities', 'create', 'change', 'comment', 'commit'] as const)
    for (const when of ['away', 'lost'] as const)
      it(`is completed by the next resolve where the connection is ${when} at ${step}`, async () => {
        const fixture = new WorldFixture();
        const folder = fixture.workspace('shop');
        const engine = fixture.engine();
        fixture.world.passage.plan(engine.options.name, step, when);
        await engine.resolve({ directory: folder });
        const project = resolved(await fixture.engine().resolve({ directory: folder }));
        resolved(await engine.resolve({ directory: folder }));
        await engine.syncNow();
        fixture.assertAgreement(project, folder);
        assert.equal(fixture.world.server.databases.size, 1);
      });

  it('takes other digits of its id where another row or a stranger has the database’s name', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const folder = fixture.workspace('shop');
    const id = fixture.world.newId();
    fixture.named(folder, 'shop', id);
    const digits = (group: number): string => id.replaceAll('-', '').slice(group * 8, group * 8 + 8);
    fixture.world.plantRow({ name: 'other', databaseName: `cb_proj_shop_${digits(0)}` });
    fixture.world.server.addRole('mallory');
    fixture.world.plantDatabase(`cb_proj_shop_${digits(1)}`, { owner: 'mallory' });
    const project = resolved(await engine.resolve({ directory: folder }));
    assert.equal(project.databaseName, `cb_proj_shop_${digits(2)}`);
    fixture.assertAgreement(project, folder);
  });

  it('is refused where every name that it could have is another’s', async () => {
    const fixture = new WorldFixture();
    const folder = fixture.workspace('shop');
    const id = fixture.world.newId();
    fixture.named(folder, 'shop', id);
    for (const group of [0, 1, 2, 3]) {
      const databaseName = `cb_proj_shop_${id.replaceAll('-', '').slice(group * 8, group * 8 + 8)}`;
      fixture.world.plantRow({ name: `other ${String(group)}`, databaseName });
    }
    refused(await fixture.engine().resolve({ directory: folder }), 'DATABASE_FOREIGN');
    fixture.world.server.rows.clear();
    fixture.world.server.addRole('mallory');
    for (const group of [0, 1, 2, 3])
      fixture.world.plantDatabase(`cb_proj_shop_${id.replaceAll('-', '').slice(group * 8, group * 8 + 8)}`, {
        owner: 'mallory',
      });
    refused(await fixture.engine().resolve({ directory: folder }), 'DATABASE_FOREIGN');
  });

  it('takes back its reservation where the database that its config names is a stranger’s', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    fixture.world.server.addRole('mallory');
    fixture.world.plantDatabase('cb_proj_shop_0000c0de', { owner: 'mallory' });
    const folder = fixture.workspace('shop', { databaseName: 'cb_proj_shop_0000c0de' });
    const error = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
    assert.match(error.message, /mallory/);
    assert.equal(fixture.world.row('shop'), undefined);
    fixture.world.server.roles.get('registrar')?.lacks.add('insert');
    refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
    assert.deepEqual(engine.outbox.rows(), []);
  });

  it('is refused while a database in its place holds tables that nobody marked, and while another project’s does', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const databaseName = 'cb_proj_shop_0000c0de';
    const database = fixture.world.plantDatabase(databaseName, { hasRelations: true });
    const folder = fixture.workspace('shop', { databaseName });
    const error = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
    assert.deepEqual(error.details?.['choices'], ['adopt']);
    const other = { registry: fixture.world.server.registry, projectId: fixture.world.newId(), name: 'other' };
    database.comment = writeMarker({ ...other, createdAt: '', schemaVersion: null, forgottenAt: null }, null);
    refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
    // Another project's row has it by now.
    const second = fixture.workspace('second', { databaseName });
    refused(await engine.resolve({ directory: second }), 'DATABASE_FOREIGN');
    database.comment = null;
    database.hasRelations = false;
    resolved(await engine.resolve({ directory: folder }));
    refused(await engine.resolve({ directory: second }), 'DATABASE_FOREIGN');
  });

  it('leaves no trace where the role may not create databases, or the server is read only', async () => {
    const fixture = new WorldFixture();
    const { server } = fixture.world;
    const folder = fixture.workspace('shop');
    server.addRole('reader', { mayCreateDatabases: false });
    refused(await fixture.engine({ role: 'reader' }).resolve({ directory: folder }), 'PROVISION_FAILED');
    server.isReadOnly = true;
    refused(await fixture.engine().resolve({ directory: folder }), 'REGISTRY_READ_ONLY');
    assert.equal(server.rows.size, 0);
  });

  it('is only said to be made in a dry run, with every step', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const folder = fixture.workspace('shop');
    const dry = await engine.resolve({ directory: folder, dryRun: true });
    assert.deepEqual(dry.wouldDo, [
      'register project "shop"',
      'create database cb_proj_shop_…',
      "write the project's id into the config",
    ]);
    assert.equal(dry.project, null);
    assert.deepEqual(fixture.changes(), []);
  });

  it('gets the project schema in one step with its marker, and says each step', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine({ projectSchema: 'create table items (id int)' });
    const steps: string[] = [];
    const folder = fixture.workspace('shop');
    const project = resolved(await engine.resolve({ directory: folder }, (step) => steps.push(step)));
    assert.deepEqual(
      steps.map((step) => step.split(' ')[0]),
      ['registering', 'creating', 'applying', 'marking'],
    );
    assert.equal(fixture.world.server.enter(project.databaseName).hasRelations, true);
    assert.notEqual(fixture.world.marker(project.databaseName)?.schemaVersion, null);
  });

  it('is refused by name without a folder where the name is taken, and made where it is free', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const made = await engine.createProject({ name: 'shop', description: 'goods' });
    assert.equal(made.created, true);
    fixture.assertAgreement(resolved(made), null);
    await thrown(engine.createProject({ name: 'shop' }), 'PROJECT_CONFLICT');
    await thrown(engine.createProject({ name: '@' }), 'NAME_INVALID');
    const dry = await engine.createProject({ name: 'second', dryRun: true });
    assert.equal(dry.wouldDo?.length, 2);
  });

  it('says that the server did not tell the truth where an acknowledged database is not there', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const create = engine.catalog.createDatabase;
    engine.catalog.createDatabase = async (name) => {
      const made = await create(name);
      fixture.world.server.databases.delete(name);
      return made;
    };
    refused(await engine.resolve({ directory: fixture.workspace('shop') }), 'PROVISION_FAILED');
  });

  it('gives up where somebody undoes each of its steps', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    engine.registry.change = () => Promise.resolve('lost');
    const error = refused(await engine.resolve({ directory: fixture.workspace('shop') }), 'PROVISION_FAILED');
    assert.match(error.message, /kept changing/);
  });

  it('says why its id could not be written, and needs none where git tracks the file', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const readOnly = fixture.workspace('shop', { refusesWrites: 'The disk is read only.' });
    assert.deepEqual(warningCodes(await engine.resolve({ directory: readOnly })), ['ID_NOT_WRITTEN']);
    const tracked = fixture.workspace('blog', { isTracked: true });
    assert.deepEqual(warningCodes(await engine.resolve({ directory: tracked })), []);
    assert.equal(fixture.config(tracked).id, null);
  });

  it('is marked again where its marker is lost, as far as the role may', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const folder = fixture.workspace('shop');
    const project = resolved(await engine.resolve({ directory: folder }));
    const database = fixture.world.server.enter(project.databaseName);
    database.comment = null;
    assert.deepEqual((await engine.resolve({ directory: folder, dryRun: true })).wouldDo, [
      `mark database ${project.databaseName}`,
    ]);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), ['MARKER_RESTORED']);
    fixture.assertAgreement(project, folder);
    database.comment = null;
    fixture.world.server.addRole('mate', { memberOf: [] });
    const mate = fixture.engine({ role: 'mate', ownerRole: 'registrar' });
    const answer = await mate.resolve({ project: project.id });
    assert.match(answer.trace.at(-1)?.reason ?? '', /may not write one/);
    fixture.world.server.tableOwner = 'registrar';
    engine.catalog.comment = () => Promise.reject(new Error('broken'));
    assert.equal((await engine.resolve({ project: project.id })).error?.code, 'INTERNAL');
  });

  it('is no project’s while a forgotten one’s marker or a stranger is in its place', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    const folder = fixture.workspace('shop');
    const project = resolved(await engine.resolve({ directory: folder }));
    const database = fixture.world.server.enter(project.databaseName);
    const marker = fixture.world.marker(project.databaseName);
    assert.ok(marker);
    database.comment = writeMarker({ ...marker, forgottenAt: marker.createdAt }, null);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    database.comment = writeMarker({ ...marker, registry: 'another' }, null);
    refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
    database.comment = null;
    fixture.world.server.addRole('mallory');
    database.owner = 'mallory';
    const row = fixture.world.row('shop');
    assert.ok(row?.metadata);
    delete (row.metadata['registrar'] as { madeAs?: string }).madeAs;
    refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
  });

  it('waits in the outbox where the table refuses rows, and is usable at once', async () => {
    const fixture = new WorldFixture();
    const engine = fixture.engine();
    fixture.world.server.refusesRows = new ServerError('53100', 'No space left on device');
    const answer = await engine.resolve({ directory: fixture.workspace('shop') });
    assert.deepEqual(warningCodes(answer), ['PENDING']);
    assert.equal(answer.created, true);
    assert.ok(fixture.world.server.databases.has(resolved(answer).databaseName));
  });
});
