import type pg from 'pg';
import { resolved } from '../asked.ts';
import { filledRegistry } from '../filledRegistry.ts';
import { interleave, type Figures } from '../harness.ts';
import type { Question, Result } from '../result.ts';

/** Tier 1: the project that a caller names, against the shortest question to PostgreSQL; and the same as the registry grows. */
export const explicit: Question = {
  name: 'explicit',
  async ask(server) {
    const one = await filledRegistry(server, 1);
    const many = await filledRegistry(server, 10_000);
    const million = await filledRegistry(server, 1_000_000);
    const floor = server.pool(one.registry);
    const figures: Record<string, Figures> = await interleave(
      [
        { name: 'floor', run: () => selectOne(floor) },
        ...[one, many, million].flatMap(({ rows, id, name, engine }) => [
          { name: `id ${String(rows)}`, run: () => resolved(engine.resolve({ project: id })) },
          { name: `name ${String(rows)}`, run: () => resolved(engine.resolve({ project: name })) },
        ]),
      ],
      { rounds: 250, perRound: 4, warmUp: 200 },
    );
    const results: Result[] = [];
    for (const by of ['id', 'name']) {
      results.push({
        kind: 'timing',
        what: `tier 1, by ${by}`,
        figures: taken(figures, `${by} 1`),
        floor: '`SELECT 1`, prepared, on a `pg` pool of the same size',
        floorFigures: taken(figures, 'floor'),
        target: 1.5,
        because: statementAlone,
      });
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

/** Measured step by step on one processor, shares of the floor by the fastest tenth; on two, where it is said. */
const statementAlone =
  'the one statement that answers row, database and marker takes 2 to 2.2 × the floor by itself, on a bare connection. The layers around it take 0.7 × (limits 0.3 ×, reading the answer 0.4 ×), the rules and the trace 0.7 ×, and the line in the log 0.35 ×, which follows the answer and so falls on the next question where one follows at once. On two processors the floor takes 0.045 ms or 0.1 ms, by where the system puts its connection; where it puts both connections alike, the statement takes 1.35 to 1.5 × of it.';

export function selectOne(pool: pg.Pool): Promise<unknown> {
  return pool.query({ name: 'one', text: 'select 1' });
}

function taken(figures: Record<string, Figures>, name: string): Figures {
  const found = figures[name];
  if (!found) throw new Error(`${name} was not measured`);
  return found;
}
