import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileIdentity } from '../registry/model.ts';
import type { FolderIdentity } from '../registry/ports.ts';
import { osErrorCode } from './osError.ts';

const maxLevels = 20;

/**
 * Which folder stands at a path, and which `.git` is nearest at or above it.
 *
 * @param folder a real path; both are null when it is not there
 * @param limits `home`: a `.git` in the home folder says nothing about the folders below
 */
export async function identifyFolder(folder: string, limits: { home: string }): Promise<FolderIdentity> {
  const [identity, dotGit] = await Promise.all([identityOf(folder), nearestDotGit(folder, limits.home)]);
  return { identity, dotGit: identity && dotGit };
}

/**
 * Whether a folder is there. Its parent has to be readable and on the device that the folder was on, or a disk may only
 * not be mounted.
 *
 * @param device of the folder when it was last seen, as `FileIdentity` has it; null where nobody noted it
 */
export async function presenceOf(path: string, device: string | null): Promise<'there' | 'gone' | 'unknown'> {
  try {
    await stat(path);
    return 'there';
  } catch (error) {
    if (osErrorCode(error) !== 'ENOENT') return 'unknown';
  }
  const parent = await identityOf(dirname(path));
  if (!parent) return 'unknown';
  return device === null || parent.device === device ? 'gone' : 'unknown';
}

async function nearestDotGit(folder: string, home: string): Promise<FileIdentity | null> {
  let at = folder;
  for (let level = 1; level <= maxLevels && at !== home && dirname(at) !== at; level += 1) {
    const found = await identityOf(join(at, '.git'));
    if (found) return found;
    at = dirname(at);
  }
  return null;
}

async function identityOf(path: string): Promise<FileIdentity | null> {
  try {
    const { dev, ino, birthtimeNs } = await lstat(path, { bigint: true });
    return { device: String(dev), inode: String(ino), birth: String(birthtimeNs) };
  } catch {
    return null;
  }
}

/** The real path of the home folder, or the path itself where it does not exist. */
export async function realHome(home: string): Promise<string> {
  return realpath(home).catch(() => home);
}
