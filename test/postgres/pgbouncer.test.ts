import assert from 'node:assert/strict';
import pg from 'pg';
import type { Engine } from '../../daemon/engine/engine.ts';
import { RegistryDatabase } from '../../daemon/postgres/registry/registryDatabase.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { startPgBouncer, whyNoPgBouncer, type PgBouncer } from '../support/pgBouncer.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, creations, refused, resolved, thrown } from '../support/resolutionAssertions.ts';
import { addressOf } from '../support/serverAddress.ts';

describe('a registry behind PgBouncer in transaction mode', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let bouncer: PgBouncer;

  before(async function () {
    const reason = whyNoPgBouncer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    fixture = await registryFixture();
    const { username, password } = new URL(fixture.url());
    bouncer = await startPgBouncer({
      port: fixture.spy.port,
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    });
  });
  after(async () => {
    // Not there where nothing was run.
    await (bouncer as PgBouncer | undefined)?.close();
    await (fixture as RegistryFixture | undefined)?.close();
  });

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  function pooled(): string {
    const url = new URL(fixture.url());
    url.port = String(bouncer.port);
    return url.href;
  }

  function engine(): Promise<Engine> {
    return fixture.engine({ address: addressOf(pooled()) });
  }

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  it('makes the registry and the first project', async () => {
    const folder = await workspace('first');
    const answer = await (await engine()).resolve({ directory: folder });
    assert.deepEqual(path(answer), found);
    assert.deepEqual([answer.created, answer.sync], [true, { state: 'synced' }]);
    assert.deepEqual(answer.warnings, []);
    await assertAgreement(fixture, resolved(answer), folder);
  });

  it('C3: 32 first resolves at once make one project, 32 folders make 32', async () => {
    const one = await engine();
    const folder = await workspace('crowd');
    const before = await fixture.databases();
    const answers = await Promise.all(Array.from({ length: 32 }, () => one.resolve({ directory: folder })));
    assert.equal(new Set(answers.map((answer) => resolved(answer).id)).size, 1);
    for (const answer of answers) assert.deepEqual(path(answer), found);
    assert.equal((await fixture.databases()).length, before.length + 1);

    fixture.spy.take();
    const folders = await Promise.all(Array.from({ length: 32 }, (_, index) => workspace(`each ${String(index)}`)));
    const each = await Promise.all(folders.map((directory) => one.resolve({ directory })));
    assert.equal(new Set(each.map((answer) => resolved(answer).databaseName)).size, 32);
    assert.equal(creations(fixture.spy.take()).length, 32);
    const again = await Promise.all(folders.map((directory) => one.resolve({ directory })));
    for (const [index, answer] of again.entries()) {
      assert.equal(resolved(answer).id, each[index]?.project?.id);
      assert.deepEqual([answer.created, answer.stale, answer.warnings], [false, false, []]);
    }
  });

  it('creates, lists, renames, forgets and adopts', async () => {
    const one = await engine();
    const project = resolved(await one.createProject({ name: 'by name' }));
    assert.equal(resolved(await one.updateProject({ project: project.id, name: 'renamed' })).name, 'renamed');
    await assertAgreement(fixture, { ...project, name: 'renamed' }, null);
    assert.ok((await one.listProjects({ query: 'renamed' })).projects.some(({ id }) => id === project.id));
    await one.forgetProject({ project: project.id });
    assert.equal(await fixture.row(project.id), undefined);
    refused(await one.resolve({ project: project.id }), 'PROJECT_NOT_FOUND');
    const adopted = resolved(await one.adoptDatabase({ database: project.databaseName }));
    assert.equal(adopted.id, project.id);
    await assertAgreement(fixture, adopted, null);
  });

  it('two engines agree on who has a name', async () => {
    const [one, other] = await Promise.all([engine(), engine()]);
    const outcomes = await Promise.allSettled([one, other].map((each) => each.createProject({ name: 'wanted' })));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    await thrown(other.createProject({ name: 'wanted' }), 'PROJECT_CONFLICT');
  });

  describe('named statements', () => {
    const numbered = { name: 'number', text: 'select $1::int as number', values: [7] };
    const seven = [{ number: 7 }];
    let databases: RegistryDatabase[];
    let clients: pg.Client[];
    let made: string | null = null;
    beforeEach(() => {
      databases = [];
      clients = [];
    });
    afterEach(async () => {
      await Promise.all(clients.map((client) => client.end()));
      await Promise.all(databases.map((database) => database.close()));
      if (made !== null) await fixture.sql(`drop database ${made} with (force)`, [], 'postgres');
      made = null;
    });

    /** Each test has a database of its own, hence server connections of its own that nobody prepared anything on. */
    async function registryNamed(name: string): Promise<{ open(): RegistryDatabase; visit(): Promise<pg.Client> }> {
      const database = `${fixture.registry}_${name}`;
      await fixture.sql(`create database ${database}`, [], 'postgres');
      made = database;
      const url = new URL(pooled());
      url.pathname = `/${database}`;
      return {
        open() {
          const opened = new RegistryDatabase(addressOf(url.href), patientLimits);
          databases.push(opened);
          return opened;
        },
        async visit() {
          const client = new pg.Client({ connectionString: url.href });
          await client.connect();
          clients.push(client);
          return client;
        },
      };
    }

    function timesParsed(): number {
      return fixture.spy.take().filter((sql) => sql === numbered.text).length;
    }

    it('fall back where the next server connection does not have them (26000)', async () => {
      const { open, visit } = await registryNamed('unknown');
      const database = open();
      fixture.spy.take();
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
      // Prepared once: until here nobody was in between.
      assert.equal(timesParsed(), 1);
      const occupant = await visit();
      await occupant.query('begin');
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
      assert.equal(timesParsed(), 1);
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
      assert.equal(timesParsed(), 1);
    });

    it('fall back where another client has prepared them already (42P05)', async () => {
      const { open } = await registryNamed('taken');
      const [one, other] = [open(), open()];
      assert.deepEqual(await one.query(numbered, patientLimits.lookMs), seven);
      fixture.spy.take();
      assert.deepEqual(await other.query(numbered, patientLimits.lookMs), seven);
      assert.equal(timesParsed(), 2);
    });

    it("never run another version's statement of the same name", async () => {
      const { open, visit } = await registryNamed('foreign');
      const database = open();
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
      const occupant = await visit();
      await occupant.query('begin');
      // The connection that is free now gets what another version of Registrar calls by this name.
      await (await visit()).query({ name: numbered.name, text: 'select $1::int + 1 as number', values: [7] });
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
    });

    it('are not used in transactions, which keep to one server connection', async () => {
      const { open, visit } = await registryNamed('transaction');
      const database = open();
      await database.query(numbered, patientLimits.lookMs);
      const pids = await database.transaction(patientLimits.writeMs, async (execute) => {
        const seen = [await execute(numbered.text, [7]), await execute('select pg_backend_pid() as pid')];
        const occupant = await visit();
        await occupant.query('begin');
        return [...seen, await execute('select pg_backend_pid() as pid'), await execute(numbered.text, [7])].map(
          ({ rows }) => rows[0],
        );
      });
      assert.deepEqual(pids[0], seven[0]);
      assert.deepEqual(pids[1], pids[2]);
      assert.deepEqual(pids[3], seven[0]);
      await assert.rejects(
        database.transaction(patientLimits.writeMs, (execute) => execute('select 1 / 0')),
        { code: '22012' },
      );
      assert.deepEqual(await database.query(numbered, patientLimits.lookMs), seven);
    });
  });
});
