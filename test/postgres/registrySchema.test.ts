import assert from 'node:assert/strict';
import { atOnce, path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, changes, creations, refused, resolved } from '../support/resolutionAssertions.ts';

describe('the registry’s database and table', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(project: { name: string; id?: string }): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project });
    return folder;
  }

  async function registryExists(): Promise<boolean> {
    const rows = await fixture.sql('select from pg_database where datname = $1', [fixture.registry], 'postgres');
    return rows.length > 0;
  }

  it('E2: both are made when missing, once, however many daemons start together', async () => {
    assert.equal(await registryExists(), false);
    const engines = await Promise.all([1, 2, 3].map(() => fixture.engine()));
    const folders = await Promise.all(engines.map((_, index) => workspace({ name: `first ${String(index)}` })));
    fixture.spy.take();
    const answers = await Promise.all(
      engines.map((engine, index) => engine.resolve({ directory: folders[index] ?? '' })),
    );
    for (const [index, answer] of answers.entries()) {
      assert.deepEqual(path(answer), found);
      assert.equal(answer.created, true);
      await assertAgreement(fixture, resolved(answer), folders[index] ?? '');
    }
    const made = fixture.spy.take().filter((sql) => /^\s*create table public\.projects/.test(sql));
    assert.equal(made.length, 1);
    assert.deepEqual(
      await fixture.sql('select number, name from registrar_migrations where number > 0 order by number'),
      [
        { number: 1, name: 'projects' },
        { number: 2, name: 'events' },
      ],
    );
  });

  it('I8: neither the registry nor a project’s database lets everybody make tables, also on PostgreSQL 14', async () => {
    const engine = await fixture.engine();
    const { databaseName } = resolved(await engine.createProject({ name: 'closed' }));
    const text = `select has_schema_privilege('public', 'public', 'CREATE') as everybody,
                         pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'public'`;
    for (const database of [fixture.registry, databaseName]) {
      assert.deepEqual(await fixture.sql(text, [], database), [{ everybody: false, owner: 'pg_database_owner' }]);
    }
  });

  it('E2: the table has the columns that codebase-mcp knows, and takes a database of any name', async () => {
    const columns = await fixture.sql<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = 'projects'::regclass and attnum > 0 order by attnum`,
    );
    assert.deepEqual(
      columns.map(({ name, type }) => `${name} ${type}`),
      [
        'id uuid',
        'name character varying(255)',
        'description text',
        'database_name character varying(255)',
        'created_at timestamp with time zone',
        'updated_at timestamp with time zone',
        'metadata jsonb',
      ],
    );
    const insert = 'insert into projects (name, database_name) values ($1, $2)';
    await assert.rejects(
      fixture.sql(insert, ['not/a name', 'cb_proj_a_00000000']),
      (error: unknown) => (error as { constraint?: string }).constraint === 'valid_name',
    );
    await fixture.sql(insert, ['a name', 'something_else']);
    await fixture.sql(`delete from projects where name = 'a name'`);
  });

  it('E2: a lost table is filled from the markers before anyone reserves, and what was forgotten stays forgotten', async () => {
    const engine = await fixture.engine();
    const known = await workspace({ name: 'remembered' });
    const forgotten = await workspace({ name: 'given up' });
    const project = resolved(await engine.resolve({ directory: known }));
    const gone = resolved(await engine.resolve({ directory: forgotten }));
    await engine.forgetProject({ project: gone.id });
    const before = await fixture.databases();

    await fixture.sql('drop table projects');
    // A newcomer on another daemon claims the name before the project itself asks: it has to meet the row, not reserve.
    const newcomer = await fixture.engine(atOnce);
    const clone = await workspace({ name: 'remembered' });
    fixture.spy.take();
    const [stranger, ...answers] = await Promise.all([
      newcomer.resolve({ directory: clone }),
      engine.resolve({ directory: known }),
      newcomer.resolve({ project: project.id }),
    ]);
    // The marker knows nothing of folders, so that a name alone is no evidence for a row that was made from it.
    refused(stranger, 'PROJECT_CONFLICT');
    for (const answer of answers) {
      assert.equal(resolved(answer).id, project.id);
      assert.equal(answer.created, false);
    }
    assert.deepEqual(path(answers[0]), found);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, project, known);
    const [row] = await fixture.sql<{ created_at: Date }>('select created_at from projects where id = $1', [
      project.id,
    ]);
    assert.equal(row?.created_at.toISOString(), project.createdAt);

    assert.equal(await fixture.row('given up'), undefined);
    refused(await engine.resolve({ directory: forgotten }), 'PROJECT_FORGOTTEN');
    assert.deepEqual(await fixture.databases(), before);
  });

  it('R7: a dry run makes neither the registry’s database nor its table, and says what would be made', async () => {
    const fresh = await registryFixture();
    try {
      const engine = await fresh.engine();
      const folder = await fresh.folder();
      await fresh.config(folder, { version: '1.0', project: { name: 'looked at only' } });
      const answer = await engine.resolve({ directory: folder, dryRun: true });
      assert.equal(answer.project, null);
      assert.equal(answer.error, null, JSON.stringify(answer.error));
      assert.match(
        answer.wouldDo?.join('\n') ?? '',
        /register project "looked at only"\ncreate database cb_proj_looked_at_only_/,
      );
      const byName = await engine.resolve({ project: 'looked at only', dryRun: true });
      assert.equal(byName.error?.code, 'PROJECT_NOT_FOUND');
      const created = await engine.createProject({ name: 'not made', dryRun: true });
      assert.match(created.wouldDo?.join('\n') ?? '', /register project "not made"/);
      const there = await fresh.sql('select 1 from pg_database where datname = $1', [fresh.registry], 'postgres');
      assert.deepEqual(there, []);
      assert.deepEqual(
        fresh.spy.statements.filter((sql) => /create|insert/i.test(sql)),
        [],
      );
    } finally {
      await fresh.close();
    }
  });

  it('E2: a table that is no registry is REGISTRY_SCHEMA, and stays as it is', async () => {
    const other = await registryFixture();
    try {
      await other.sql(`create database ${other.registry}`, [], 'postgres');
      await other.sql('create table projects (id integer primary key, title text)');
      const engine = await other.engine();
      const folder = await other.folder();
      await other.config(folder, { version: '1.0', project: { name: 'misled' } });
      other.spy.take();
      const { message, hint } = refused(await engine.resolve({ directory: folder }), 'REGISTRY_SCHEMA');
      assert.match(message, new RegExp(`projects in database ${other.registry} is not a registry`));
      assert.match(hint, /another registry database|repair/);
      assert.deepEqual(changes(other.spy.take()), []);
      assert.deepEqual(await other.databases(), []);
    } finally {
      await other.close();
    }
  });
});

describe('a registry that codebase-mcp made', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
    await fixture.sql(`create database ${fixture.registry}`, [], 'postgres');
    for (const sql of codebaseMcpRegistry) await fixture.sql(sql);
  });
  after(() => fixture.close());

  it('E2: is used as it is: columns, constraints, indexes and triggers unchanged, and events kept beside it', async () => {
    const before = await catalogOf(fixture);
    const engine = await fixture.engine();
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'neighbourly' } });

    fixture.spy.take();
    const first = await engine.resolve({ directory: folder });
    const project = resolved(first);
    assert.equal(first.created, true);
    assert.deepEqual(path(first), ['explicit skipped', 'config matched', 'identity matched']);
    assert.deepEqual(first.warnings, []);
    assert.deepEqual(
      // On PostgreSQL 14 schema public of the new database is closed; the registry's own is compared below.
      fixture.spy
        .take()
        .filter(
          (sql) =>
            /^\s*(?:create (?!database)|alter (?!schema public)|drop)/i.test(sql) &&
            !/registrar_(?:migrations|events)/.test(sql),
        ),
      [],
    );
    await assertAgreement(fixture, project, folder);
    resolved(await engine.updateProject({ project: project.id, name: 'renamed' }));
    await engine.forgetProject({ project: project.id });
    resolved(await engine.adoptDatabase({ database: project.databaseName }));
    await engine.close();
    assert.deepEqual(await catalogOf(fixture), before);
    // Version 0.1 makes the table where no number 1 is recorded.
    assert.deepEqual(
      await fixture.sql('select number, name from registrar_migrations where number > 0 order by number'),
      [
        { number: 1, name: 'codebase-mcp' },
        { number: 2, name: 'events' },
      ],
    );
    assert.deepEqual(
      (await fixture.sql('select operation from registrar_events order by id')).map(({ operation }) => operation),
      ['created', 'renamed', 'forgotten', 'adopted'],
    );
  });

  it('E2: a row that codebase-mcp wrote is found by id and name, with its unmarked database and its own metadata', async () => {
    const id = '5c5c5c5c-1111-4111-8111-111111111111';
    const databaseName = 'cb_proj_theirs_5c5c5c5c';
    await fixture.sql(
      `insert into projects (id, name, database_name, created_at, updated_at, metadata) values ($1, 'theirs', $2, null, null, '{"owner": "ann"}')`,
      [id, databaseName],
    );
    await fixture.sql(`create database ${databaseName}`, [], 'postgres');
    await fixture.sql('create table code_chunks (id integer)', [], databaseName);
    const engine = await fixture.engine();
    fixture.spy.take();
    const first = await engine.resolve({ project: id });
    assert.deepEqual(
      first.warnings.map(({ code }) => code),
      ['MARKER_RESTORED'],
    );
    assert.deepEqual(path(first), ['explicit matched', 'identity matched']);
    assert.equal(resolved(await engine.resolve({ project: 'theirs' })).id, id);
    assert.deepEqual(creations(fixture.spy.take()), []);
    await assertAgreement(fixture, { id, name: 'theirs', databaseName }, null);
    const [row] = await fixture.sql<{ metadata: Record<string, unknown> }>(
      'select metadata from projects where id = $1',
      [id],
    );
    assert.equal(row?.metadata['owner'], 'ann');
    assert.deepEqual(Object.keys(row.metadata).sort(), ['owner', 'registrar']);
  });
});

/** The shape that codebase-mcp publishes (its scripts/init_registry_schema.sql, 2025), in our words. */
const codebaseMcpRegistry = [
  `create table projects (
    id uuid primary key default gen_random_uuid(),
    name varchar(255) unique not null,
    description text,
    database_name varchar(255) unique not null,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    metadata jsonb default '{}'::jsonb,
    constraint valid_database_name check (database_name ~ '^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$'),
    constraint valid_name check (name ~ '^[a-zA-Z0-9_ -]+$'))`,
  'create index idx_projects_name on projects (name)',
  'create index idx_projects_created on projects (created_at desc)',
  'create index idx_projects_metadata on projects using gin (metadata)',
  `create function update_updated_at_column() returns trigger language plpgsql as
    $$ begin new.updated_at = now(); return new; end $$`,
  'create trigger update_projects_updated_at before update on projects for each row execute function update_updated_at_column()',
  `comment on table projects is 'Central registry'`,
];

/** Everything in the registry's schema that a migration could have changed. */
async function catalogOf(fixture: RegistryFixture): Promise<unknown> {
  return fixture.sql(`
    select 'relation ' || c.relname as what, c.relkind::text as detail from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname !~ '^registrar_'
    union all
    select 'column ' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = 'projects'::regclass and a.attnum > 0
    union all
    select 'constraint ' || conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'projects'::regclass
    union all
    select 'index ' || indexname, indexdef from pg_indexes where tablename = 'projects'
    union all
    select 'trigger ' || tgname, pg_get_triggerdef(oid) from pg_trigger where tgrelid = 'projects'::regclass
    union all
    select 'function ' || proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 'comment', obj_description('projects'::regclass)
    order by 1, 2`);
}
