import type { Sighting } from '../../registry/model.ts';
import { readRegistrarMetadata } from '../../registry/rowMetadata.ts';
import { commentsJoinSql, eq, interruptedSql } from '../connection/catalogSql.ts';
import type { Row } from './registryDatabase.ts';

/**
 * Row, database and marker in one statement. The cast to `name` lets the catalog's index answer; without it every lookup
 * reads all of pg_database. Joining pg_shdescription costs less than shobj_description() does, and one column of JSON a
 * third less than ten columns: each of those is described, sent and parsed by itself.
 */
export const sightingSql = `
  select pg_catalog.json_build_object('id', p.id, 'name', p.name, 'database_name', p.database_name, 'description', p.description,
           'created_at', p.created_at, 'updated_at', p.updated_at, 'metadata', p.metadata,
           'present', d.datname is not null, 'interrupted', ${interruptedSql}, 'comment', s.description) as sighting
  from public.projects p
  left join pg_catalog.pg_database d on d.datname ${eq} p.database_name::pg_catalog.name
  ${commentsJoinSql}`;

/** The answer of a statement that begins as `sightingSql` does. */
export function sightingIn(row: Row): Sighting {
  return sightingOf(row['sighting'] as Row);
}

/** What `sightingSql` reads, in these names. */
export function sightingOf(row: Row): Sighting {
  const metadata = (row['metadata'] ?? {}) as Record<string, unknown>;
  return {
    row: {
      id: textOf(row, 'id'),
      name: textOf(row, 'name'),
      databaseName: textOf(row, 'database_name'),
      description: typeof row['description'] === 'string' ? row['description'] : null,
      createdAt: timeOf(row['created_at']),
      updatedAt: timeOf(row['updated_at']),
      metadata,
      registrar: readRegistrarMetadata(metadata),
    },
    database: {
      presence: row['interrupted'] === true ? 'interrupted' : row['present'] === true ? 'present' : 'absent',
      comment: typeof row['comment'] === 'string' ? row['comment'] : null,
    },
    sync: { state: 'synced' },
  };
}

function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} of projects is not text`);
  return value;
}

/** In ISO 8601 as JSON has it, or parsed already. codebase-mcp allows null times, PostgreSQL infinite ones. */
function timeOf(value: unknown): string {
  // As the server wrote it for many rows at once, which is taken as it is: parsing each takes longer than all else.
  if (typeof value === 'string' && inUtc.test(value)) return value;
  const time = typeof value === 'string' ? new Date(value) : value;
  return (time instanceof Date && !Number.isNaN(time.getTime()) ? time : new Date(0)).toISOString();
}

const inUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
