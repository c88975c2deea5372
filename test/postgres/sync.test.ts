import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressKey, parseAddress } from '../../daemon/postgres/address/address.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { databaseNameFor } from '../../daemon/protocol/names.ts';
import { recordLog } from '../support/recordedLog.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { refused, resolved } from '../support/resolutionAssertions.ts';

describe('delivering what the registry does not know yet', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  /** A state folder whose outbox holds entries for projects of these names, as an earlier daemon left them. */
  async function leftBehind(names: readonly string[]): Promise<string> {
    const stateFolder = await fixture.stateFolder();
    const registry = addressKey(parseAddress(fixture.url(), {}, localSurroundings()));
    await mkdir(join(stateFolder, 'outbox'));
    const since = new Date().toISOString();
    for (const name of names) {
      const id = randomUUID();
      const times = { createdAt: since, updatedAt: since };
      const metadata = { registrar: { state: 'ready' } };
      const row = { id, name, databaseName: databaseNameFor(name, id), description: null, ...times, metadata };
      const error = { code: '53100', message: 'registry disk full (53100)' };
      const entry = { version: 1, registry, row, state: 'pending', since, attempts: 1, error };
      await writeFile(join(stateFolder, 'outbox', `${id}.json`), JSON.stringify(entry));
    }
    return stateFolder;
  }

  it('S5: a thousand pending projects are one statement, and nobody waits for them', async function () {
    this.timeout(60_000);
    const shop = resolved(await (await fixture.engine()).createProject({ name: 'in between' }));
    const names = [...Array(1000).keys()].map((number) => `many ${String(number)}`);
    const stateFolder = await leftBehind(names);
    fixture.spy.take();
    const log = recordLog();
    const engine = await fixture.engine({ stateFolder, log });
    const sync = engine.syncNow();
    assert.equal(resolved(await engine.resolve({ project: shop.id })).name, 'in between');
    const { pending, parked, delivered } = await sync;
    assert.deepEqual([pending.length, parked.length, delivered], [0, 0, 1000]);
    assert.equal(fixture.spy.take().filter((sql) => sql.includes('insert into public.projects')).length, 1);
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    const [count] = await fixture.sql<{ rows: number }>(
      `select count(*)::int as rows from projects where name like 'many %'`,
    );
    assert.equal(count?.rows, 1000);
    await fixture.sql(`delete from projects where name like 'many %'`);
  });

  it('S3: conflicts and refused rows are parked with their reason, the rest is delivered', async () => {
    const owner = resolved(await (await fixture.engine()).createProject({ name: 'taken' }));
    const stateFolder = await leftBehind(['taken', 'refused', 'free']);
    await fixture.sql(`alter table projects add constraint no_refused check (name <> 'refused')`);
    try {
      const engine = await fixture.engine({ stateFolder });
      const { pending, parked, delivered, failuresByCode } = await engine.syncNow();
      assert.deepEqual([pending.length, delivered], [0, 1]);
      assert.deepEqual(parked.map(({ name }) => name).sort(), ['refused', 'taken']);
      assert.match(parked.find(({ name }) => name === 'taken')?.error.message ?? '', /the name "taken" is taken/);
      assert.match(parked.find(({ name }) => name === 'refused')?.error.message ?? '', /no_refused.*\(23514\)/);
      assert.deepEqual(Object.keys(failuresByCode), ['23505', '23514']);
      assert.ok(await fixture.row('free'));
      assert.equal((await fixture.row('taken'))?.['id'], owner.id);
    } finally {
      await fixture.sql('alter table projects drop constraint no_refused');
      await fixture.sql(`delete from projects where name = 'free'`);
    }
  });

  /** A project that was made in a folder while the registry was unwritable, and whose name somebody took meanwhile. */
  async function parkedProject(name: string) {
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    await fixture.sql(`create or replace function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    const own = resolved(await engine.resolve({ directory: folder }));
    // By another program, that is: a daemon would see whose name it is by the marker of our database.
    const rival = { id: randomUUID(), databaseName: databaseNameFor('rival', randomUUID()) };
    await fixture.sql(`create database ${rival.databaseName}`, [], 'postgres');
    // Two statements in one query are one transaction, which holds the table: the engine's own retry may come at any moment, and must find the name taken.
    await fixture.sql(`drop trigger refuse on projects;
      insert into projects (id, name, database_name) values ('${rival.id}', '${name}', '${rival.databaseName}')`);
    const { parked } = await engine.syncNow();
    assert.deepEqual(
      parked.map(({ id }) => id),
      [own.id],
    );
    return { engine, folder, own, rival };
  }

  it('S3: a parked project stays usable in its folder, and renaming it registers it', async () => {
    const { engine, folder, own } = await parkedProject('choose rename');
    const answer = await engine.resolve({ directory: folder });
    assert.equal(resolved(answer).id, own.id);
    assert.deepEqual(
      answer.warnings.map(({ code, message }) => [code, message]),
      [['PARKED', 'the name "choose rename" is taken']],
    );
    assert.match(
      answer.warnings[0]?.hint ?? '',
      /registrar use 'choose rename' \| registrar projects rename [0-9a-f]{8} NAME/,
    );
    await engine.updateProject({ project: own.id.slice(0, 8), name: 'chosen otherwise' });
    const { pending, parked } = await engine.syncNow();
    assert.deepEqual([pending, parked], [[], []]);
    assert.equal((await fixture.row('chosen otherwise'))?.['id'], own.id);
    assert.equal(resolved(await engine.resolve({ directory: folder })).id, own.id);
  });

  it('S3: using the project that has the name gives the parked one up, its data untouched', async () => {
    const { engine, folder, own, rival } = await parkedProject('choose use');
    const answer = await engine.useProject({ project: 'choose use', directory: folder });
    assert.equal(resolved(answer).id, rival.id);
    assert.equal(answer.sync?.state, 'synced');
    assert.deepEqual((await engine.syncStatus()).parked, []);
    assert.notEqual((await fixture.marker(own.databaseName))?.forgottenAt, null);
  });

  it('S3: giving a parked project up leaves its database, marked, and its folder without a project', async () => {
    const { engine, folder, own } = await parkedProject('choose neither');
    const { databaseName } = await engine.forgetProject({ project: own.id });
    assert.equal(databaseName, own.databaseName);
    assert.deepEqual((await engine.syncStatus()).parked, []);
    refused(await engine.resolve({ directory: folder }), 'PROJECT_FORGOTTEN');
    assert.ok((await fixture.databases()).includes(own.databaseName));
  });

  it('S6: figures, listing and log agree on what was delivered and what failed', async () => {
    const log = recordLog();
    const stateFolder = await leftBehind(['figure one', 'figure two']);
    await fixture.sql(`alter table projects rename to elsewhere;
      create view projects as select * from elsewhere limit 0`);
    const engine = await fixture.engine({ log, stateFolder });
    assert.equal((await engine.syncNow()).pending.length, 2);
    // At once, as the engine's own retry makes the table when there is none.
    await fixture.sql('drop view projects; alter table elsewhere rename to projects');
    const status = await engine.syncNow();
    const logged = log.lines.filter(({ fields }) => fields['operation'] === 'sync');
    const successes = logged.filter(({ level, fields }) => level === 'info' && fields['sync'] === 'postgresql');
    const failures = logged.filter(({ level }) => level === 'warn');
    assert.equal(status.delivered, successes.length);
    assert.equal(status.failed, failures.length);
    assert.equal(status.delivered, 2);
    assert.equal(
      Object.values(status.failuresByCode).reduce((sum, count) => sum + count, 0),
      status.failed,
    );
    assert.equal(status.lastError?.message, failures.at(-1)?.message);
    assert.equal(status.successRateLastHour, status.delivered / (status.delivered + status.failed));
    const listed = (await engine.listProjects({ query: 'figure' })).projects.map(({ sync }) => sync.state);
    assert.deepEqual(listed, ['synced', 'synced']);
    await fixture.sql(`delete from projects where name like 'figure %'`);
  });
});
