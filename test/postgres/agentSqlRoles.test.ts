import assert from 'node:assert/strict';
import { agentProject } from '../support/agentSqlFixture.ts';
import { startPgBouncer, whyNoPgBouncer } from '../support/pgBouncer.ts';
import { registryFixture, type RegistryFixture, type Role } from '../support/registryFixture.ts';
import { resolved, thrown } from '../support/resolutionAssertions.ts';
import { addressOf } from '../support/serverAddress.ts';

describe('the roles that SQL of agents runs as', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
    // The superuser makes the registry; everyone else has what a test grants.
    resolved(await (await fixture.engine()).createProject({ name: 'elder' }));
  });
  after(() => fixture.close());

  async function roleWith(attributes: string): Promise<Role> {
    const role = await fixture.role(attributes);
    await fixture.sql(`grant select, insert, update, delete on projects to ${role.name}`);
    return role;
  }

  async function agentRoles(id: string): Promise<string[]> {
    const rows = await fixture.sql<{ rolname: string }>(
      'select rolname from pg_roles where starts_with(rolname::text, $1) order by 1',
      [`registrar_agent_${id.replaceAll('-', '')}`],
    );
    return rows.map(({ rolname }) => rolname);
  }

  it('may log in and nothing else, and own nothing', async () => {
    const shop = await agentProject(fixture, 'shop');
    await shop.sql('create table goods (id int)');
    const name = await shop.role();
    assert.match(name, new RegExp(`^registrar_agent_${shop.id.replaceAll('-', '')}_[0-9a-f]{12}$`));
    const [role] = await shop.sql(
      `select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit
       from pg_roles where rolname = $1`,
      [name],
    );
    assert.deepEqual(role, {
      ...{ rolsuper: false, rolinherit: false, rolcreaterole: false, rolcreatedb: false, rolcanlogin: true },
      ...{ rolreplication: false, rolbypassrls: false, rolconnlimit: 10 },
    });
    const [secret] = await shop.sql<{ kept: string }>('select rolpassword as kept from pg_authid where rolname = $1', [
      name,
    ]);
    assert.match(secret?.kept ?? '', /^SCRAM-SHA-256\$4096:/);
    const [rights] = await shop.sql(
      `select has_schema_privilege($1::name, 'public', 'CREATE') as makes, has_table_privilege($1::name, 'goods', 'SELECT') as reads,
              has_table_privilege($1::name, 'goods', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') as writes,
              has_database_privilege($1::name, current_database(), 'CREATE') as makes_schemas,
              has_table_privilege($1::name, 'pg_authid', 'SELECT') as passwords,
              (select count(*)::int from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = $1) as memberships,
              (select datacl::text from pg_database where datname = current_database()) as granted`,
      [name],
    );
    assert.deepEqual(rights, {
      ...{ makes: false, reads: true, writes: false, makes_schemas: false, passwords: false, memberships: 0 },
      granted: null,
    });
    // No statement holds the password, only what the server keeps of it.
    const said = fixture.spy.statements.filter((sql) => sql.includes(name) && sql.includes('password'));
    assert.ok(said.length > 0 && said.every((sql) => sql.includes(`password 'SCRAM-SHA-256$`)), said.join('\n'));
  });

  it('are one for each project and state folder, so that daemons do not disturb each other', async () => {
    const first = await agentProject(fixture, 'shared');
    const second = await fixture.engine();
    const other = await agentProject(fixture, 'apart', { stateFolder: await fixture.stateFolder() });
    const ask = (engine: typeof second) =>
      engine.queryDatabase({ project: first.id, sql: 'select current_user::text' });
    const names = new Set<unknown>();
    for (let round = 0; round < 3; round += 1) {
      for (const engine of [first.engine, second]) names.add((await ask(engine)).result?.rows[0]?.[0]);
    }
    assert.equal(names.size, 2);
    assert.ok(!names.has(await other.role()));
    const passwords = fixture.spy.statements.filter(
      (sql) => /^(create|alter) role/.test(sql) && sql.includes('password'),
    );
    for (const name of names) assert.equal(passwords.filter((sql) => sql.includes(String(name))).length, 1);
  });

  it('serve the next daemon of the state folder, and the one before until it has gone', async () => {
    const stateFolder = await fixture.stateFolder();
    const old = await agentProject(fixture, 'handed over', { stateFolder });
    const name = await old.role();
    const next = await fixture.engine({ stateFolder });
    const ask = async (engine: typeof next): Promise<unknown> =>
      (await engine.queryDatabase({ project: old.id, sql: 'select current_user::text' })).result?.rows[0]?.[0];
    assert.deepEqual([await ask(next), await ask(old.engine), await ask(next)], [name, name, name]);
    assert.deepEqual(await agentRoles(old.id), [name]);
  });

  it('go when their project is dropped', async () => {
    const gone = await agentProject(fixture, 'gone');
    await gone.sql('create table goods (id int)');
    const second = await fixture.engine();
    await gone.ask('select 1');
    await second.queryDatabase({ project: gone.id, sql: 'select 1' });
    assert.equal((await agentRoles(gone.id)).length, 2);
    await gone.engine.dropProject({ project: gone.id, confirm: gone.databaseName });
    assert.deepEqual(await agentRoles(gone.id), []);
  });

  it('are refused when somebody gave them more, and nothing is run', async () => {
    const spoilt = await agentProject(fixture, 'spoilt');
    const name = await spoilt.role();
    for (const [give, take] of [
      [`alter role "${name}" createdb`, `alter role "${name}" nocreatedb`],
      [`grant pg_monitor to "${name}"`, `revoke pg_monitor from "${name}"`],
    ] as const) {
      await spoilt.sql(give);
      const error = await spoilt.refuse('select 4711', 'REGISTRY_FORBIDDEN');
      assert.match(error.message, /more rights than it should\. Nothing was run/);
      await spoilt.sql(take);
      assert.deepEqual((await spoilt.ask('select 1')).rows, [[1]]);
    }
  });

  it('read through the schema that a project database gets', async () => {
    const owned = await agentProject(fixture, 'policies');
    await owned.sql(`create table notes (id int); insert into notes values (1), (2);
      alter table notes enable row level security; create policy odd on notes using (id % 2 = 1)`);
    assert.deepEqual((await owned.ask('select id from notes')).rows, [[1]]);
  });

  describe('where the daemon’s role is no superuser', () => {
    it('are made with CREATEROLE, and read what the role owns', async () => {
      const role = await roleWith('createdb createrole');
      const modest = await agentProject(fixture, 'modest', {
        address: addressOf(fixture.url(role)),
        stateFolder: await fixture.stateFolder(),
      });
      await modest.sql(`set role ${role.name}; create table goods (id int); insert into goods values (1); reset role`);
      assert.deepEqual((await modest.ask('select id from goods')).rows, [[1]]);
      // A superuser's table is not the role's to give; its owner can.
      await modest.sql('create table private (id int); insert into private values (2)');
      const error = await modest.refuse('select id from private', 'SQL_FAILED');
      const agent = (await agentRoles(modest.id))[0] ?? assert.fail();
      assert.ok(error.hint.includes(`GRANT SELECT ON … TO "${agent}"`), error.hint);
      const { description } = await modest.engine.describeDatabase({ project: modest.id });
      assert.deepEqual(
        description?.tables.map(({ name }) => name),
        ['goods'],
      );
      fixture.spy.take();
      await modest.refuse('select id from private', 'SQL_FAILED');
      assert.ok(
        !fixture.spy.take().some((sql) => sql.startsWith('grant')),
        'what cannot be had is not asked for again',
      );
      await modest.sql(`grant select on private to "${agent}"`);
      assert.deepEqual((await modest.ask('select id from private')).rows, [[2]]);
      const [config] = await modest.sql('select rolconfig from pg_roles where rolname = $1', [agent]);
      assert.deepEqual(config, { rolconfig: null });
    });

    it('do not keep the role from dropping their project, even while they are asked', async () => {
      const role = await roleWith('createdb createrole');
      const engine = await fixture.engine({ role });
      const { id, databaseName } = resolved(await engine.createProject({ name: 'dropped' }));
      const sql = 'select pg_sleep(1e9)';
      const asked = thrown(engine.queryDatabase({ project: id, sql }), 'REGISTRY_UNREACHABLE');
      const running = (): Promise<unknown[]> =>
        fixture.sql(`select from pg_stat_activity where datname = $1 and wait_event = 'PgSleep'`, [databaseName]);
      while ((await running()).length === 0);
      await engine.dropProject({ project: id, confirm: databaseName });
      await asked;
      assert.deepEqual(await agentRoles(id), []);
    });

    it('are not made without CREATEROLE, which is named', async () => {
      const role = await roleWith('createdb');
      const engine = await fixture.engine({ role });
      const { id } = resolved(await engine.createProject({ name: 'grounded' }));
      for (const asked of [
        () => engine.queryDatabase({ project: id, sql: 'select 1' }),
        () => engine.describeDatabase({ project: id }),
      ]) {
        const error = await thrown(asked(), 'REGISTRY_FORBIDDEN');
        assert.match(error.message, new RegExp(`role ${role.name} may not create one: CREATEROLE is missing`));
        assert.equal(error.hint, `As a superuser: ALTER ROLE "${role.name}" CREATEROLE;`);
      }
      assert.deepEqual(await agentRoles(id), []);
      await fixture.sql(`alter role ${role.name} createrole`);
      const { result } = await engine.queryDatabase({ project: id, sql: 'select 1' });
      assert.deepEqual(result?.rows, [[1]]);
    });

    it('need ADMIN OPTION where somebody else made them, which is named', async function () {
      const [server] = await fixture.sql<{ version: number }>(
        `select current_setting('server_version_num')::int as version`,
      );
      const stateFolder = await fixture.stateFolder();
      const first = await agentProject(fixture, 'inherited', { stateFolder });
      const name = await first.role();
      const role = await roleWith('createdb createrole');
      const engine = await fixture.engine({ role, stateFolder });
      const ask = () => engine.queryDatabase({ project: first.id, sql: 'select 1' });
      if ((server?.version ?? 0) < 160_000) {
        // Before PostgreSQL 16, CREATEROLE is enough for every role that is no superuser.
        assert.deepEqual((await ask()).result?.rows, [[1]]);
        return;
      }
      const error = await thrown(ask(), 'REGISTRY_FORBIDDEN');
      assert.equal(error.hint, `As a superuser: GRANT "${name}" TO "${role.name}" WITH ADMIN OPTION;`);
      await fixture.sql(`grant "${name}" to "${role.name}" with admin option`);
      assert.deepEqual((await ask()).result?.rows, [[1]]);
    });
  });

  it('are asked on direct connections only: a pooler is refused, with what to do', async function () {
    const reason = whyNoPgBouncer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    const pooledProject = await agentProject(fixture, 'pooled');
    const { username, password } = new URL(fixture.url());
    const bouncer = await startPgBouncer({
      port: fixture.spy.port,
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    });
    try {
      const url = new URL(fixture.url());
      url.port = String(bouncer.port);
      const engine = await fixture.engine({ address: addressOf(url.href) });
      const asked = engine.queryDatabase({ project: pooledProject.id, sql: 'select 1' });
      const error = await thrown(asked, 'REGISTRY_FORBIDDEN');
      assert.match(error.hint, /pooler|server’s own address|the server itself/);
      await engine.close();
    } finally {
      await bouncer.close();
    }
  });
});
