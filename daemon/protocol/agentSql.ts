import type { Resolution } from './model.ts';

export interface QueryColumn {
  name: string;
  /** As PostgreSQL names it: `integer`, `text`, `timestamp with time zone`. */
  type: string;
}

export interface QueryResult {
  columns: QueryColumn[];
  /** A row is an array in the order of `columns`, whose names may repeat. int8 and numeric are text. */
  rows: unknown[][];
  /** True if there was more than the limit or the size allows; `truncatedBy` says which. */
  truncated: boolean;
  truncatedBy: 'rows' | 'bytes' | null;
  durationMs: number;
}

/** `result` is null unless the project was resolved. */
export interface QueryAnswer {
  resolution: Resolution;
  result: QueryResult | null;
}

export interface DescribedColumn {
  name: string;
  type: string;
  nullable: boolean;
  default: string | null;
}

export interface DescribedTable {
  schema: string;
  name: string;
  kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  comment: string | null;
  columns: DescribedColumn[];
  primaryKey: string[];
  foreignKeys: { columns: string[]; references: { schema: string; table: string; columns: string[] } }[];
  /** PostgreSQL's estimate; null when it has none. */
  rowEstimate: number | null;
  /** Table, indexes and TOAST, bytes. */
  bytes: number;
}

export interface DatabaseDescription {
  databaseName: string;
  /** Bytes. */
  bytes: number;
  tables: DescribedTable[];
  /** True when there are more tables or columns than are given. */
  truncated: boolean;
  /** System functions that agents may call here although a rollback does not undo what they write. */
  lastingWrites: string[];
}

/**
 * Where agents' SQL may do what a rollback does not undo, because the daemon's role may not revoke it from everybody.
 */
export interface LastingWrites {
  databaseName: string;
  /** Functions of pg_catalog with their parameters' types, as REVOKE takes them. */
  functions: string[];
}

/** `description` is null unless the project was resolved. */
export interface DescribeAnswer {
  resolution: Resolution;
  description: DatabaseDescription | null;
}
