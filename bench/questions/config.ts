import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { resolved } from '../asked.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';
import { selectOne } from './explicit.ts';

/** Tier 2, warm: the folder's config file has its id and has not changed. */
export const config: Question = {
  name: 'config',
  async ask(server) {
    const engine = await server.engine('registry_config');
    const directory = await server.workspace({ name: 'configured' });
    // Makes the project and writes its id.
    await resolved(engine.resolve({ directory }));
    const pool = server.pool('registry_config');
    const { floor, tier2 } = await interleave(
      [
        {
          name: 'floor',
          run: async () => {
            const folder = await realpath(directory);
            await readFile(join(folder, '.codebase-mcp', 'config.json'));
            await selectOne(pool);
          },
        },
        { name: 'tier2', run: () => resolved(engine.resolve({ directory })) },
      ],
      { rounds: 250, perRound: 4, warmUp: 200 },
    );
    return [
      {
        kind: 'timing',
        what: 'tier 2, config unchanged',
        figures: tier2,
        floor: 'the real path of the folder, its config file read, and `SELECT 1`, one after the other',
        floorFigures: floor,
        target: 1.6,
        because:
          'the statement of tier 1 and its rules; twelve looks at the file system where the floor has five, 2 to 3 µs each where folder and file are on local disks and the system says so (Linux). Elsewhere each is a trip to another thread, 15 to 45 µs.',
      },
    ];
  },
};
