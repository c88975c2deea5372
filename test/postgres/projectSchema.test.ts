import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, changes, creations, refused, resolved } from '../support/resolutionAssertions.ts';

const good = `create table if not exists notes (id integer primary key, text text not null);
create index if not exists notes_text on notes (text);
insert into notes values (1, 'from the schema') on conflict do nothing;`;
const found = ['explicit skipped', 'config matched', 'identity matched'];

describe('the schema that every project database gets', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let schemaFile: string;
  before(async () => {
    fixture = await registryFixture();
  });
  beforeEach(async () => {
    schemaFile = join(await fixture.folder(), 'schema.sql');
    await writeFile(schemaFile, good);
  });
  after(() => fixture.close());

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  async function tablesOf(databaseName: string): Promise<string[]> {
    const rows = await fixture.sql<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'public' order by 1`,
      [],
      databaseName,
    );
    return rows.map(({ tablename }) => tablename);
  }

  const settings = () => ({ 'registrar.postgres.projectSchema': schemaFile });

  it('without one a project database starts empty', async () => {
    const engine = await fixture.engine();
    const { databaseName } = resolved(await engine.resolve({ directory: await workspace('empty') }));
    assert.deepEqual(await tablesOf(databaseName), []);
    assert.equal((await fixture.marker(databaseName))?.schemaVersion, null);
  });

  it('is applied once, in the transaction that marks the database, and its SHA-256 is the schema version', async () => {
    const engine = await fixture.engine({ settings: settings() });
    const folder = await workspace('furnished');
    fixture.spy.take();
    const first = await engine.resolve({ directory: folder });
    const project = resolved(first);
    assert.deepEqual(path(first), found);
    assert.deepEqual(first.warnings, []);
    const statements = fixture.spy.take();
    const applied = statements.indexOf(good);
    assert.ok(applied > 0);
    assert.equal(statements.lastIndexOf(good), applied);
    // The statements of one connection in a row: nothing else runs while the only caller waits for it.
    assert.ok(
      statements.slice(0, applied).findLastIndex((sql) => sql.startsWith('begin ')) >
        statements.indexOf(creations(statements)[0] ?? ''),
    );
    assert.deepEqual(statements.slice(applied - 1, applied + 2), [
      'set local search_path to default',
      good,
      'set local search_path to pg_catalog, pg_temp',
    ]);
    assert.match(statements[applied + 2] ?? '', /^comment on database/);
    assert.equal(statements[applied + 3], 'commit');
    assert.deepEqual(await tablesOf(project.databaseName), ['notes']);
    assert.equal(
      (await fixture.marker(project.databaseName))?.schemaVersion,
      createHash('sha256').update(good).digest('hex'),
    );
    await assertAgreement(fixture, project, folder);

    resolved(await engine.resolve({ directory: folder }));
    assert.deepEqual(changes(fixture.spy.take()), []);
  });

  it('is applied once however many callers and daemons make the project at once', async () => {
    // Not idempotent: a second runner would fail.
    await writeFile(schemaFile, 'create table only_once (id integer)');
    const engines = await Promise.all([1, 2, 3].map(() => fixture.engine({ settings: settings() })));
    const folder = await workspace('furnished by many');
    const answers = await Promise.all(
      engines.flatMap((engine) => [1, 2, 3].map(() => engine.resolve({ directory: folder }))),
    );
    const projects = answers.map(resolved);
    assert.equal(new Set(projects.map(({ id }) => id)).size, 1);
    assert.deepEqual(await tablesOf(projects[0]?.databaseName ?? ''), ['only_once']);
  });

  it('broken: PROVISION_FAILED, nothing of it is kept, and the next resolve after the fix completes', async () => {
    await writeFile(schemaFile, 'create table half (id integer);\ncreate table broken (id no_such_type);');
    const engine = await fixture.engine({ settings: settings() });
    const folder = await workspace('broken');
    const answer = await engine.resolve({ directory: folder });
    const { message, hint } = refused(answer, 'PROVISION_FAILED');
    assert.match(
      message,
      /project schema could not be applied to cb_proj_broken_\w+: the server says "type \\"no_such_type\\" does not exist"/,
    );
    assert.match(hint, /registrar\.postgres\.projectSchema.*nothing of it was kept/);
    assert.deepEqual(path(answer), ['explicit skipped', 'config failed']);
    const row = await fixture.row('broken');
    const databaseName = String(row?.['database_name']);
    assert.equal((row?.['metadata'] as { registrar: { state: string } }).registrar.state, 'provisioning');
    assert.deepEqual(await tablesOf(databaseName), []);
    assert.equal(await fixture.marker(databaseName), null);
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);

    await writeFile(schemaFile, good);
    fixture.spy.take();
    const project = resolved(await engine.resolve({ directory: folder }));
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(await tablesOf(databaseName), ['notes']);
    await assertAgreement(fixture, { ...project, databaseName }, folder);
  });

  it('that cannot be read: refused with its path before a new project is made, and no hindrance to one that is there', async () => {
    const folder = await workspace('before');
    resolved(await (await fixture.engine()).resolve({ directory: folder }));
    schemaFile = join(await fixture.folder(), 'missing.sql');
    const engine = await fixture.engine({ settings: settings() });
    assert.equal(resolved(await engine.resolve({ directory: folder })).name, 'before');

    fixture.spy.take();
    const newcomer = await workspace('unfurnished');
    const { message, hint } = refused(await engine.resolve({ directory: newcomer }), 'PROVISION_FAILED');
    assert.ok(message.includes(schemaFile), message);
    assert.match(hint, /registrar\.postgres\.projectSchema/);
    assert.deepEqual(changes(fixture.spy.take()), []);

    await writeFile(schemaFile, good);
    const project = resolved(await engine.resolve({ directory: newcomer }));
    assert.deepEqual(await tablesOf(project.databaseName), ['notes']);
  });

  it('with ownerRole, what it makes belongs to the team', async () => {
    const team = await fixture.role('');
    const one = await fixture.role();
    const other = await fixture.role();
    for (const member of [one, other]) {
      await fixture.sql(`grant ${team.name} to ${member.name}`, [], 'postgres');
      await fixture.sql(`grant select, insert, update on projects to ${member.name}`);
    }
    const engine = await fixture.engine({
      role: one,
      settings: { ...settings(), 'registrar.postgres.ownerRole': team.name },
    });
    const { databaseName } = resolved(await engine.resolve({ directory: await workspace('of the team') }));
    const owners = await fixture.sql<{ tableowner: string }>(
      `select tableowner from pg_tables where tablename = 'notes'`,
      [],
      databaseName,
    );
    assert.deepEqual(owners, [{ tableowner: team.name }]);
  });
});
