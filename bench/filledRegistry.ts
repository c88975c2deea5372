import { resolved } from './asked.ts';
import type { BenchServer } from './benchServer.ts';
import type { Engine } from '../daemon/engine/engine.ts';

export interface FilledRegistry {
  registry: string;
  rows: number;
  /** The one project that is real. */
  id: string;
  name: string;
  engine: Engine;
}

const filled = new WeakMap<BenchServer, Map<number, Promise<FilledRegistry>>>();

/**
 * A registry with one real project and, beside it, rows whose databases are not there, since they are not looked for. Made
 * once for all questions that only read it.
 */
export function filledRegistry(server: BenchServer, rows: number): Promise<FilledRegistry> {
  const ofServer = filled.get(server) ?? new Map<number, Promise<FilledRegistry>>();
  filled.set(server, ofServer);
  const made = ofServer.get(rows) ?? fill(server, rows);
  ofServer.set(rows, made);
  return made;
}

async function fill(server: BenchServer, rows: number): Promise<FilledRegistry> {
  const registry = `registry_${String(rows)}`;
  const name = 'the project';
  const engine = await server.engine(registry);
  const { id } = await resolved(engine.createProject({ name }));
  await addRows(server, registry, rows - 1);
  return { registry, rows, id, name, engine };
}

/** Rows as of projects that are ready; their databases are not there. */
export async function addRows(server: BenchServer, registry: string, count: number): Promise<void> {
  const sql = server.sql(registry);
  await sql.query(
    `insert into projects (id, name, database_name, metadata)
     select gen_random_uuid(), 'project ' || n, 'cb_proj_other_' || lpad(to_hex(n), 8, '0'),
            '{"registrar": {"state": "ready", "lastUsedAt": "2026-01-01T00:00:00.000Z"}}'
     from generate_series(1, $1::int) n`,
    [count],
  );
  await sql.query('vacuum analyze projects');
}
