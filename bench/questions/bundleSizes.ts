import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode } from '../installation.ts';
import type { Question } from '../result.ts';

const repository = join(import.meta.dirname, '..', '..');

/** What is shipped, minified. */
export const bundleSizes: Question = {
  name: 'bundle-sizes',
  async ask() {
    const size = async (file: string): Promise<number> => (await stat(join(repository, 'dist', file))).size;
    return [
      {
        kind: 'size',
        what: 'bundle of the daemon',
        bytes: (await size('registrar.cjs')) + (await size('commands.cjs')),
        maxBytes: 1_200_000,
      },
      { kind: 'size', what: 'bundle of the extension', bytes: await size('extension.cjs'), maxBytes: 250_000 },
      { kind: 'size', what: 'VSIX', bytes: await packaged(), maxBytes: 1_000_000 },
    ];
  },
};

/** The bytes of the package that `npm run package` would make. */
async function packaged(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'registrar-bench-vsix-'));
  const file = join(folder, 'it.vsix');
  const vsce = join(repository, 'node_modules/@vscode/vsce/vsce');
  try {
    const readme = ['--readme-path', 'extension/README.md'];
    const options = ['--no-dependencies', '--allow-missing-repository', ...readme];
    await runNode(process.env, vsce, 'package', ...options, '--out', file);
    return (await stat(file)).size;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
