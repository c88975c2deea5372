import assert from 'node:assert/strict';
import type { Engine, EngineOptions } from '../../daemon/engine/engine.ts';
import type { QueryResult } from '../../daemon/protocol/agentSql.ts';
import type { QueryParams } from '../../daemon/protocol/methods.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { RegistryFixture } from './registryFixture.ts';
import { resolved, thrown } from './resolutionAssertions.ts';

/** A project with a database of its own, and an engine through which agents ask it. */
export interface AgentProjectFixture {
  engine: Engine;
  id: string;
  databaseName: string;
  /** The result of a query that is answered. */
  ask(sql: string, params?: Omit<QueryParams, 'sql'>): Promise<QueryResult>;
  /** The error of a query that is refused with this code. */
  refuse(sql: string, code: ErrorReport['code']): Promise<ErrorReport>;
  /** One statement as superuser in the project's database. */
  sql<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The login role that the engine asks as; it is there after the first query. */
  role(): Promise<string>;
}

export async function agentProject(
  fixture: RegistryFixture,
  name: string,
  options: Partial<Omit<EngineOptions, 'settings'>> = {},
): Promise<AgentProjectFixture> {
  const engine = await fixture.engine(options);
  const { id, databaseName } = resolved(await engine.createProject({ name }));
  return {
    engine,
    id,
    databaseName,
    async ask(sql, params = {}) {
      const { result } = await engine.queryDatabase({ project: id, ...params, sql });
      assert.ok(result);
      return result;
    },
    refuse: (sql, code) => thrown(engine.queryDatabase({ project: id, sql }), code),
    sql: (text, values = []) => fixture.sql(text, values, databaseName),
    async role() {
      const { result } = await engine.queryDatabase({ project: id, sql: 'select current_user::text' });
      const role = result?.rows[0]?.[0];
      assert.ok(typeof role === 'string');
      return role;
    },
  };
}
