import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Question } from '../result.ts';

/** What is shipped, minified. */
export const bundleSizes: Question = {
  name: 'bundle-sizes',
  async ask() {
    const size = async (file: string): Promise<number> =>
      (await stat(join(import.meta.dirname, '..', '..', 'dist', file))).size;
    return [
      {
        kind: 'size',
        what: 'bundle of the daemon',
        bytes: (await size('registrar.cjs')) + (await size('commands.cjs')),
        maxBytes: 1_200_000,
      },
      { kind: 'size', what: 'bundle of the extension', bytes: await size('extension.cjs'), maxBytes: 250_000 },
    ];
  },
};
