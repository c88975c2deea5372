import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { checkoutAround, inIndexOf, placesOf } from '../git/gitCheckout.ts';
import { isIgnored } from '../git/gitIgnored.ts';
import type { UserFiles } from '../git/userGitConfig.ts';

/**
 * Why a secret must not be written into a file: git could take it into a repository, or another user could read it there.
 *
 * @param path absolute; nothing needs to be there yet
 * @param user whose configuration says what is ignored everywhere; of this process when absent
 * @returns the reason, as the end of a sentence that begins with the file; null when there is none
 */
export async function tokenExposure(
  path: string,
  user: UserFiles = { home: homedir(), env: process.env },
): Promise<string | null> {
  // Behind a symbolic link there may be a repository of the user's own settings.
  for (const place of await placesOf(path)) {
    const exposure = await exposureToGit(place, user);
    if (exposure !== null) return exposure;
  }
  const stats = await stat(path).catch(() => null);
  if (process.platform !== 'win32' && stats && (stats.mode & 0o077) !== 0) return 'can be read by other users';
  return null;
}

/** Untracked files count, too, unless they are ignored: the next `git add` would take them. In doubt it could be taken. */
async function exposureToGit(path: string, user: UserFiles): Promise<string | null> {
  const checkout = await checkoutAround(dirname(path));
  if (checkout === null) return null;
  const tracking = checkout === 'unknown' ? 'unknown' : await inIndexOf(checkout, path);
  if (checkout === 'unknown' || tracking === 'unknown') return 'is in a repository that Registrar cannot read';
  // What is tracked as it is, ignoring does not change.
  const isSafe = tracking === 'untracked' && (await isIgnored(checkout, path, user));
  return isSafe ? null : 'is in a repository that does not ignore it';
}
