import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Resolution } from '../../daemon/protocol/model.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { writeMarker } from '../../daemon/registry/marker.ts';
import { assertRepaired, findings, projectIn, removeAll, shape, someoneWaits } from '../support/driftSupport.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

describe('dropping a project', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
    await engine.listProjects({});
  });
  beforeEach(async () => {
    await removeAll(fixture);
    engine = await fixture.engine();
  });
  afterEach(() => {
    fixture.spy.rewrite = null;
  });
  after(() => fixture.close());

  const refuses = async (work: Promise<unknown>, code: string, says: RegExp): Promise<void> => {
    await assert.rejects(work, (error: unknown) => {
      assert.ok(error instanceof RegistrarError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, says);
      assert.notEqual(error.hint, '');
      return true;
    });
  };
  const setState = (state: string) =>
    fixture.sql(`update projects set metadata = jsonb_set(metadata, '{registrar,state}', to_jsonb($1::text))`, [state]);
  const stateOf = async (name: string) => {
    const metadata = (await fixture.row(name))?.['metadata'] as { registrar: { state: string } } | undefined;
    return metadata?.registrar.state;
  };
  const dropDatabase = (name: string) => fixture.sql(`drop database ${name} with (force)`, [], 'postgres');
  const isThere = async (name: string) => (await fixture.databases()).includes(name);

  it('asks for the name of the database, and destroys nothing for any other', async () => {
    const { project, databaseName } = await projectIn(fixture, engine, 'shop');
    const other = await projectIn(fixture, engine, 'pay');
    for (const confirm of [null, '', 'shop', project.id, other.databaseName, databaseName.toUpperCase()]) {
      const dropping = engine.dropProject({ project: 'shop', confirm });
      await refuses(dropping, 'CONFIRMATION_REQUIRED', new RegExp(`destroys database ${databaseName} .*Nothing was`));
    }
    assert.equal(await stateOf('shop'), 'ready');
    assert.equal((await fixture.databases()).length, 2);
    await refuses(engine.dropProject({ project: 'store', confirm: null }), 'PROJECT_NOT_FOUND', /"store"/);
  });

  it('destroys database and row, also while somebody is connected, and frees the name', async () => {
    const { project, databaseName } = await projectIn(fixture, engine, 'shop');
    await fixture.sql('create table orders ()', [], databaseName);
    const dropped = await engine.dropProject({ project: 'shop', confirm: databaseName });
    assert.deepEqual([dropped.project.id, dropped.databaseName], [project.id, databaseName]);
    assert.equal(await fixture.row('shop'), undefined);
    assert.equal(await isThere(databaseName), false);
    for (const reference of [project.id, 'shop']) {
      const answer = await engine.resolve({ project: reference });
      assert.equal(answer.error?.code, 'PROJECT_NOT_FOUND');
    }
    const again = await engine.createProject({ name: 'shop' });
    assert.equal(again.created, true);
    assert.notEqual(again.project?.id, project.id);
  });

  it('leaves the way free for a new, empty project once a person makes one in a folder whose config has its id', async () => {
    const { project, folder, databaseName } = await projectIn(fixture, engine, 'shop');
    await fixture.sql('create table orders ()', [], databaseName);
    const other = await fixture.engine();
    await other.dropProject({ project: 'shop', confirm: databaseName });
    fixture.spy.take();
    await engine.syncNow();
    await findings(engine);
    assert.equal((await engine.resolve({ project: project.id })).error?.code, 'PROJECT_NOT_FOUND');
    assert.deepEqual(
      fixture.spy.take().filter((sql) => /create database|insert into public\.projects/i.test(sql)),
      [],
      'nobody asked for it',
    );
    assert.equal((await engine.resolve({ directory: folder })).error?.code, 'PROJECT_DROPPED');
    const again = await engine.createProject({ name: 'shop', directory: folder });
    assert.deepEqual([again.outcome, again.created, again.project?.id], ['resolved', true, project.id]);
    assert.deepEqual(again.warnings, []);
    assert.notEqual(again.project?.createdAt, project.createdAt);
    const [tables] = await fixture.sql<{ orders: string | null }>(
      `select to_regclass('orders') as orders`,
      [],
      again.project?.databaseName,
    );
    assert.equal(tables?.orders, null);
  });

  describe('refuses a database that is not known to be the project’s', () => {
    it('because its marker is another project’s', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      const marker = await fixture.marker(databaseName);
      assert.ok(marker);
      const foreign = [
        { ...marker, projectId: '99999999-0000-4000-8000-000000000000', name: 'pay' },
        { ...marker, registry: 'other' },
      ];
      for (const one of foreign) {
        await fixture.sql(`comment on database ${databaseName} is '${writeMarker(one, null)}'`);
        const dropping = engine.dropProject({ project: 'shop', confirm: databaseName });
        await refuses(dropping, 'DATABASE_FOREIGN', /its marker says project .*It was not touched/);
      }
      assert.deepEqual([await stateOf('shop'), await isThere(databaseName)], ['ready', true]);
    });

    it('because it is unmarked and its row not ready; a ready one’s is', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await fixture.sql(`comment on database ${databaseName} is null`);
      await fixture.sql(`update projects set created_at = now() - interval '61 seconds'`);
      await setState('provisioning');
      const dropping = engine.dropProject({ project: 'shop', confirm: databaseName });
      await refuses(dropping, 'DATABASE_FOREIGN', /carries no marker/);
      assert.deepEqual([await stateOf('shop'), await isThere(databaseName)], ['provisioning', true]);
      await setState('ready');
      await engine.dropProject({ project: 'shop', confirm: databaseName });
      assert.equal(await isThere(databaseName), false);
    });

    it('because it was renamed', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await fixture.sql(`alter database ${databaseName} rename to cb_proj_store_0000000a`, [], 'postgres');
      const dropping = engine.dropProject({ project: 'shop', confirm: databaseName });
      await refuses(dropping, 'DATABASE_MISSING', /cb_proj_store_0000000a carries its marker/);
      assert.deepEqual([await stateOf('shop'), await isThere('cb_proj_store_0000000a')], ['ready', true]);
    });

    it('because the role does not own it, before anything is changed', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      const role = await fixture.role();
      await fixture.sql(`grant all on projects to ${role.name}`);
      const theirs = await fixture.engine({ role });
      const dropping = theirs.dropProject({ project: 'shop', confirm: databaseName });
      await refuses(dropping, 'REGISTRY_FORBIDDEN', new RegExp(`${role.name} does not own database`));
      assert.deepEqual([await stateOf('shop'), await isThere(databaseName)], ['ready', true]);
      assert.equal((await theirs.resolve({ project: 'shop' })).outcome, 'resolved');
    });

    it('because it is being created at the moment', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await setState('provisioning');
      const dropping = engine.dropProject({ project: 'shop', confirm: databaseName });
      await refuses(dropping, 'PROJECT_CONFLICT', /is being created at the moment. Nothing was dropped/);
    });
  });

  describe('that was begun and not ended', () => {
    it('refuses every resolve, adopt and forget, and another drop finishes it', async () => {
      const { project, folder, databaseName } = await projectIn(fixture, engine, 'shop');
      await setState('dropping');
      const other = await fixture.engine();
      const answers = await Promise.all([
        engine.resolve({ directory: folder }),
        engine.resolve({ project: project.id }),
        other.resolve({ project: 'shop' }),
      ]);
      assert.deepEqual(
        answers.map(({ outcome, error }) => [outcome, error?.code]),
        Array(3).fill(['refused', 'PROJECT_FORGOTTEN']),
      );
      await refuses(other.adoptDatabase({ database: databaseName }), 'PROJECT_FORGOTTEN', /is being dropped/);
      await refuses(other.forgetProject({ project: 'shop' }), 'PROJECT_FORGOTTEN', /is being dropped/);
      assert.equal(await stateOf('shop'), 'dropping');
      await refuses(other.dropProject({ project: 'shop', confirm: null }), 'CONFIRMATION_REQUIRED', /destroys/);
      await other.dropProject({ project: 'shop', confirm: databaseName });
      assert.deepEqual([await fixture.row('shop'), await isThere(databaseName)], [undefined, false]);
    });

    it('is finished when the database is gone already', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await setState('dropping');
      await dropDatabase(databaseName);
      await engine.dropProject({ project: 'shop', confirm: databaseName });
      assert.equal(await fixture.row('shop'), undefined);
    });

    it('leaves alone what somebody put in the place of the database', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await setState('dropping');
      await dropDatabase(databaseName);
      await fixture.release(databaseName);
      await fixture.sql(`create database ${databaseName}`, [], 'postgres');
      await engine.dropProject({ project: 'shop', confirm: databaseName });
      assert.deepEqual([await fixture.row('shop'), await isThere(databaseName)], [undefined, true]);
    });

    it('because the server went away says so, and is finished by another drop or by a repair', async () => {
      for (const finish of ['drop', 'repair']) {
        const { databaseName } = await projectIn(fixture, engine, finish);
        fixture.spy.rewrite = (sql) =>
          sql.startsWith('drop database') ? 'select pg_terminate_backend(pg_backend_pid())' : null;
        const dropping = engine.dropProject({ project: finish, confirm: databaseName });
        await refuses(dropping, 'REGISTRY_UNREACHABLE', /./);
        fixture.spy.rewrite = null;
        assert.deepEqual([await stateOf(finish), await isThere(databaseName)], ['dropping', true]);
        if (finish === 'drop') await engine.dropProject({ project: finish, confirm: databaseName });
        else await assertRepaired(await fixture.engine(), ['finish-drop']);
        assert.deepEqual([await fixture.row(finish), await isThere(databaseName)], [undefined, false]);
      }
    });
  });

  describe('that only this daemon knows', () => {
    const refusing = async (work: () => Promise<void>): Promise<void> => {
      await fixture.sql(`create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'no space' using errcode = '53100'; end $$`);
      await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
      await work().finally(() => fixture.sql('drop function refuse cascade'));
    };

    it('destroys its database and removes the entry, and no delivery brings it back', async () => {
      const stateFolder = await fixture.stateFolder();
      const own = await fixture.engine({ stateFolder });
      await refusing(async () => {
        const { databaseName } = await projectIn(fixture, own, 'shop');
        assert.equal((await own.syncStatus()).pending.length, 1);
        await refuses(own.dropProject({ project: 'shop', confirm: 'x' }), 'CONFIRMATION_REQUIRED', /destroys/);
        await own.dropProject({ project: 'shop', confirm: databaseName });
        assert.equal(await isThere(databaseName), false);
        assert.deepEqual((await own.syncStatus()).pending, []);
      });
      await own.syncNow();
      await own.close();
      const again = await fixture.engine({ stateFolder });
      await again.syncNow();
      assert.deepEqual((await again.listProjects({})).projects, []);
      assert.equal((await again.resolve({ project: 'shop' })).error?.code, 'PROJECT_NOT_FOUND');
    });

    it('is finished after the daemon was stopped in between', async () => {
      const stateFolder = await fixture.stateFolder();
      const own = await fixture.engine({ stateFolder });
      await refusing(async () => {
        const { databaseName } = await projectIn(fixture, own, 'shop');
        fixture.spy.rewrite = (sql) =>
          sql.startsWith('drop database') ? 'select pg_terminate_backend(pg_backend_pid())' : null;
        const dropping = own.dropProject({ project: 'shop', confirm: databaseName });
        await refuses(dropping, 'REGISTRY_UNREACHABLE', /./);
        fixture.spy.rewrite = null;
        await own.close();
        const again = await fixture.engine({ stateFolder });
        assert.equal((await again.resolve({ project: 'shop' })).error?.code, 'PROJECT_FORGOTTEN');
        const found = (await findings(again)).filter(({ kind }) => kind !== 'config-without-row');
        assert.deepEqual(shape(found), ['interrupted-drop: finish-drop']);
        await again.dropProject({ project: 'shop', confirm: databaseName });
        assert.equal(await isThere(databaseName), false);
      });
    });
  });

  describe('X7: what the server refuses to drop', () => {
    const usable = async (name: string): Promise<void> => {
      assert.equal(await stateOf(name), 'ready');
      const answer = await engine.resolve({ project: name });
      assert.deepEqual([answer.outcome, answer.warnings], ['resolved', []]);
    };

    it('is found out before anything is changed: a template', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      await fixture.sql(`alter database ${databaseName} is_template true`, [], 'postgres');
      fixture.spy.take();
      await refuses(
        engine.dropProject({ project: 'shop', confirm: databaseName }),
        'PROVISION_FAILED',
        /cannot be dropped: it is a template\. Nothing was done/,
      );
      assert.deepEqual(
        fixture.spy.take().filter((sql) => /^\s*(?:with changed|update|drop|comment)/i.test(sql)),
        [],
      );
      await usable('shop');
      await fixture.sql(`alter database ${databaseName} is_template false`, [], 'postgres');
    });

    it('is found out before anything is changed: a session that this role may not end', async () => {
      const member = await fixture.role();
      await fixture.sql(`grant select, insert, update, delete on projects to ${member.name}`);
      const own = await fixture.engine({ role: member });
      const made = await own.createProject({ name: 'shop' });
      const databaseName = made.project?.databaseName ?? '';
      await fixture.sql('select 1', [], databaseName);
      const dropping = own.dropProject({ project: 'shop', confirm: databaseName });
      await assert.rejects(dropping, (error: unknown) => {
        assert.ok(error instanceof RegistrarError);
        assert.equal(error.code, 'PROVISION_FAILED');
        assert.match(error.message, /may not end the sessions in it: .*Nothing was done/);
        assert.match(error.hint, /GRANT pg_signal_backend TO/);
        return true;
      });
      assert.equal(await stateOf('shop'), 'ready');
      await fixture.release(databaseName);
      await own.dropProject({ project: 'shop', confirm: databaseName });
      assert.equal(await isThere(databaseName), false);
    });

    it('is no session that leaves while we look', async () => {
      const member = await fixture.role();
      await fixture.sql(`grant select, insert, update, delete on projects to ${member.name}`);
      const own = await fixture.engine({ role: member });
      const { project } = await own.createProject({ name: 'shop' });
      const databaseName = project?.databaseName ?? '';
      await fixture.sql('select 1', [], databaseName);
      let looks = 0;
      let released: Promise<void> | undefined;
      fixture.spy.onStatement = (sql) => {
        if (!sql.includes('pg_prepared_xacts')) return;
        looks += 1;
        // The first look has found it.
        if (looks === 2) released = fixture.release(databaseName);
      };
      await own.dropProject({ project: 'shop', confirm: databaseName });
      fixture.spy.onStatement = null;
      await released;
      assert.ok(looks >= 2, String(looks));
      assert.equal(await isThere(databaseName), false);
    });

    it('leaves the project usable at once where the server refuses all the same', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      fixture.spy.rewrite = (sql) => (sql.startsWith('drop database') ? 'select 1/0' : null);
      const dropping = engine.dropProject({ project: 'shop', confirm: databaseName });
      await refuses(dropping, 'PROVISION_FAILED', /could not be dropped: .*division by zero/);
      fixture.spy.rewrite = null;
      await usable('shop');
      assert.equal(await isThere(databaseName), true);
      await engine.dropProject({ project: 'shop', confirm: databaseName });
      assert.equal(await isThere(databaseName), false);
    });
  });

  describe('H10: while others use it', () => {
    it('ends dropped while another daemon resolves it all the time, and nothing makes it again unasked', async function () {
      this.timeout(60_000);
      const { project, databaseName } = await projectIn(fixture, engine, 'shop');
      const other = await fixture.engine();
      await other.resolve({ project: project.id });
      fixture.spy.take();
      const answers: Resolution[] = [];
      let isDropped = false;
      const storm = async (resolver: Engine, reference: string): Promise<void> => {
        for (let after = 0; after < 5; after += isDropped ? 1 : 0) {
          answers.push(await resolver.resolve({ project: reference }));
        }
      };
      const storms = [engine, other].flatMap((one) => [storm(one, project.id), storm(one, 'shop'), storm(one, 'shop')]);
      await engine.dropProject({ project: 'shop', confirm: databaseName });
      isDropped = true;
      await Promise.all(storms);
      for (const { outcome, error, project: answered } of answers) {
        if (outcome === 'resolved') assert.equal(answered?.id, project.id);
        else assert.ok(['PROJECT_FORGOTTEN', 'PROJECT_NOT_FOUND'].includes(error?.code ?? ''), JSON.stringify(error));
      }
      assert.ok(answers.length > 30);
      assert.deepEqual(
        answers.slice(-6).map(({ error }) => error?.code),
        Array(6).fill('PROJECT_NOT_FOUND'),
      );
      assert.deepEqual(
        fixture.spy.take().filter((sql) => /create database|insert into public\.projects/i.test(sql)),
        [],
      );
      assert.deepEqual([await fixture.row('shop'), await isThere(databaseName)], [undefined, false]);
      assert.deepEqual(await findings(other), []);
    });

    it('ends dropped while others resolve its folder, and nobody makes it again', async function () {
      this.timeout(60_000);
      const { project, folder, databaseName } = await projectIn(fixture, engine, 'shop');
      const others = await Promise.all([fixture.engine(), fixture.engine()]);
      const storms = others.map(async (one) => {
        const answers: Resolution[] = [];
        for (let count = 0; count < 12; count++) answers.push(await one.resolve({ directory: folder }));
        return answers;
      });
      await engine.dropProject({ project: project.id, confirm: databaseName });
      const answers = (await Promise.all(storms)).flat();
      for (const { outcome, error } of answers) {
        if (outcome === 'resolved') continue;
        assert.equal(outcome, 'refused');
        assert.match(error?.code ?? '', /^PROJECT_(?:FORGOTTEN|DROPPED)$/, JSON.stringify(error));
      }
      assert.deepEqual([await fixture.row(project.id), await isThere(databaseName)], [undefined, false]);
      assert.deepEqual(
        (await findings(engine)).filter(({ kind }) => kind !== 'config-without-row'),
        [],
      );
      const last = await engine.resolve({ directory: folder });
      assert.equal(last.error?.code, 'PROJECT_DROPPED');
    });

    it('and a dozen others are dropped, each gets its turn', async function () {
      this.timeout(60_000);
      const names = Array.from({ length: 12 }, (_, index) => `project ${String(index)}`);
      const made = [];
      for (const name of names) made.push(await projectIn(fixture, engine, name));
      await Promise.all(
        made.map(({ project, databaseName }) => engine.dropProject({ project: project.id, confirm: databaseName })),
      );
      assert.deepEqual([await fixture.databases(), (await engine.listProjects({})).projects], [[], []]);
    });

    it('is done once by several daemons', async () => {
      const { databaseName } = await projectIn(fixture, engine, 'shop');
      const engines = await Promise.all([fixture.engine(), fixture.engine(), fixture.engine(), fixture.engine()]);
      fixture.spy.take();
      const results = await Promise.allSettled(
        engines.map((one) => one.dropProject({ project: 'shop', confirm: databaseName })),
      );
      for (const result of results) {
        if (result.status === 'rejected')
          assert.equal((result.reason as RegistrarError).code, 'PROJECT_NOT_FOUND', String(result.reason));
      }
      assert.equal(fixture.spy.take().filter((sql) => sql.startsWith('drop database')).length, 1);
      assert.deepEqual([await fixture.row('shop'), await isThere(databaseName)], [undefined, false]);
    });

    it('does not destroy the project that takes its place, with the same id and database name', async () => {
      const { project, folder, databaseName } = await projectIn(fixture, engine, 'shop');
      const slow = await fixture.engine();
      await setState('dropping');
      await fixture.sql('begin');
      await fixture.sql('select from projects where id = $1 for update', [project.id]);
      const dropping = slow.dropProject({ project: 'shop', confirm: databaseName });
      await someoneWaits(fixture);
      // Meanwhile a faster daemon finishes, and somebody makes the project anew.
      await dropDatabase(databaseName);
      await fixture.sql('delete from projects where id = $1', [project.id]);
      await fixture.sql('commit');
      const anew = await engine.createProject({ name: 'shop', directory: folder });
      await dropping;
      assert.deepEqual([anew.project?.id, anew.project?.databaseName], [project.id, databaseName]);
      assert.deepEqual([await stateOf('shop'), await isThere(databaseName)], ['ready', true]);
    });
  });
});
