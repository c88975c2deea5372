import { resolved } from '../asked.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';

const atOnce = 32;

/** 32 workspaces that nobody has seen before, all at once, against 32 databases. */
export const firstResolves: Question = {
  name: 'first-resolves',
  async ask(server) {
    const engine = await server.engine('registry_first_resolves');
    await resolved(engine.createProject({ name: 'first' }));
    const pool = server.pool('registry_first_resolves');
    let made = 0;
    let folders: string[] = [];
    const { floor, resolving } = await interleave(
      [
        {
          name: 'floor',
          run: () => {
            const names = Array.from({ length: atOnce }, () => `bare_at_once_${String((made += 1))}`);
            return Promise.all(names.map((name) => pool.query(`create database ${name}`)));
          },
        },
        {
          name: 'resolving',
          prepare: async () => {
            const names = Array.from({ length: atOnce }, () => `project ${String((made += 1))}`);
            folders = await Promise.all(names.map((name) => server.workspace({ name })));
          },
          run: () => Promise.all(folders.map((directory) => resolved(engine.resolve({ directory })))),
        },
      ],
      { rounds: 4, perRound: 1, warmUp: 1 },
    );
    return [
      {
        kind: 'timing',
        what: '32 first resolves of 32 projects at once',
        figures: resolving,
        floor: '32 bare `CREATE DATABASE` at once, on a pool of the same size',
        floorFigures: floor,
        target: 1.3,
        because:
          'each project also waits for the disk four times (the row reserved, row and marker ready, the config file and its folder), while the databases are being written; and each asks for the markers of all databases.',
      },
    ];
  },
};
