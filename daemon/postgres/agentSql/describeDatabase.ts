import type { DatabaseDescription, DescribedTable } from '../../protocol/agentSql.ts';
import { lastingWritesSql } from './lastingWrites.ts';
import type { ProjectConnection } from '../connection/projectConnection.ts';
import { projectSql, type ProjectSql } from '../connection/projectSql.ts';

const maxTables = 200;
/** Of one table. */
const maxColumns = 100;
/** Of a comment or a default, characters. */
const maxText = 500;

/**
 * Everything in one statement, however many tables there are. Partitions are part of their table. Shows nothing that
 * the role may not read. `reltuples` is -1 where nobody has counted (PostgreSQL 14 and later).
 */
const describeSql = projectSql`
  select pg_catalog.current_database() as database, pg_catalog.pg_database_size(pg_catalog.current_database())::text as bytes,
    (${lastingWritesSql}) as lasting,
    (select pg_catalog.json_agg(t) from (
      select n.nspname as schema, c.relname as name,
        case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                       when 'm' then 'materialized view' else 'foreign table' end as kind,
        pg_catalog.left(pg_catalog.obj_description(c.oid, 'pg_class'), ${maxText}) as comment,
        case when c.relkind <> 'v' and c.reltuples >= 0 then c.reltuples::int8 end as "rowEstimate",
        case when c.relkind = 'p'
          then (select coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(p.relid)), 0)
                from pg_catalog.pg_partition_tree(c.oid) p)
          else pg_catalog.pg_total_relation_size(c.oid) end as bytes,
        coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname,
                 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'nullable', not a.attnotnull,
                 'default', pg_catalog.left(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ${maxText})) order by a.attnum)
          from (select * from pg_catalog.pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
                order by attnum limit ${maxColumns + 1}) a
          left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum), '[]') as columns,
        coalesce((select ${columnNames(projectSql`k.conrelid`, projectSql`k.conkey`)} from pg_catalog.pg_constraint k
          where k.conrelid = c.oid and k.contype = 'p'), '[]') as "primaryKey",
        coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object(
            'columns', ${columnNames(projectSql`k.conrelid`, projectSql`k.conkey`)},
            'references', pg_catalog.json_build_object('schema', fn.nspname, 'table', f.relname,
              'columns', ${columnNames(projectSql`k.confrelid`, projectSql`k.confkey`)})) order by k.conname)
          from pg_catalog.pg_constraint k
          join pg_catalog.pg_class f on f.oid = k.confrelid
          join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
          where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0), '[]') as "foreignKeys"
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
        and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        and pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
      order by n.nspname, c.relname limit ${maxTables + 1}) t) as tables`;

function columnNames(table: ProjectSql, numbers: ProjectSql): ProjectSql {
  return projectSql`(select pg_catalog.json_agg(a.attname order by u.position)
    from pg_catalog.unnest(${numbers}) with ordinality u(number, position)
    join pg_catalog.pg_attribute a on a.attrelid = ${table} and a.attnum = u.number)`;
}

interface Described {
  database: string;
  bytes: string;
  lasting: string[] | null;
  tables: DescribedTable[] | null;
}

/** Describes the database of a session of an agents' role. Throws the server's errors. */
export async function describeDatabase(connection: ProjectConnection): Promise<DatabaseDescription> {
  const [row] = await connection.run<Described>(describeSql);
  const tables = row?.tables ?? [];
  return {
    databaseName: row?.database ?? '',
    bytes: Number(row?.bytes ?? 0),
    tables: tables.slice(0, maxTables).map((table) => ({ ...table, columns: table.columns.slice(0, maxColumns) })),
    truncated: tables.length > maxTables || tables.some(({ columns }) => columns.length > maxColumns),
    lastingWrites: row?.lasting ?? [],
  };
}
