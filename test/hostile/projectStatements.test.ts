import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { attacker, type Attacker } from '../support/attacker.ts';
import { repairAll } from '../support/driftSupport.ts';
import { plantDoubles, plantTypes, strikes } from '../support/plantedCode.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved } from '../support/resolutionAssertions.ts';

/** Of a person: nothing in them is looked up by a name that the database's owner could give to something else. */
const schemaText = 'create schema app';
const agentsText = 'select from public.goods';

/**
 * Every statement that the product sends to a project's database. One that is not here fails the tests: add it, and have
 * `exercise` send it, so that it is tried in a database whose owner planted doubles of all that it may mean.
 */
const listed: Record<string, RegExp> = {
  begin: /^begin isolation level read committed, read (?:only|write);\s+set local search_path to pg_catalog, pg_temp;/,
  commit: /^commit$/,
  rollback: /^rollback$/,
  'pin the path': /^set local search_path to pg_catalog, pg_temp$/,
  'free the path': /^set local search_path to default$/,
  'limit statements': /^set local statement_timeout = \d+$/,
  'whose it is':
    /^(?:begin isolation level read committed, read only;\s+set local search_path to pg_catalog, pg_temp;[^;]*;[^;]*;\s+)?select\s+pg_catalog\.current_database\(\)::pg_catalog\.text as database/,
  'relations of users': /^\s*select exists \(\s+select from pg_class c join pg_namespace n/,
  facts: /^\s*select pg_database_size\(current_database\(\)\)::float8 as bytes/,
  'the agents’ role': /^\s*select exists \(select from pg_roles where rolname = \$1\) as exists/,
  'make the agents’ role':
    /^(?:create|alter) role "registrar_agent_\w+" login (?:noinherit )?connection limit \d+ password '/,
  'limit files': /^alter role "registrar_agent_\w+" set temp_file_limit = '1GB'$/,
  'what writes lastingly': /^\s*select pg_catalog\.format\('pg_catalog\.%I\(%s\)', p\.proname/,
  'give it to the owner': /^grant execute on function pg_catalog\.[^;]+ to pg_database_owner$/,
  'take it from everybody': /^revoke execute on function pg_catalog\.[^;]+ from public$/,
  'what is closed to agents': /^\s*select json_agg\(distinct n\.nspname::text\)/,
  'open schemas': /^grant usage on schema "[^;]+ to "registrar_agent_\w+"$/,
  'open tables': /^grant select on "[^;]+ to "registrar_agent_\w+"$/,
  'what is closed still': /^select \(select md5\(string_agg\(c\.oid::text/,
  describe: /^\s*select pg_catalog\.current_database\(\) as database/,
  'types of columns': /^\s*select pg_catalog\.format_type\(t\.oid, t\.modifier\) as type/,
  'before the owner': /^savepoint before_role$/,
  'become the owner': /^set local role "[^"]+"$/,
  mark: /^comment on database "[^"]+" is /,
  'a person’s schema': new RegExp(`^${schemaText}$`),
  'an agent’s query': new RegExp(`^${agentsText}$`),
};

/** What a superuser's daemon does not send, and what goes only to a database that it has just made, before PostgreSQL 15. */
const otherDaemons: Record<string, RegExp> = {
  'join the agents’ role': /^grant "registrar_agent_\w+" to current_user$/,
  'is public open': /^\s*select from pg_catalog\.pg_roles me\s/,
  'give public to the owner': /^alter schema public owner to pg_database_owner$/,
  'close public': /^revoke create on schema public from public$/,
};

describe('I5: the statements for projects’ databases', function () {
  this.timeout(120_000);
  let fixture: RegistryFixture;
  let mate: Attacker;
  let plain: Engine;
  let schemed: Engine;

  before(async () => {
    fixture = await registryFixture();
    mate = await attacker(fixture);
    const path = join(await fixture.stateFolder(), 'schema.sql');
    await writeFile(path, schemaText);
    plain = await fixture.engine();
    schemed = await fixture.engine({ settings: { 'registrar.postgres.projectSchema': path } });
    const [me] = await fixture.sql<{ name: string }>('select current_user as name', [], 'postgres');
    await plain.createProject({ name: 'first' });
    await fixture.sql(`grant ${mate.name} to "${me?.name ?? ''}"`, [], 'postgres');
  });
  after(async () => {
    for (const engine of [plain, schemed]) await engine.close();
    await mate.close();
    await fixture.close();
  });

  /** A database of the attacker's that a person adopted in good faith. */
  async function adopted(): Promise<string> {
    const database = `cb_proj_theirs_${randomUUID().slice(0, 8)}`;
    await mate.plant(database);
    await mate.sql('create table goods (id int)', database);
    return database;
  }

  async function exercise(database: string, name: string, beforeDrop: () => Promise<void>): Promise<string[]> {
    const from = fixture.spy.sent.length;
    const project = resolved(await plain.adoptDatabase({ database, name }));
    // Row reserved, database unmarked: what a killed creation left.
    await fixture.sql(`comment on database "${database}" is null`, [], 'postgres');
    await fixture.sql(
      `update projects set metadata = jsonb_set(metadata, '{registrar,state}', '"provisioning"') where id = $1`,
      [project.id],
    );
    const refused = await plain.resolve({ project: project.id });
    assert.equal(refused.error?.code, 'DATABASE_FOREIGN');
    resolved(await plain.adoptDatabase({ database }));
    await plain.databaseFacts(database);
    await plain.describeDatabase({ project: project.id });
    await fixture.sql('create schema more; create table more.later (id int4)', [], database);
    await plain.queryDatabase({ project: project.id, sql: agentsText });
    await repairAll(schemed);
    await plain.connection({ project: project.id });
    await plain.updateProject({ project: project.id, name: `${name}_2` });
    const sent = fixture.spy.sent.slice(from).filter((one) => one.database === database);
    await fixture.release(database);
    await beforeDrop();
    await plain.dropProject({ project: project.id, confirm: database });
    return sent.map(({ sql }) => sql);
  }

  const kindOf = (sql: string): string =>
    Object.entries({ ...listed, ...otherDaemons }).find(([, pattern]) => pattern.test(sql))?.[0] ??
    `not listed: ${sql}`;

  it('are all listed, each is sent by the exercise, and nothing planted runs in one of them', async () => {
    const database = await adopted();
    const asMate = (sql: string): Promise<unknown> => mate.sql(sql, database);
    await plantDoubles(asMate, 'evil', mate.name);
    await plantTypes(asMate, 'evil');
    await mate.sql(`alter database "${database}" set search_path = evil, pg_catalog`, 'postgres');
    await mate.sql(`alter database "${database}" set default_transaction_read_only = on`, 'postgres');
    await mate.sql(`alter database "${database}" set client_encoding = 'GBK'`, 'postgres');
    await mate.sql(`alter database "${database}" set statement_timeout = 60000`, 'postgres');
    await fixture.sql('set search_path = pg_catalog; set default_transaction_read_only = off', [], database);
    let struck: number | null = null;
    const seen = new Set(
      (
        await exercise(database, 'poisoned', async () => {
          struck = await strikes(asMate, 'evil');
        })
      ).map(kindOf),
    );
    assert.deepEqual(
      [...seen].filter((kind) => kind.startsWith('not listed')),
      [],
    );
    assert.deepEqual([...seen].sort(), Object.keys(listed).sort());
    assert.equal(struck, 0, 'planted code ran');
    assert.equal(await mate.isSuperuser(), false);
  });

  it('are the same where a project is made, described, queried and dropped as usual', async () => {
    const from = fixture.spy.sent.length;
    const project = resolved(await schemed.createProject({ name: 'usual' }));
    await schemed.describeDatabase({ project: project.id });
    await schemed.queryDatabase({ project: project.id, sql: 'select 1' });
    await schemed.drift();
    await schemed.dropProject({ project: project.id, confirm: project.databaseName });
    const kinds = fixture.spy.sent
      .slice(from)
      .filter(({ database, sql }) => database === project.databaseName && sql !== 'select 1')
      .map(({ sql }) => kindOf(sql));
    assert.ok(kinds.length > 0);
    assert.deepEqual(
      kinds.filter((kind) => kind.startsWith('not listed')),
      [],
    );
  });
});
