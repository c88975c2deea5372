import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { openLog } from '../../daemon/lifecycle/logFile.ts';
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

describe('a role that may not do everything', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
    // Made by the superuser: everyone else has only what a test grants.
    resolved(await (await fixture.engine()).createProject({ name: 'elder' }));
  });
  after(() => fixture.close());

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  async function roleWith(privileges: string, attributes?: string): Promise<Role> {
    const role = await fixture.role(attributes);
    if (privileges !== '') await fixture.sql(`grant ${privileges} on projects to ${role.name}`);
    return role;
  }

  it('E2: SELECT, INSERT and UPDATE on the table and CREATEDB are enough', async () => {
    const engine = await fixture.engine({ role: await roleWith('select, insert, update') });
    const folder = await workspace('modest');
    const first = await engine.resolve({ directory: folder });
    assert.deepEqual(first.warnings, []);
    assert.deepEqual(path(first), found);
    await assertAgreement(fixture, resolved(first), folder);
  });

  it('E2: without CREATEDB nothing is made, and CREATEDB is named', async () => {
    const role = await roleWith('select, insert, update', '');
    const engine = await fixture.engine({ role });
    const folder = await workspace('grounded');
    fixture.spy.take();
    const answer = await engine.resolve({ directory: folder });
    const { message, hint, details } = refused(answer, 'PROVISION_FAILED');
    assert.match(message, new RegExp(`Role ${role.name} may not create databases on .*Nothing was made`));
    assert.ok(hint.includes(`ALTER ROLE "${role.name}" CREATEDB`), hint);
    assert.equal(details?.['privilege'], 'CREATEDB');
    assert.deepEqual(changes(fixture.spy.take()), []);
    assert.equal(await fixture.row('grounded'), undefined);
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);
    // What is there already can be used.
    assert.equal(resolved(await engine.resolve({ project: 'elder' })).name, 'elder');

    await fixture.sql(`alter role ${role.name} createdb`, [], 'postgres');
    await assertAgreement(fixture, resolved(await engine.resolve({ directory: folder })), folder);
  });

  it('E2: without CREATEDB a registry database that is missing is REGISTRY_FORBIDDEN, and CREATEDB is named', async () => {
    const role = await fixture.role('');
    const url = new URL(fixture.url(role));
    url.pathname = `/${fixture.registry}_missing`;
    const engine = await fixture.engine({ address: parseAddress(url.href, {}, localSurroundings()) });
    const { message, hint, details } = refused(await engine.resolve({ project: 'elder' }), 'REGISTRY_FORBIDDEN');
    assert.match(
      message,
      new RegExp(`${fixture.registry}_missing does not exist, and role ${role.name} may not create it`),
    );
    assert.match(hint, /CREATE DATABASE ".*" OWNER ".*"|CREATEDB/);
    assert.equal(details?.['privilege'], 'CREATEDB');
  });

  it('E2: without SELECT the project is made and waits, a lookup is refused, and both name SELECT', async () => {
    const role = await roleWith('insert, update');
    const engine = await fixture.engine({ role });
    const lookup = refused(await engine.resolve({ project: 'elder' }), 'REGISTRY_FORBIDDEN');
    assert.match(lookup.message, new RegExp(`Role ${role.name} may not read .*SELECT on projects is missing`));
    assert.ok(lookup.hint.includes(`GRANT SELECT ON public.projects TO "${role.name}"`), lookup.hint);

    const folder = await workspace('blind');
    const answer = await engine.resolve({ directory: folder });
    assert.deepEqual(path(answer), found);
    assert.equal(answer.sync?.state, 'pending');
    assert.deepEqual(warningCodes(answer), ['PENDING']);
    assert.match(answer.warnings[0]?.message ?? '', /SELECT on projects is missing/);
    const status = await engine.syncNow();
    assert.match(status.pending[0]?.error.message ?? '', /SELECT on projects is missing/);

    await fixture.sql(`grant select on projects to ${role.name}`);
    assert.equal((await engine.syncNow()).delivered, 1);
    await assertAgreement(fixture, resolved(await engine.resolve({ directory: folder })), folder);
  });

  it('E2: without INSERT the project is made and waits, and INSERT is named', async () => {
    const role = await roleWith('select, update');
    const engine = await fixture.engine({ role });
    const folder = await workspace('waiting');
    const answer = await engine.resolve({ directory: folder });
    assert.deepEqual(warningCodes(answer), ['PENDING']);
    assert.match(answer.warnings[0]?.message ?? '', /INSERT on projects is missing/);
    const status = await engine.syncNow();
    assert.match(status.pending[0]?.error.message ?? '', /INSERT on projects is missing/);
    await fixture.sql(`grant insert on projects to ${role.name}`);
    assert.equal((await engine.syncNow()).delivered, 1);
    await assertAgreement(fixture, resolved(await engine.resolve({ directory: folder })), folder);
  });

  it('E2: without UPDATE the project is reserved but refused, UPDATE is named, and the next resolve completes it', async () => {
    const role = await roleWith('select, insert');
    const engine = await fixture.engine({ role });
    const folder = await workspace('half way');
    const { message, hint } = refused(await engine.resolve({ directory: folder }), 'REGISTRY_FORBIDDEN');
    assert.match(message, new RegExp(`Role ${role.name} may not change .*UPDATE on projects is missing`));
    assert.ok(hint.includes(`GRANT UPDATE ON public.projects TO "${role.name}"`), hint);
    await fixture.sql(`grant update on projects to ${role.name}`);
    fixture.spy.take();
    const project = resolved(await engine.resolve({ directory: folder }));
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, project, folder);
  });

  it('E2: without DELETE a project cannot be forgotten, DELETE is named, and its marker stays', async () => {
    const role = await roleWith('select, insert, update');
    const engine = await fixture.engine({ role });
    const folder = await workspace('sticky');
    const project = resolved(await engine.resolve({ directory: folder }));
    const { message, hint } = await thrown(engine.forgetProject({ project: 'sticky' }), 'REGISTRY_FORBIDDEN');
    assert.match(message, /DELETE on projects is missing/);
    assert.ok(hint.includes(`GRANT DELETE ON public.projects TO "${role.name}"`), hint);
    await assertAgreement(fixture, project, folder);
  });

  it('E2: without CREATE on schema public and without the table, that privilege is named', async () => {
    const other = await registryFixture();
    try {
      await other.sql(`create database ${other.registry}`, [], 'postgres');
      // Before PostgreSQL 15 everybody had it.
      await other.sql('revoke create on schema public from public');
      const role = await other.role();
      const engine = await other.engine({ role });
      const lookup = refused(await engine.resolve({ project: 'nobody' }), 'REGISTRY_FORBIDDEN');
      assert.match(lookup.message, /CREATE on schema public is missing/);
      assert.ok(lookup.hint.includes(`GRANT CREATE ON SCHEMA public TO "${role.name}"`), lookup.hint);

      const folder = await other.folder();
      await other.config(folder, { version: '1.0', project: { name: 'no table' } });
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual(path(answer), found);
      assert.deepEqual(warningCodes(answer), ['PENDING']);
      assert.match(answer.warnings[0]?.message ?? '', /CREATE on schema public is missing/);
      const status = await engine.syncNow();
      assert.match(status.pending[0]?.error.message ?? '', /CREATE on schema public is missing/);

      await other.sql(`grant create on schema public to ${role.name}`);
      assert.equal((await engine.syncNow()).pending.length, 0);
      await assertAgreement(other, resolved(await engine.resolve({ directory: folder })), folder);
    } finally {
      await other.close();
    }
  });

  it('ownerRole: the database belongs to the team, whose other members use, mark and forget it', async () => {
    const team = await fixture.role('');
    const [one, other] = [
      await roleWith('select, insert, update, delete'),
      await roleWith('select, insert, update, delete'),
    ];
    for (const member of [one, other]) await fixture.sql(`grant ${team.name} to ${member.name}`, [], 'postgres');
    const settings = { 'registrar.postgres.ownerRole': team.name };
    const folder = await workspace('shared');
    const project = resolved(await (await fixture.engine({ role: one, settings })).resolve({ directory: folder }));
    const [database] = await fixture.sql<{ owner: string }>(
      'select pg_get_userbyid(datdba) as owner from pg_database where datname = $1',
      [project.databaseName],
      'postgres',
    );
    assert.equal(database?.owner, team.name);

    const colleague = await fixture.engine({ role: other, settings });
    assert.equal(resolved(await colleague.resolve({ directory: folder })).id, project.id);
    resolved(await colleague.updateProject({ project: project.id, name: 'shared by all' }));
    await assertAgreement(fixture, { ...project, name: 'shared by all' }, folder);
    await colleague.forgetProject({ project: project.id });
    assert.notEqual((await fixture.marker(project.databaseName))?.forgottenAt, null);
  });

  it('ownerRole: a role that is not its member, or that does not exist, is PROVISION_FAILED with the cure', async () => {
    const team = await fixture.role('');
    const role = await roleWith('select, insert, update');
    for (const [ownerRole, cure] of [
      [team.name, `GRANT "${team.name}" TO "${role.name}"`],
      ['registrar_no_such_role', 'Create the role'],
    ] as const) {
      const engine = await fixture.engine({ role, settings: { 'registrar.postgres.ownerRole': ownerRole } });
      const { message, hint } = refused(
        await engine.resolve({ directory: await workspace(`not for ${ownerRole}`) }),
        'PROVISION_FAILED',
      );
      assert.match(message, /could not be created: .*role/i);
      assert.ok(hint.includes(cure), hint);
    }
  });

  it('E1: a password is in no answer, no log line and no file of the state folder', async () => {
    const role = await roleWith('select, insert, update');
    role.password = `s3cret/${role.password}@:%`;
    await fixture.sql(`alter role ${role.name} password '${role.password}'`, [], 'postgres');
    const stateFolder = await fixture.stateFolder();
    const log = openLog(stateFolder);
    const shown: unknown[] = [];
    const options = { role, stateFolder, log };

    const engine = await fixture.engine(options);
    const folder = await workspace('confidential');
    shown.push(
      await engine.resolve({ directory: folder }),
      await engine.resolve({ project: 'nobody' }),
      engine.server(),
    );
    await fixture.sql(`revoke insert on projects from ${role.name}`);
    shown.push(await engine.resolve({ directory: await workspace('confidential too') }), await engine.syncNow());
    shown.push(await engine.listProjects({}));
    await fixture.sql(`revoke select on projects from ${role.name}`);
    shown.push(await engine.resolve({ project: 'elder' }));
    await engine.close();

    // A wrong one, which a server that trusts everybody lets pass, and a server that is not there.
    const wrong = { ...role, password: `wr0ng/${role.password}` };
    const wrongEngine = await fixture.engine({ ...options, role: wrong });
    shown.push(await wrongEngine.resolve({ project: 'confidential' }));
    await wrongEngine.close();
    const url = new URL(fixture.url(role));
    url.port = '1';
    const lost = await fixture.engine({ ...options, address: parseAddress(url.href, {}, localSurroundings()) });
    const unreachable = await lost.resolve({ directory: await workspace('confidential three') });
    refused(unreachable, 'REGISTRY_UNREACHABLE');
    shown.push(unreachable);
    await lost.close();

    const files = (await readdir(stateFolder, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    const names = files.map(({ name }) => name);
    assert.ok(names.includes('registrar.log') && names.includes('known.json'), names.join());
    assert.equal(names.filter((name) => /^[0-9a-f-]{36}\.json$/.test(name)).length, 1, 'the pending entry');
    const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')));
    const everything = [...texts, JSON.stringify(shown)].join('\n');
    assert.ok(everything.includes('confidential'));
    for (const secret of ['s3cret', 'wr0ng', role.password, encodeURIComponent(role.password)]) {
      assert.equal(everything.includes(secret), false, `found ${secret}`);
    }
  });
});
