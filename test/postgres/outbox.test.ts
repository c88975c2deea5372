import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Limits } from '../../daemon/postgres/registry/registryDatabase.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { recordLog } from '../support/recordedLog.ts';
import { path, registryFixture, type RegistryFixture, type Role } from '../support/registryFixture.ts';
import { assertAgreement, creations, refused, resolved, warningCodes } from '../support/resolutionAssertions.ts';
import { testServer } from '../support/testServer.ts';

/** One way in which the registry cannot be written while the server can still make databases. */
interface Cause {
  title: string;
  /** What the warning says of it. */
  reason: RegExp;
  /** Brings it about; gives the cure, and the role and limits with which the daemon meets it. */
  cause(fixture: RegistryFixture): Promise<{ mend: () => Promise<unknown>; role?: Role; limits?: Limits }>;
}

const found = ['explicit skipped', 'config matched', 'identity matched'];

describe('a project that the registry cannot take', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  beforeEach(async () => {
    fixture = await registryFixture();
  });
  afterEach(() => fixture.close());

  async function workspace(project: { name: string; id?: string }): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  }

  /** Makes the registry with its table, as another daemon would have. */
  async function makeRegistry(): Promise<void> {
    await (await fixture.engine()).listProjects({});
  }

  function assertPending(answer: Resolution, id: string, reason: RegExp): void {
    assert.equal(resolved(answer).id, id);
    assert.equal(answer.sync?.state, 'pending');
    assert.deepEqual(warningCodes(answer), ['PENDING']);
    assert.match(answer.warnings[0]?.message ?? '', reason);
    assert.match(answer.warnings[0]?.message ?? '', /saved on this machine/);
  }

  for (const { title, reason, cause } of causes()) {
    it(`S1: ${title}: it works by id and by name, survives a restart, and its row appears unprompted`, async () => {
      const { mend, role, limits = patientLimits } = await cause(fixture);
      const stateFolder = await fixture.stateFolder();
      const outbox = join(stateFolder, 'outbox');
      const options = { stateFolder, limits, ...(role ? { role } : {}) };
      const engine = await fixture.engine(options);
      const folder = await workspace({ name: 'kept' });
      let filesAtCreation: string[] = [];
      fixture.spy.rewrite = (sql) => {
        if (sql.includes('create database "cb_proj_kept')) filesAtCreation = readdirSync(outbox);
        return null;
      };
      fixture.spy.take();

      const first = await engine.resolve({ directory: folder });
      const { id, databaseName } = resolved(first);
      assertPending(first, id, reason);
      assert.equal(first.created, true);
      assert.deepEqual(path(first), found);
      assert.deepEqual(await readdir(outbox), [`${id}.json`]);
      assert.deepEqual(filesAtCreation, [`${id}.json`], 'on disk before the database is made');
      assert.equal((await fixture.readConfig(folder)).project.id, id);
      assert.equal((await fixture.marker(databaseName))?.projectId, id);
      for (const project of [id, 'kept']) assertPending(await engine.resolve({ project }), id, reason);
      assertPending(await engine.resolve({ directory: folder }), id, reason);
      assert.equal((await engine.syncStatus()).pending.length, 1);
      await engine.close();

      const log = recordLog();
      const restarted = await fixture.engine({ ...options, log });
      for (const params of [{ project: id }, { project: 'kept' }, { directory: folder }]) {
        const again = await restarted.resolve(params);
        assertPending(again, id, reason);
        assert.equal(again.created, false);
      }

      await mend();
      const line = await log.line('project registered');
      assert.deepEqual([line.fields['sync'], line.fields['projectId']], ['postgresql', id]);
      // The delivery ends when its file is gone, too.
      await restarted.syncNow();
      const after = await restarted.resolve({ directory: folder });
      assert.deepEqual(after.sync, { state: 'synced' });
      assert.deepEqual(after.warnings, []);
      assert.equal(after.created, false);
      await assertAgreement(fixture, { id, name: 'kept', databaseName }, folder);
      assert.deepEqual(await readdir(outbox), []);
      const status = await restarted.syncStatus();
      assert.deepEqual([status.pending, status.parked, status.delivered], [[], [], 1]);
      assert.notEqual(status.lastSuccessAt, null);
      const made = creations(fixture.spy.take()).filter((sql) => sql.includes('cb_proj_'));
      assert.deepEqual(made, [`create database "${databaseName}"`]);
    });
  }

  it('S1: a listing shows it as pending, and once when it is registered', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const engine = await fixture.engine();
    const { id } = resolved(await engine.createProject({ name: 'listed' }));
    const listing = await engine.listProjects({});
    assert.deepEqual(
      listing.projects.map((project) => [project.id, project.sync.state]),
      [[id, 'pending']],
    );
    assert.equal((await engine.showProject({ project: 'listed' })).sync.state, 'pending');
    await mend();
    await engine.syncNow();
    assert.deepEqual(
      (await engine.listProjects({})).projects.map((project) => [project.id, project.sync.state]),
      [[id, 'synced']],
    );
  });

  it('S1: 16 first resolves at once make one project and one entry', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const stateFolder = await fixture.stateFolder();
    const engine = await fixture.engine({ stateFolder });
    const folder = await workspace({ name: 'crowd' });
    fixture.spy.take();
    const answers = await Promise.all(Array.from({ length: 16 }, () => engine.resolve({ directory: folder })));
    const [project] = answers.map(resolved);
    assert.ok(project);
    const { id } = project;
    // Nobody may begin a second project, not even one that is given up again.
    const began = fixture.spy.take().flatMap((sql) => /cb_proj_crowd_\w+/.exec(sql)?.[0] ?? []);
    assert.deepEqual([...new Set(began)], [project.databaseName]);
    for (const answer of answers) assertPending(answer, id, /not today/);
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.equal((await fixture.databases()).length, 1);
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), [`${id}.json`]);
    await mend();
    assert.equal((await engine.syncNow()).pending.length, 0);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
    await assertAgreement(fixture, project, folder);
  });

  it('S1: two daemons that make the same project at once agree through the config file', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const engines = await Promise.all([fixture.engine(), fixture.engine()]);
    const folder = await workspace({ name: 'agreed' });
    const answers = await Promise.all(engines.map((engine) => engine.resolve({ directory: folder })));
    const { id } = (await fixture.readConfig(folder)).project;
    for (const answer of answers) assert.equal(resolved(answer).id, id);
    assert.equal((await fixture.databases()).length, 1);
    await mend();
    for (const engine of engines) {
      const status = await engine.syncNow();
      assert.deepEqual([status.pending, status.parked], [[], []]);
      assert.equal(resolved(await engine.resolve({ directory: folder })).id, id);
    }
    assert.equal((await fixture.sql('select from projects')).length, 1);
    for (const answer of answers) await assertAgreement(fixture, resolved(answer), folder);
  });

  it('S1: a name that was taken meanwhile parks it: usable, not tried again by itself, and delivered once renamed', async () => {
    await makeRegistry();
    await refuseInserts(fixture, 'P0001', 'not today');
    const log = recordLog();
    const engine = await fixture.engine({ log });
    const folder = await workspace({ name: 'wanted' });
    const project = resolved(await engine.resolve({ directory: folder }));
    // In one transaction: the engine's own retry may come at any moment, and must find the name taken.
    await fixture.sql(`drop trigger refuse on projects;
      insert into projects (id, name, database_name)
      values ('0f0f0f0f-1111-4111-8111-111111111111', 'wanted', 'cb_proj_wanted_0f0f0f0f')`);
    await engine.syncNow();

    const status = await engine.syncStatus();
    assert.deepEqual([status.pending.length, status.parked.length], [0, 1]);
    assert.equal(status.parked[0]?.nextAttemptAt, null);
    assert.match(status.parked[0].error.message, /the name "wanted" is taken/);
    for (const params of [{ directory: folder }, { project: project.id }]) {
      const answer = await engine.resolve(params);
      assert.equal(resolved(answer).id, project.id);
      assert.equal(answer.sync?.state, 'parked');
      assert.deepEqual(warningCodes(answer), ['PARKED']);
      assert.match(answer.warnings[0]?.message ?? '', /the name "wanted" is taken/);
      assert.match(answer.warnings[0]?.hint ?? '', /registrar use wanted \| registrar projects rename/);
    }
    assert.equal((await fixture.sql('select from projects')).length, 1);

    const renamed = await engine.updateProject({ project: project.id, name: 'wanted two' });
    assert.equal(resolved(renamed).id, project.id);
    await log.line('project registered');
    await assertAgreement(fixture, { ...project, name: 'wanted two' }, folder);
    assert.deepEqual(warningCodes(await engine.resolve({ directory: folder })), []);
  });

  it('S1: a project that was forgotten while it waited is not brought back', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const stateFolder = await fixture.stateFolder();
    const engine = await fixture.engine({ stateFolder });
    const folder = await workspace({ name: 'given up' });
    const project = resolved(await engine.resolve({ directory: folder }));
    await engine.forgetProject({ project: 'given up' });
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    await mend();
    await engine.syncNow();
    assert.deepEqual(await fixture.sql('select name from projects'), []);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    assert.deepEqual(await fixture.databases(), [project.databaseName]);
  });

  it('S1: a marker that says forgotten stops the delivery, and adopting brings the project back', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const stateFolder = await fixture.stateFolder();
    const log = recordLog();
    const engine = await fixture.engine({ stateFolder, log });
    const folder = await workspace({ name: 'marked' });
    const project = resolved(await engine.resolve({ directory: folder }));
    const marker = {
      registrar: {
        registry: fixture.registry,
        project_id: project.id,
        name: 'marked',
        created_at: project.createdAt,
        schema_version: null,
        forgotten_at: '2026-01-01T00:00:00.000Z',
      },
    };
    await fixture.sql(`comment on database ${project.databaseName} is '${JSON.stringify(marker)}'`, [], 'postgres');
    await mend();
    await log.line('project was forgotten');
    await engine.syncNow();
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    assert.deepEqual(await fixture.sql('select name from projects'), []);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    assert.equal(resolved(await engine.adoptDatabase({ database: project.databaseName })).id, project.id);
    await assertAgreement(fixture, project, folder);
  });

  it('S1: when the outbox cannot keep it either, it is refused and nothing is made', async () => {
    await makeRegistry();
    await refuseInserts(fixture, '53100', 'No space left on device');
    const stateFolder = await fixture.stateFolder();
    const engine = await fixture.engine({ stateFolder });
    await rm(join(stateFolder, 'outbox'), { recursive: true });
    await writeFile(join(stateFolder, 'outbox'), 'in the way');
    const folder = await workspace({ name: 'homeless' });
    fixture.spy.take();
    const answer = await engine.resolve({ directory: folder });
    const { message, hint } = refused(answer, 'DISK_FULL');
    assert.match(message, /registry disk full \(53100\).*could not be kept on this machine either.*Nothing was made/);
    assert.notEqual(hint, '');
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(await fixture.databases(), []);
    assert.equal((await fixture.readConfig(folder)).project.id, undefined);
  });

  it('S1: an entry of another registry waits untouched until that one is served again', async () => {
    await makeRegistry();
    const mend = await refuseInserts(fixture, 'P0001', 'not today');
    const stateFolder = await fixture.stateFolder();
    const engine = await fixture.engine({ stateFolder });
    const { id } = resolved(await engine.createProject({ name: 'elsewhere' }));
    await engine.close();
    await mend();
    const other = await registryFixture();
    try {
      const stranger = await other.engine({ stateFolder });
      refused(await stranger.resolve({ project: id }), 'PROJECT_NOT_FOUND');
      const status = await stranger.syncNow();
      assert.deepEqual([status.pending, status.delivered], [[], 0]);
      assert.deepEqual(await other.sql('select from projects'), []);
    } finally {
      await other.close();
    }
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), [`${id}.json`]);
    const log = recordLog();
    await fixture.engine({ stateFolder, log });
    await log.line('project registered');
    assert.equal((await fixture.row('elsewhere'))?.['id'], id);
  });
});

function causes(): Cause[] {
  const raising = (state: string, text: string) => async (fixture: RegistryFixture) => {
    await (await fixture.engine()).listProjects({});
    return { mend: await refuseInserts(fixture, state, text) };
  };
  return [
    {
      title: 'no INSERT privilege',
      reason: /INSERT on projects is missing/,
      async cause(fixture) {
        await (await fixture.engine()).listProjects({});
        const role = await fixture.role();
        await fixture.sql(`grant select, update on projects to ${role.name}`);
        return { role, mend: () => fixture.sql(`grant insert on projects to ${role.name}`) };
      },
    },
    {
      title: 'no table and no permission to make one',
      reason: /CREATE on schema public is missing/,
      async cause(fixture) {
        await fixture.sql(`create database ${fixture.registry}`, [], 'postgres');
        await fixture.sql('revoke create on schema public from public');
        const role = await fixture.role();
        return { role, mend: () => fixture.sql(`grant create on schema public to ${role.name}`) };
      },
    },
    {
      title: 'a trigger that raises',
      reason: /registry refused the row: "not today" \(P0001\)/,
      cause: raising('P0001', 'not today'),
    },
    {
      title: 'a full disk',
      reason: /registry disk full \(53100\)/,
      cause: raising('53100', 'No space left on device'),
    },
    {
      title: 'a table that is locked',
      reason: /Waited 4 s for the registry on .* \(locked by another session\)/,
      async cause(fixture) {
        await (await fixture.engine()).listProjects({});
        const url = new URL((await testServer()).url);
        url.pathname = `/${fixture.registry}`;
        const holder = new pg.Client({ connectionString: url.href });
        await holder.connect();
        await holder.query('begin');
        await holder.query('lock table projects in share mode');
        return { mend: () => holder.end(), limits: { ...patientLimits, writeMs: 4000 } };
      },
    },
  ];
}

/** A trigger that refuses every new row; gives what removes it. */
async function refuseInserts(fixture: RegistryFixture, state: string, text: string): Promise<() => Promise<unknown>> {
  await fixture.sql(`create function refuse() returns trigger language plpgsql as
    $$ begin raise exception using errcode = '${state}', message = '${text}'; end $$`);
  await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
  return () => fixture.sql('drop trigger refuse on projects');
}
