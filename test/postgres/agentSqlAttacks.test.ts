import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { agentProject, type AgentProjectFixture } from '../support/agentSqlFixture.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

describe('SQL of an agent that means harm', function () {
  this.timeout(60_000);
  const secret = `secret-${randomBytes(8).toString('hex')}`;
  const file = join(tmpdir(), `registrar-attack-${randomBytes(8).toString('hex')}`);
  let fixture: RegistryFixture;
  let shop: AgentProjectFixture;
  let other: AgentProjectFixture;
  /** A superuser's session in the other project, idle after a statement that holds the secret. */
  let bystander: pg.Client;
  let bystanderPid: number;
  let role: string;
  let major: number;

  before(async () => {
    fixture = await registryFixture();
    shop = await agentProject(fixture, 'shop');
    other = await agentProject(fixture, 'other');
    await other.sql(`create table notes (text text); insert into notes values ('${secret}')`);
    await shop.sql(`
      create table goods (id int primary key, name text);
      insert into goods values (1, 'apple');
      create sequence numbers;
      create function definer_writes() returns int language sql security definer
        as 'insert into goods values (99, ''pear'') returning id';
      create function invoker_writes() returns int language sql
        as 'insert into goods values (98, ''plum'') returning id';
      create function opens() returns text language plpgsql security definer
        as $$ begin perform set_config('transaction_read_only', 'off', false);
              insert into goods values (97, 'fig'); return 'open'; end $$;
      create procedure commits(inout n int) language plpgsql as $$ begin commit; insert into goods values (96, 'kiwi'); end $$;
      select lo_from_bytea(4711, '${secret}');
      comment on large object 4711 is null;`);
    const url = new URL(fixture.url());
    url.pathname = `/${other.databaseName}`;
    bystander = new pg.Client({ connectionString: url.href });
    await bystander.connect();
    const { rows } = await bystander.query<{ pid: number }>(`select pg_backend_pid() as pid, '${secret}' as secret`);
    role = await shop.role();
    major = Math.floor(Number((await shop.sql('show server_version_num'))[0]?.['server_version_num']) / 10_000);
    bystanderPid = rows[0]?.pid ?? assert.fail();
  });
  after(async () => {
    await bystander.end();
    await fixture.close();
  });

  /** All that a query could have changed. */
  async function state(): Promise<unknown> {
    const [row] = await shop.sql(
      `
      select (select json_agg(g order by id) from goods g) as goods, (select last_value from numbers) as number,
             (select is_called from numbers) as called,
             (select json_agg(c.relname order by c.oid) from pg_class c where c.oid >= 16384) as relations,
             (select json_agg(p.proname order by p.oid) from pg_proc p where p.oid >= 16384) as functions,
             (select json_agg(l.oid order by l.oid) from pg_largeobject_metadata l) as objects,
             (select md5(string_agg(data, '' order by pageno)) from pg_largeobject) as object_data,
             (select json_agg(s order by s.setrole) from pg_db_role_setting s
              where s.setrole = (select oid from pg_roles where rolname = $1)) as settings,
             (select json_build_object('role', a.rolname, 'super', a.rolsuper, 'password', a.rolpassword)
              from pg_authid a where a.rolname = $1) as role`,
      [role],
    );
    return row;
  }

  /** The query is refused with one of the states (null: by us, before it runs), tells nothing and changes nothing. */
  async function assertRefused(
    sql: string,
    code: 'SQL_REJECTED' | 'SQL_FAILED',
    states: (string | null)[],
  ): Promise<void> {
    const before = await state();
    const error = await shop.refuse(sql, code);
    const sqlState = error.details?.['sqlState'] ?? /\(([0-9A-Z]{5})\)/.exec(error.message)?.[1] ?? null;
    assert.ok(
      states.some((expected) => expected === sqlState),
      `${sql}: ${error.message}`,
    );
    assert.ok(!JSON.stringify(error).includes(secret), JSON.stringify(error));
    assert.deepEqual(await state(), before, sql);
    assert.equal(existsSync(file), false);
  }

  describe('is refused before anything runs', () => {
    const notReads = {
      'nothing at all': '',
      'a comment alone': '-- select 1',
      'two statements': 'select 1; delete from goods',
      'a statement behind a comment': 'select 1 /* ; */; drop table goods',
      'COPY to a program': `copy goods to program 'touch ${file}'`,
      'COPY to a file': `copy goods to '${file}'`,
      'COPY to the client': 'copy goods to stdout',
      'COPY from a program': `copy goods from program 'echo 2,pear'`,
      'COPY from the client': 'copy goods from stdin',
      INSERT: `insert into goods values (2, 'pear')`,
      UPDATE: `update goods set name = 'pear'`,
      DELETE: 'delete from goods',
      TRUNCATE: 'truncate goods',
      MERGE: 'merge into goods using goods g on false when not matched then insert values (3, null)',
      'CREATE TABLE AS': 'create table stolen as select * from goods',
      'SELECT INTO': 'select * into stolen from goods',
      'a temporary table': 'create temporary table t (id int)',
      DROP: 'drop table goods',
      DO: `do $$ begin insert into goods values (2, 'pear'); end $$`,
      COMMIT: 'commit',
      ROLLBACK: 'rollback',
      BEGIN: 'begin read write',
      'PREPARE TRANSACTION': `prepare transaction 'x'`,
      SAVEPOINT: 'savepoint s',
      'SET TRANSACTION READ WRITE': 'set transaction read write',
      'SET SESSION CHARACTERISTICS': 'set session characteristics as transaction read write',
      'SET ROLE': 'set role postgres',
      'SET SESSION AUTHORIZATION': 'set session authorization default',
      RESET: 'reset all',
      DISCARD: 'discard all',
      'SET statement_timeout': 'set statement_timeout = 0',
      LOAD: `load '$libdir/plpgsql'`,
      LISTEN: 'listen everything',
      NOTIFY: `notify everything, 'x'`,
      LOCK: 'lock table goods in access exclusive mode',
      'DECLARE CURSOR': 'declare c cursor with hold for select 1',
      PREPARE: 'prepare p as select 1',
      'its own statement again': 'execute agent',
      'CREATE ROLE': 'create role mighty superuser',
      'ALTER ROLE': `alter role current_user password 'mine'`,
      GRANT: 'grant select on goods to public',
      'CREATE EXTENSION': 'create extension dblink',
      'CREATE DATABASE': 'create database stolen',
      VACUUM: 'vacuum',
      CHECKPOINT: 'checkpoint',
      'ALTER SYSTEM': `alter system set archive_command = 'touch ${file}'`,
    };
    for (const [title, sql] of Object.entries(notReads)) {
      it(title, async () => {
        // No statement at all before PostgreSQL 15.
        const isKnown = title !== 'MERGE' || major >= 15;
        await assertRefused(sql, isKnown ? 'SQL_REJECTED' : 'SQL_FAILED', [null, '42601']);
      });
    }
  });

  describe('is refused by the read-only transaction', () => {
    const writes = {
      'INSERT … RETURNING': `insert into goods values (2, 'pear') returning id`,
      'a writable CTE': `with gone as (delete from goods returning *) select * from gone`,
      'EXPLAIN ANALYZE of a write': 'explain analyze delete from goods',
      'a function that writes': 'select invoker_writes()',
      'a SECURITY DEFINER function that writes': 'select definer_writes()',
      nextval: `select nextval('numbers')`,
      setval: `select setval('numbers', 100)`,
      'SELECT FOR UPDATE': 'select * from goods for update',
    };
    for (const [title, sql] of Object.entries(writes)) {
      it(title, async () => {
        // Without the privilege, PostgreSQL may say so first; SECURITY DEFINER has it.
        const before = await state();
        const { result, error } = await shop.engine.queryDatabase({ project: shop.id, sql }).then(
          (answer) => ({ ...answer, error: null }),
          (reason: unknown) => ({ result: null, error: reason as { code: string; message: string } }),
        );
        assert.equal(result, null);
        assert.ok(error);
        assert.match(`${error.code} ${error.message}`, /SQL_REJECTED .*\(25006\)|SQL_FAILED .*\(42501\)/);
        assert.deepEqual(await state(), before);
      });
    }

    it('which no function opens again', () => assertRefused('select opens()', 'SQL_FAILED', ['25001']));
    it('which set_config does not open', () =>
      assertRefused(`select set_config('transaction_read_only', 'off', true)`, 'SQL_FAILED', ['25001']));
    it('which a procedure does not end', () => assertRefused('call commits(1)', 'SQL_FAILED', ['2D000']));
  });

  describe('is refused by the role', () => {
    const forbidden: Record<string, [sql: string, ...states: string[]]> = {
      'set_config of the role': [`select set_config('role', 'postgres', false)`, '42501', '22023'],
      'set_config of the session authorization': [
        `select set_config('session_authorization', (select rolname from pg_roles where rolsuper limit 1), false)`,
        '42501',
      ],
      'set_config of what only a superuser sets': [`select set_config('temp_file_limit', '-1', false)`, '42501'],
      pg_read_file: [`select pg_read_file('/etc/passwd')`, '42501'],
      pg_read_binary_file: [`select pg_read_binary_file('PG_VERSION')`, '42501'],
      pg_stat_file: [`select pg_stat_file('/etc/passwd')`, '42501'],
      pg_ls_dir: [`select pg_ls_dir('/')`, '42501'],
      pg_ls_logdir: ['select * from pg_ls_logdir()', '42501'],
      lo_import: [`select lo_import('/etc/passwd')`, '42501'],
      lo_export: [`select lo_export(4711, '${file}')`, '42501', '25006'],
      'another’s large object': ['select lo_get(4711)', '42501'],
      pg_authid: ['select rolpassword from pg_authid', '42501'],
      pg_shadow: ['select passwd from pg_shadow', '42501'],
      pg_hba_file_rules: ['select * from pg_hba_file_rules', '42501'],
      'a secret setting': [`select current_setting('hba_file')`, '42501'],
      'another’s WAL': ['select pg_switch_wal()', '42501'],
      'another database by name': ['select * from cb_proj_other_00000000.public.notes', '0A000'],
    };
    for (const [title, [sql, ...states]] of Object.entries(forbidden)) {
      it(title, () => assertRefused(sql, 'SQL_FAILED', states));
    }

    it('to end or cancel another’s session', async () => {
      for (const attack of ['pg_terminate_backend', 'pg_cancel_backend']) {
        await assertRefused(`select ${attack}(${String(bystanderPid)})`, 'SQL_FAILED', ['42501']);
      }
      assert.equal((await bystander.query('select 1')).rowCount, 1);
      await bystander.query(`select '${secret}'`);
    });
  });

  it('sees no statement of another project', async () => {
    const { rows } = await shop.ask('select pid, query from pg_stat_activity', { limit: 1000 });
    const seen = rows.find(([pid]) => pid === bystanderPid);
    assert.ok(seen, 'the session is there, as for everyone');
    assert.ok(!JSON.stringify(rows).includes(secret), JSON.stringify(seen));
  });

  it('reaches no other database through dblink', async function () {
    const [available] = await shop.sql(`select from pg_available_extensions where name = 'dblink'`);
    if (!available) {
      console.log('      not run: this server has no dblink');
      this.skip();
    }
    await shop.sql('create extension dblink');
    const read = `select * from dblink('dbname=${other.databaseName}', 'select text from notes') as t(text text)`;
    await assertRefused(read, 'SQL_FAILED', ['2F003']);
    const url = new URL(fixture.url());
    const guess = `host=127.0.0.1 port=${url.port} dbname=${other.databaseName} user=${role} password=guess sslmode=disable`;
    await assertRefused(read.replace(/dbname=\w+/, guess), 'SQL_FAILED', ['08001', '2F003']);
    await assertRefused(`select dblink_connect_u('dbname=${other.databaseName}')`, 'SQL_FAILED', ['42501']);
  });

  it('makes large objects that are gone with its transaction', async () => {
    const before = await state();
    // PostgreSQL 16 refuses it as a write; before, it is rolled back.
    await shop.engine
      .queryDatabase({ project: shop.id, sql: `select lo_from_bytea(0, 'x')` })
      .catch((error: unknown) => error);
    assert.deepEqual(await state(), before);
  });

  it('leaves no lock, setting, cursor or notification behind', async () => {
    await bystander.query('listen registrar_attack');
    let heard = false;
    bystander.on('notification', () => (heard = true));
    await shop.ask('select pg_advisory_lock(4711)');
    await shop.ask(`select pg_notify('registrar_attack', 'x')`);
    await shop.ask(`select set_config('search_path', 'nowhere', false), set_config('statement_timeout', '0', false)`);
    const { rows } = await shop.ask(
      `select current_setting('search_path'), current_setting('statement_timeout'), (select count(*)::int from pg_cursors where name <> '')`,
    );
    assert.deepEqual(rows, [['"$user", public', '30s', 0]]);
    // Waits until the session that had the lock is gone, within the test's limit.
    await shop.sql('select pg_advisory_lock(4711)');
    await shop.sql('select pg_advisory_unlock(4711)');
    assert.equal(heard, false);
  });

  /** The transaction and the check of the statement are two walls; the role is the third, and stands alone here. */
  it('could do nothing more with the role itself', async () => {
    await shop.sql(`alter role "${role}" password 'known'`);
    const url = new URL(fixture.url({ name: role, password: 'known' }));
    url.pathname = `/${shop.databaseName}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      const before = await shop.sql('select * from goods');
      const attacks = [
        ...[`copy goods to program 'touch ${file}'`, `copy goods to '${file}'`, `copy goods from program 'echo 2,x'`],
        ...[`insert into goods values (2, 'x')`, `update goods set name = 'x'`, 'delete from goods', 'truncate goods'],
        ...['create schema mine', 'create table public.mine (id int)', 'create database mine', 'drop table goods'],
        ...['create role mine', `alter role "${role}" superuser`, 'create extension pgcrypto'],
        ...['set role postgres', 'set session authorization postgres', 'alter system set port = 1', 'checkpoint'],
        ...[`select lo_export(4711, '${file}')`, `select pg_read_file('/etc/passwd')`, `select nextval('numbers')`],
        ...['lock table goods in access exclusive mode', 'grant select on goods to public; select 1/0'],
      ];
      for (const attack of attacks) {
        await assert.rejects(client.query(attack), attack);
      }
      assert.deepEqual(await shop.sql('select * from goods'), before);
      assert.equal(existsSync(file), false);
    } finally {
      await client.end();
    }
    // Its password is another now, so the daemon sets one again.
    assert.deepEqual((await shop.ask('select id from goods')).rows, [[1]]);
  });
});
