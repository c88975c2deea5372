import { resolved } from '../asked.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';

/**
 * A new project, against the database alone. Nothing is dropped before the end: a DROP DATABASE waits for a checkpoint, which
 * takes longer than what is timed.
 */
export const creation: Question = {
  name: 'creation',
  async ask(server) {
    const engine = await server.engine('registry_creation');
    // Makes the registry.
    await resolved(engine.createProject({ name: 'first' }));
    const pool = server.pool('registry_creation');
    let made = 0;
    const { floor, creating } = await interleave(
      [
        {
          name: 'floor',
          run: () => pool.query(`create database bare_${String((made += 1))}`),
        },
        {
          name: 'creating',
          run: () => resolved(engine.createProject({ name: `project ${String((made += 1))}` })),
        },
      ],
      { rounds: 20, perRound: 1, warmUp: 2 },
    );
    return [
      {
        kind: 'timing',
        what: 'create a project',
        figures: creating,
        floor: 'bare `CREATE DATABASE`',
        floorFigures: floor,
        target: 1.25,
        because:
          'CREATE DATABASE takes 46 of 56 ms on a busy machine, and the other fourteen round trips, two commits among them, 4 ms together: fewer would save 2 ms at most. The rest is this process waiting for its turn.',
      },
    ];
  },
};
