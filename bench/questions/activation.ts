import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { figuresOf } from '../harness.ts';
import type { Question } from '../result.ts';

const file = join(import.meta.dirname, '..', '..', 'test-output', 'activation.json');

/** Times of a real extension host, which this process is not: whoever runs in one leaves them there, in milliseconds. */
interface Activations {
  activationMs: number[];
  /** `node -e 0`, taken in turns with them. */
  floorMs: number[];
}

/** How long VS Code waits for the extension. */
export const activation: Question = {
  name: 'activation',
  async ask() {
    const what = 'activation of the extension';
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null)
      return [{ kind: 'skipped', what, why: 'nobody has left figures in test-output/activation.json' }];
    const { activationMs, floorMs } = JSON.parse(text) as Activations;
    return [
      {
        kind: 'timing',
        what,
        figures: figuresOf(activationMs),
        floor: '`node -e 0`',
        floorFigures: figuresOf(floorMs),
        target: null,
      },
    ];
  },
};
