import { startPgBouncer, whyNoPgBouncer } from '../../test/support/pgBouncer.ts';
import { resolved } from '../asked.ts';
import { filledRegistry } from '../filledRegistry.ts';
import { interleave } from '../harness.ts';
import { lookSql } from '../../daemon/postgres/registry/projectReads.ts';
import { aroundTheStatement } from './explicit.ts';
import type { Question } from '../result.ts';

/** Tier 1 where PgBouncer in transaction mode stands between, which keeps no prepared statement. */
export const pooler: Question = {
  name: 'pooler',
  async ask(server) {
    const what = 'tier 1 through PgBouncer in transaction mode';
    const why = whyNoPgBouncer();
    if (why !== null) return [{ kind: 'skipped', what, why }];
    const { registry, id, name } = await filledRegistry(server, 1_000_000);
    const pgBouncer = await startPgBouncer(server.login, 8);
    try {
      const engine = await server.engine(registry, { port: pgBouncer.port });
      const pool = server.pool(registry, pgBouncer.port);
      const statement = (by: string | null, called: string): Promise<unknown> =>
        pool.query({ text: lookSql, values: [by, called] });
      const { selectOne, statementById, statementByName, byId, byName } = await interleave(
        [
          { name: 'selectOne', run: () => pool.query('select 1') },
          { name: 'statementById', run: () => statement(id, id) },
          { name: 'statementByName', run: () => statement(null, name) },
          { name: 'byId', run: () => resolved(engine.resolve({ project: id })) },
          { name: 'byName', run: () => resolved(engine.resolve({ project: name })) },
        ],
        { rounds: 250, perRound: 4, warmUp: 200 },
      );
      const rows = '1,000,000 registry rows';
      const ways = [
        { what: `${what}, by id, ${rows}`, figures: byId, statement: statementById },
        { what: `${what}, by name, ${rows}`, figures: byName, statement: statementByName },
      ];
      return ways.flatMap(({ statement: floorFigures, ...way }) => [
        {
          kind: 'timing' as const,
          ...way,
          floor: 'its one statement there, unnamed',
          floorFigures,
          target: 1.3,
          because: aroundTheStatement,
        },
        { kind: 'timing' as const, ...way, floor: '`SELECT 1` there, unnamed', floorFigures: selectOne, target: null },
      ]);
    } finally {
      await pgBouncer.close();
    }
  },
};
