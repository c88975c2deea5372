import type { Engine } from '../../daemon/engine/engine.ts';
import { filledRegistry } from '../filledRegistry.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';

/** A page of projects as the registry grows, the first and one in the middle. */
export const listing: Question = {
  name: 'listing',
  async ask(server) {
    const { engine: thousand } = await filledRegistry(server, 1000);
    const { engine: million } = await filledRegistry(server, 1_000_000);
    const figures = await interleave(
      [
        { name: 'first of 1,000', run: () => page(thousand, null) },
        { name: 'first of 1,000,000', run: () => page(million, null) },
        // By name, so these are about the middle of both.
        { name: 'middle of 1,000', run: () => page(thousand, 'project 5') },
        { name: 'middle of 1,000,000', run: () => page(million, 'project 5') },
      ],
      { rounds: 100, perRound: 2, warmUp: 20 },
    );
    return (['first', 'middle'] as const).map((which) => ({
      kind: 'timing',
      what: `list a page of 100, the ${which === 'first' ? 'first' : 'one in the middle'}, at 1,000,000 registry rows`,
      figures: figures[`${which} of 1,000,000`],
      floor: 'the same at 1,000 rows',
      floorFigures: figures[`${which} of 1,000`],
      target: 2,
    }));
  },
};

async function page(engine: Engine, cursor: string | null): Promise<void> {
  const { projects, nextCursor } = await engine.listProjects({ limit: 100, cursor });
  if (projects.length !== 100 || nextCursor === null) throw new Error(`${String(projects.length)} were listed`);
}
