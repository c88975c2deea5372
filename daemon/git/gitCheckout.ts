import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { readBoundedFile } from '../files/boundedFile.ts';
import { isSet, lastValue, type GitConfigEntry } from './gitConfigText.ts';
import { followDotGit, readRepositoryConfig, versionControlIn, workTreeOf } from './gitFolder.ts';
import { findInIndex, type InIndex } from './gitIndex.ts';
import { osErrorCode } from '../files/osError.ts';

/** A git working tree around a file, as git itself would find it. It proves nothing about who owns it. */
export interface Checkout {
  root: string;
  gitDir: string;
  commonDir: string;
  config: GitConfigEntry[];
}

/** An index with two million files has about this size. */
const maxIndexBytes = 268_435_456;

/**
 * Finds the working tree around a folder. A bare repository made of files below is not one. Git continues above a
 * `.git` without HEAD, and so does this function; such a `.git` counts only if there is nothing else.
 *
 * @param folder a real path
 * @returns `unknown` if there is one that cannot be read, or that belongs to a system other than git
 */
export async function checkoutAround(folder: string): Promise<Checkout | 'unknown' | null> {
  let unborn: Checkout | null = null;
  for (let root = folder; ; root = dirname(root)) {
    const found = await versionControlIn(root);
    if (found === 'other') return 'unknown';
    if (found === 'git') {
      const checkout = await readCheckout(root);
      if (checkout === 'unknown' || !(await isMissing(join(checkout.gitDir, 'HEAD')))) return checkout;
      unborn ??= checkout;
    }
    if (dirname(root) === root) return unborn;
  }
}

async function readCheckout(root: string): Promise<Checkout | 'unknown'> {
  const place = await followDotGit(root);
  if (!place) return 'unknown';
  // Git needs no config file, but if there is one, it must be understood.
  const config = (await isMissing(join(place.commonDir, 'config'))) ? [] : await readRepositoryConfig(place.commonDir);
  if (!config) return 'unknown';
  // The files that its index lists may lie elsewhere; a linked worktree does not take that from the shared config.
  const named = place.gitDir === place.commonDir ? await workTreeOf(place.gitDir) : null;
  return named === null || named === root ? { root, ...place, config } : 'unknown';
}

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: unknown) => osErrorCode(error) === 'ENOENT',
  );
}

/** The path of a file inside a working tree, with `/`. */
export function pathInside({ root }: Checkout, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/**
 * Whether a working tree's index lists a file.
 *
 * @param path absolute, below the root, on real folders
 */
export async function inIndexOf(checkout: Checkout, path: string): Promise<InIndex> {
  const { gitDir, config } = checkout;
  const format = lastValue(config, 'extensions', 'objectformat')?.value?.toLowerCase() ?? 'sha1';
  const hashBytes = { sha1: 20, sha256: 32 }[format];
  if (hashBytes === undefined) return 'unknown';
  try {
    const index = await readBoundedFile(join(gitDir, 'index'), maxIndexBytes);
    if (index.kind !== 'file') return 'unknown';
    const repository = { hashBytes, ignoreCase: isSet(config, 'core', 'ignorecase') };
    return findInIndex(index.bytes, pathInside(checkout, path), repository);
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    // A repository to which nothing was ever added has no index.
    return code === 'ENOENT' ? 'untracked' : 'unknown';
  }
}

/**
 * Whether git tracks a file, read from its index without running git. Both the file's own place and, where it is a
 * symbolic link, that of what it leads to count.
 *
 * @returns `unknown` where there is a repository that is not understood
 */
export async function gitTracking(path: string): Promise<InIndex> {
  const answers = await Promise.all((await placesOf(path)).map(trackingAt));
  return answers.find((one) => one === 'tracked') ?? answers.find((one) => one === 'unknown') ?? 'untracked';
}

async function trackingAt(path: string): Promise<InIndex> {
  const checkout = await checkoutAround(dirname(path));
  if (checkout === null) return 'untracked';
  return checkout === 'unknown' ? 'unknown' : inIndexOf(checkout, path);
}

/**
 * Where a file is, on real folders: in the folder that its path names, and where it leads as a symbolic link. Folders
 * that do not exist yet are taken as they are named.
 */
export async function placesOf(path: string): Promise<string[]> {
  const own = join(await realPlace(dirname(path)), basename(path));
  const isLink = await lstat(own).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  return isLink ? [own, await realPlace(own)] : [own];
}

async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await realPlace(above), basename(path));
  }
}
