import assert from 'node:assert/strict';
import { agentProject, type AgentProjectFixture } from '../support/agentSqlFixture.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { refused, resolved, thrown } from '../support/resolutionAssertions.ts';

describe('SQL of agents', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let shop: AgentProjectFixture;
  before(async () => {
    fixture = await registryFixture();
    shop = await agentProject(fixture, 'shop');
    await shop.sql(`
      create table customers (id int primary key, name text not null default 'nobody', big int8, price numeric(30, 4));
      insert into customers values (1, 'Ann', 9007199254740993, 12345678901234567890.1234), (2, 'Bob', null, null);
      comment on table customers is 'who buys';
      create schema stock;
      create table stock.orders (id int, line int, customer int references customers, at timestamptz, primary key (line, id));
      create view stock.open_orders as select * from stock.orders;
      create materialized view stock.totals as select count(*) as total from stock.orders;
      create table stock.events (id int, day date) partition by range (day);
      create table stock.events_2026 partition of stock.events for values from ('2026-01-01') to ('2027-01-01');`);
  });
  after(() => fixture.close());

  describe('query', () => {
    it('answers with the columns as PostgreSQL names them and JSON that loses nothing', async () => {
      const result = await shop.ask(`
        select id, name, big, price, 0.5::float8 as half, 'NaN'::float8 as nan, true as yes, null as nothing,
               '\\x00ff'::bytea as bytes, timestamptz '2026-01-02 03:04:05+00' at time zone 'UTC' as moment,
               array[1, 2] as list, '{"n": 9007199254740993}'::jsonb as json
        from customers where id = 1`);
      assert.deepEqual(result.columns, [
        { name: 'id', type: 'integer' },
        { name: 'name', type: 'text' },
        { name: 'big', type: 'bigint' },
        { name: 'price', type: 'numeric(30,4)' },
        { name: 'half', type: 'double precision' },
        { name: 'nan', type: 'double precision' },
        { name: 'yes', type: 'boolean' },
        { name: 'nothing', type: 'text' },
        { name: 'bytes', type: 'bytea' },
        { name: 'moment', type: 'timestamp without time zone' },
        { name: 'list', type: 'integer[]' },
        { name: 'json', type: 'jsonb' },
      ]);
      const values = [
        ...[1, 'Ann', '9007199254740993', '12345678901234567890.1234', 0.5, 'NaN', true, null],
        ...['\\x00ff', '2026-01-02 03:04:05', '{1,2}', '{"n": 9007199254740993}'],
      ];
      assert.deepEqual(result.rows, [values]);
      assert.deepEqual([result.truncated, result.truncatedBy], [false, null]);
    });

    it('keeps columns of the same name, and rows without a column', async () => {
      const twice = await shop.ask('select 1 as a, 2 as a');
      assert.deepEqual([twice.columns.map(({ name }) => name), twice.rows], [['a', 'a'], [[1, 2]]]);
      const none = await shop.ask('select from customers');
      assert.deepEqual([none.columns, none.rows], [[], [[], []]]);
    });

    it('sends JSON values as what the parameters are', async () => {
      const { rows } = await shop.ask(
        `select $1::int + 1, $2::text, $3::bool, $4::text is null, $5::int[], $6::jsonb, $7::jsonb, $8::text[]`,
        { params: [41, 'it\'s "quoted"', true, null, [1, null, 3], { a: [1] }, [1, 'two'], ['a,b', 'c"d\\', null]] },
      );
      assert.deepEqual(rows, [
        [
          ...[42, 'it\'s "quoted"', true, true],
          ...['{1,NULL,3}', '{"a": [1]}', '[1, "two"]', '{"a,b","c\\"d\\\\",NULL}'],
        ],
      ]);
      const wrong = await thrown(
        shop.engine.queryDatabase({ project: shop.id, sql: 'select $1::int, $2::int', params: [1] }),
        'INVALID_ARGUMENT',
      );
      assert.match(wrong.message, /has 2 parameters .* but got 1 values/);
    });

    it('gives as many rows as the limit says, 100 by default, and says whether there are more', async () => {
      const rows = async (sql: string, limit?: number): Promise<[number, boolean, string | null]> => {
        const answer = await shop.ask(sql, limit === undefined ? {} : { limit });
        return [answer.rows.length, answer.truncated, answer.truncatedBy];
      };
      assert.deepEqual(await rows('select generate_series(1, 100)'), [100, false, null]);
      assert.deepEqual(await rows('select generate_series(1, 101)'), [100, true, 'rows']);
      assert.deepEqual(await rows('select generate_series(1, 1000)', 1000), [1000, false, null]);
      assert.deepEqual(await rows('select generate_series(1, 3)', 1), [1, true, 'rows']);
      for (const limit of [0, 1001, 1.5, Number.NaN]) {
        await thrown(shop.engine.queryDatabase({ project: shop.id, sql: 'select 1', limit }), 'INVALID_ARGUMENT');
      }
    });

    it('takes SHOW, EXPLAIN, VALUES and TABLE for reads', async () => {
      for (const sql of ['show server_version', 'explain select 1', 'values (1)', 'table customers', '(select 1);']) {
        assert.ok((await shop.ask(sql)).rows.length > 0, sql);
      }
    });

    it('says what is wrong with a statement, with state and position', async () => {
      const missing = await shop.refuse('select nam from customers', 'SQL_FAILED');
      assert.match(missing.message, /refused the statement \(42703\)/);
      const hint = 'Perhaps you meant to reference the column "customers.name".';
      const server = { message: 'column "nam" does not exist', detail: null, hint };
      assert.deepEqual(missing.details, { sqlState: '42703', position: 8, server });
      const cast = await shop.refuse(`select repeat('x', 100000)::int`, 'SQL_FAILED');
      const { message } = cast.details?.['server'] as { message: string };
      assert.ok(message.length < 2000);
      const nul = await shop.refuse('select 1\0; drop table customers', 'INVALID_ARGUMENT');
      assert.match(nul.message, /NUL/);
    });

    it('tells the resolution alone when nothing is resolved, and asks no database', async () => {
      const lost = await shop.engine.queryDatabase({ project: 'nobody', sql: 'select 1' });
      refused(lost.resolution, 'PROJECT_NOT_FOUND');
      assert.equal(lost.result, null);
      const other = await shop.engine.queryDatabase({ project: shop.id, expect: 'nobody', sql: 'select 1' });
      refused(other.resolution, 'PROJECT_MISMATCH');
      assert.equal(other.result, null);
      const unresolved = await shop.engine.describeDatabase({ directory: await fixture.folder() });
      assert.equal(unresolved.resolution.outcome, 'unresolved');
      assert.equal(unresolved.description, null);
    });

    it('works from a directory, in the database that its config means, made by the first question', async () => {
      const folder = await fixture.folder();
      await fixture.config(folder, { version: '1.0', project: { name: 'from a folder' } });
      const dry = await shop.engine.queryDatabase({ directory: folder, dryRun: true, sql: 'select 1' });
      assert.equal(dry.result, null);
      const answer = await shop.engine.queryDatabase({ directory: folder, sql: 'select current_database()' });
      assert.deepEqual(path(answer.resolution), ['explicit skipped', 'config matched', 'identity matched']);
      assert.deepEqual(answer.result?.rows, [[resolved(answer.resolution).databaseName]]);
    });

    it('sees tables that were made after the first question, in schemas that were, too', async () => {
      await shop.ask('select 1');
      await shop.sql('create schema late; create table late.notes (id int); insert into late.notes values (7)');
      assert.deepEqual((await shop.ask('select id from late.notes')).rows, [[7]]);
    });

    it('grants nothing again when everything is granted', async () => {
      await shop.ask('select 1');
      fixture.spy.take();
      await shop.ask('select 1');
      const statements = fixture.spy.take();
      assert.deepEqual(
        statements.filter((sql) => /grant|role "/i.test(sql)),
        [],
      );
      const begun = statements.findIndex((sql) => /^begin .*read only;/.test(sql));
      assert.ok(begun >= 0 && statements.indexOf('rollback') > begun, statements.join('\n'));
    });

    it('leaves no session behind', async () => {
      const role = await shop.role();
      await shop.refuse('select 1/0', 'SQL_FAILED');
      const sessions = async (): Promise<number> =>
        (await shop.sql('select from pg_stat_activity where usename = $1', [role])).length;
      while ((await sessions()) > 0);
    });

    it('answers several questions at once, the first ones too', async () => {
      const crowd = await agentProject(fixture, 'crowd');
      fixture.spy.take();
      const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => crowd.ask(`select ${String(index)}`)));
      assert.deepEqual(
        answers.map(({ rows }) => rows[0]?.[0]),
        Array.from({ length: 12 }, (_, index) => index),
      );
      const made = fixture.spy.take().filter((sql) => /^(create|alter) role .* password/.test(sql));
      assert.equal(made.length, 1, 'one password for all');
    });
  });

  describe('describe', () => {
    it('names tables and views with columns, keys and sizes, in one statement', async () => {
      await shop.ask('select 1');
      await shop.sql('analyze customers');
      fixture.spy.take();
      const { description } = await shop.engine.describeDatabase({ project: shop.id });
      const asked = fixture.spy.take().filter((sql) => sql.includes('json_agg'));
      assert.equal(asked.length, 1);
      assert.ok(description);
      assert.equal(description.databaseName, shop.databaseName);
      assert.ok(description.bytes > 1_000_000);
      assert.equal(description.truncated, false);
      const [customers, ...others] = description.tables.filter(({ schema }) => schema !== 'late');
      assert.ok(customers && customers.bytes > 0);
      assert.deepEqual(
        { ...customers, bytes: 0 },
        {
          schema: 'public',
          name: 'customers',
          kind: 'table',
          comment: 'who buys',
          columns: [
            { name: 'id', type: 'integer', nullable: false, default: null },
            { name: 'name', type: 'text', nullable: false, default: `'nobody'::text` },
            { name: 'big', type: 'bigint', nullable: true, default: null },
            { name: 'price', type: 'numeric(30,4)', nullable: true, default: null },
          ],
          primaryKey: ['id'],
          foreignKeys: [],
          rowEstimate: 2,
          bytes: 0,
        },
      );
      assert.deepEqual(
        others.map(({ schema, name, kind }) => `${schema}.${name} ${kind}`),
        [
          'stock.events partitioned table',
          'stock.open_orders view',
          'stock.orders table',
          'stock.totals materialized view',
        ],
      );
      const orders = others.find(({ name }) => name === 'orders');
      assert.deepEqual(orders?.primaryKey, ['line', 'id']);
      assert.deepEqual(orders.foreignKeys, [
        { columns: ['customer'], references: { schema: 'public', table: 'customers', columns: ['id'] } },
      ]);
      assert.equal(orders.rowEstimate, null);
    });

    it('stays bounded, and says that there is more', async () => {
      const wide = await agentProject(fixture, 'wide');
      const columns = Array.from({ length: 150 }, (_, index) => `c${String(index)} int`).join(', ');
      await wide.sql(`create table wide (${columns})`);
      const broad = (await wide.engine.describeDatabase({ project: wide.id })).description;
      assert.equal(broad?.tables[0]?.columns.length, 100);
      assert.equal(broad.truncated, true);
      await wide.sql(
        `drop table wide; do $$ begin for i in 1..201 loop execute format('create table t%s ()', i); end loop; end $$`,
      );
      const many = (await wide.engine.describeDatabase({ project: wide.id })).description;
      assert.equal(many?.tables.length, 200);
      assert.equal(many.truncated, true);
      await wide.sql('drop table t1');
      const all = (await wide.engine.describeDatabase({ project: wide.id })).description;
      assert.deepEqual([all?.tables.length, all?.truncated], [200, false]);
    });

    it('finds nothing in an empty database', async () => {
      const empty = await agentProject(fixture, 'empty');
      const { description } = await empty.engine.describeDatabase({ project: empty.id });
      assert.deepEqual([description?.tables, description?.truncated], [[], false]);
    });
  });
});
