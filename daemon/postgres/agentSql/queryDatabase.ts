import type pg from 'pg';
import type { QueryColumn, QueryResult } from '../../protocol/agentSql.ts';
import type { QueryParams } from '../../protocol/methods.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { rowLimit } from '../../protocol/rowLimit.ts';
import { notOneRead } from './agentFaults.ts';
import { prepareStatement, runPrepared, type StatementShape } from './agentStatement.ts';
import { jsonValue, parameterText, requireCount } from './agentValues.ts';
import type { ProjectConnection } from '../connection/projectConnection.ts';
import { projectSql } from '../connection/projectSql.ts';

export type Query = Pick<QueryParams, 'sql' | 'params' | 'limit'>;

/** @throws RegistrarError INVALID_ARGUMENT */
export function requireQuery({ sql, limit }: Query): void {
  rowLimit(limit);
  // NUL ends a text in the server's protocol, and what follows would be read as something else.
  if (sql.includes('\0')) {
    throw new RegistrarError({
      code: 'INVALID_ARGUMENT',
      message: 'The statement contains a NUL character. It was not run.',
      hint: 'Remove it from the statement.',
    });
  }
}

/**
 * Runs one statement in a session of an agents' role.
 *
 * @param maxBytes of all values together
 *
 * Throws SQL_REJECTED for what gives no rows, INVALID_ARGUMENT for a wrong number of parameters, and the server's errors.
 */
export async function queryDatabase(
  connection: ProjectConnection,
  query: Query,
  maxBytes: number,
): Promise<QueryResult> {
  const startedAt = performance.now();
  return connection.foreign((client) => runForeign(client, query, maxBytes, startedAt));
}

/** With the path of database and role: the statement is the agent's, and its role can do nothing but read. */
async function runForeign(client: pg.Client, query: Query, maxBytes: number, startedAt: number): Promise<QueryResult> {
  const shape = await prepareStatement(client, query.sql);
  const { fields, parameterTypes } = shape;
  if (fields === null) throw notOneRead('The statement returns no rows, so it does not read. It was not run.');
  const params = query.params ?? [];
  requireCount(params.length, parameterTypes.length);
  const values = params.map((value, index) => parameterText(value, parameterTypes[index] ?? 0));
  // Asked first, because afterwards the transaction may have failed, or the connection may be gone.
  const columns = await columnsOf(client, fields);
  const { rows, truncatedBy } = await runPrepared(client, values, { rows: query.limit ?? 100, bytes: maxBytes });
  return {
    columns,
    rows: rows.map((row) => row.map((text, index) => jsonValue(text, fields[index]?.dataTypeID ?? 0))),
    truncated: truncatedBy !== null,
    truncatedBy,
    durationMs: Math.round(performance.now() - startedAt),
  };
}

/** Written in full, since it stands between two steps of the agent's statement, where the path is not ours. */
const typesSql = projectSql`
  select pg_catalog.format_type(t.oid, t.modifier) as type
  from rows from (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[]))
    with ordinality t(oid, modifier, position)
  order by t.position`;

async function columnsOf(client: pg.Client, fields: NonNullable<StatementShape['fields']>): Promise<QueryColumn[]> {
  const { rows } = await client.query<{ type: string }>(typesSql, [
    fields.map(({ dataTypeID }) => dataTypeID),
    fields.map(({ dataTypeModifier }) => dataTypeModifier),
  ]);
  return fields.map(({ name }, index) => ({ name, type: rows[index]?.type ?? 'unknown' }));
}
