import type { DatabaseWord } from '../../registry/handOver.ts';
import { projectSql } from '../connection/projectSql.ts';

/**
 * Which database this connection is in, and its comment. The owner of a database decides what an unqualified name means in
 * it, so nothing here is unqualified, and no function or operator of the database's own is called.
 */
export const wordColumns = projectSql`
  pg_catalog.current_database()::pg_catalog.text as database,
  (select s.description from pg_catalog.pg_database d
     join pg_catalog.pg_shdescription s
       on s.objoid OPERATOR(pg_catalog.=) d.oid
       and s.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass::pg_catalog.oid
     where d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) as comment`;

export const wordSql = projectSql`select ${wordColumns}`;

/** A row of `wordColumns`. */
export interface WordRow {
  database: string;
  comment: string | null;
}

/** An answer without a row proves nothing. */
export function wordOf(row: WordRow | undefined): DatabaseWord {
  return { databaseName: row?.database ?? '', comment: row?.comment ?? null };
}
