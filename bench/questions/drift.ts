import { resolved } from '../asked.ts';
import { addRows } from '../filledRegistry.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';

const rows = 100_000;
const realDatabases = 300;
const registry = 'registry_drift';

/** Comparing a whole registry with the databases that there are, against only reading both. */
export const drift: Question = {
  name: 'drift',
  async ask(server) {
    const engine = await server.engine(registry);
    const names = Array.from({ length: realDatabases }, (_, index) => `real ${String(index)}`);
    // A few at a time, as many as are made at once anyway.
    while (names.length > 0) {
      await Promise.all(names.splice(0, 4).map((name) => resolved(engine.createProject({ name }))));
    }
    await addRows(server, registry, rows - realDatabases);
    const pool = server.pool(registry);
    const { floor, comparing } = await interleave(
      [
        {
          name: 'floor',
          run: async () => {
            await pool.query('select * from projects');
            await pool.query(catalogSql);
          },
        },
        {
          name: 'comparing',
          run: async () => {
            const { findings } = await engine.drift();
            if (findings.length !== rows - realDatabases) throw new Error(`${String(findings.length)} findings`);
          },
        },
      ],
      { rounds: 5, perRound: 1, warmUp: 1 },
    );
    return [
      {
        kind: 'timing',
        what: 'drift over 100,000 rows and 300 databases',
        figures: comparing,
        floor: 'reading the rows, and the databases with their comments',
        floorFigures: floor,
        target: 2,
        because:
          'nearly all of these rows have no database, so the report has 99,700 findings, each with its sentences; making and hashing them, and collecting what reading leaves behind, takes about as long as the reading. A registry whose databases are there has nothing to say.',
      },
    ];
  },
};

const catalogSql = `
  select d.datname, s.description from pg_database d
  left join pg_shdescription s on s.objoid = d.oid and s.classoid = 'pg_database'::regclass`;
