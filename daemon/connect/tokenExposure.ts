import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { versionControlIn } from '../config/gitFolder.ts';

/**
 * Why a secret must not be written into a file: git could take it into a repository, or another user could read it there.
 *
 * @param path absolute; nothing needs to be there yet
 * @returns the reason, as the end of a sentence that begins with the file; null when there is none
 */
export async function tokenExposure(path: string): Promise<string | null> {
  // Behind a symbolic link there may be a repository of the user's own settings.
  for (const place of new Set([path, await realPlace(path)])) {
    if (await gitCouldTake(place)) return 'is in a repository that does not ignore it';
  }
  const stats = await stat(path).catch(() => null);
  if (process.platform !== 'win32' && stats && (stats.mode & 0o077) !== 0) return 'can be read by other users';
  return null;
}

/**
 * Untracked files count, too, unless they are ignored: the next `git add` would take them. In doubt, such as without git
 * at hand, the answer is yes.
 */
async function gitCouldTake(path: string): Promise<boolean> {
  const root = await repositoryAbove(dirname(path));
  if (root === null) return false;
  return new Promise((resolve) => {
    // Tracked files are never reported as ignored. No program that the repository names is run.
    const args = ['-c', 'core.fsmonitor=false', 'check-ignore', '--quiet', '--', path];
    execFile('git', args, { cwd: root, env: withoutGitVariables(process.env), timeout: 10_000 }, (error) => {
      resolve(error !== null);
    });
  });
}

async function repositoryAbove(folder: string): Promise<string | null> {
  if ((await versionControlIn(folder)) === 'git') return folder;
  const above = dirname(folder);
  return above === folder ? null : repositoryAbove(above);
}

/** The real path, also of a file whose last folders are yet to be made. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await realPlace(above), basename(path));
  }
}

/** Variables such as GIT_DIR, which a hook has, would make git look elsewhere. */
function withoutGitVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('GIT_')));
}
