import type pg from 'pg';
import { resolved } from '../asked.ts';
import { filledRegistry } from '../filledRegistry.ts';
import { interleave, type Figures } from '../harness.ts';
import { lookSql } from '../../daemon/postgres/registry/projectReads.ts';
import type { Question, Result } from '../result.ts';

/**
 * Tier 1: the project that a caller names, against the one statement that answers row, database and marker, since nobody
 * can check an identity without asking for it; and the same as the registry grows.
 */
export const explicit: Question = {
  name: 'explicit',
  async ask(server) {
    const one = await filledRegistry(server, 1);
    const many = await filledRegistry(server, 10_000);
    const million = await filledRegistry(server, 1_000_000);
    const pool = server.pool(one.registry);
    const figures: Record<string, Figures> = await interleave(
      [
        { name: 'SELECT 1', run: () => selectOne(pool) },
        { name: 'statement id', run: () => lookOnce(pool, one.id, one.id) },
        { name: 'statement name', run: () => lookOnce(pool, null, one.name) },
        ...[one, many, million].flatMap(({ rows, id, name, engine }) => [
          { name: `id ${String(rows)}`, run: () => resolved(engine.resolve({ project: id })) },
          { name: `name ${String(rows)}`, run: () => resolved(engine.resolve({ project: name })) },
        ]),
      ],
      { rounds: 250, perRound: 4, warmUp: 200 },
    );
    const results: Result[] = [];
    for (const by of ['id', 'name']) {
      const tier1 = { kind: 'timing', what: `tier 1, by ${by}`, figures: taken(figures, `${by} 1`) } as const;
      results.push(
        {
          ...tier1,
          floor: 'its one statement, prepared, on a bare `pg` pool of the same size',
          floorFigures: taken(figures, `statement ${by}`),
          target: 1.3,
          because: aroundTheStatement,
        },
        {
          ...tier1,
          floor: '`SELECT 1`, prepared, on the same pool',
          floorFigures: taken(figures, 'SELECT 1'),
          target: null,
        },
      );
      for (const { rows } of [many, million]) {
        results.push({
          kind: 'timing',
          what: `tier 1, by ${by}, ${rows.toLocaleString('en')} registry rows`,
          figures: taken(figures, `${by} ${String(rows)}`),
          floor: 'the same at 1 row',
          floorFigures: taken(figures, `${by} 1`),
          target: 1.2,
        });
      }
    }
    return results;
  },
};

/** Measured in turns, load 10 on two processors. */
export const aroundTheStatement =
  'the statement itself takes 0.22 ms (0.14 ms by the fastest tenth), and tier 1 adds 0.09 ms in this process: limits and pool, reading the answer, the rules, the trace, and the line in the log, which follows the answer and so falls on the next question where one follows at once.';

export function selectOne(pool: pg.Pool): Promise<unknown> {
  return pool.query({ name: 'one', text: 'select 1' });
}

/** The statement of tier 1 and nothing around it. @throws when it does not find the one project */
export async function lookOnce(pool: pg.Pool, id: string | null, name: string | null): Promise<void> {
  const { rows } = await pool.query({ name: 'look', text: lookSql, values: [id, name] });
  if (rows.length !== 1) throw new Error(`the statement found ${String(rows.length)} rows`);
}

function taken(figures: Record<string, Figures>, name: string): Figures {
  const found = figures[name];
  if (!found) throw new Error(`${name} was not measured`);
  return found;
}
