import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';

/**
 * Whether git tracks a file. Only git reads its index reliably, so it is asked; without git, or outside a repository,
 * nothing is tracked.
 */
export async function isTracked(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const args = ['ls-files', '--error-unmatch', '--', basename(path)];
    execFile('git', args, { cwd: dirname(path), timeout: 2000 }, (error) => {
      resolve(error === null);
    });
  });
}
