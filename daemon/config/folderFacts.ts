import { lstatSync, statSync, type BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileIdentity } from '../registry/model.ts';
import type { FolderIdentity } from '../registry/ports.ts';
import { identityIn } from '../files/fileIdentity.ts';
import { osErrorCode } from '../files/osError.ts';

const maxLevels = 20;

/**
 * Which folder is at a path, and which `.git` is nearest at or above it.
 *
 * @param folder a real path; both are null when it is not there
 * @param limits `home`: a `.git` in the home folder says nothing about the folders below
 */
export async function identifyFolder(folder: string, limits: { home: string }): Promise<FolderIdentity> {
  const [identity, git] = await Promise.all([identityOf(folder), nearestDotGit(folder, limits.home)]);
  if (!identity || !git) return { identity, dotGit: null, configStamp: null };
  return { identity, dotGit: git.identity, configStamp: await stampOf(join(git.path, 'config')) };
}

/** As `identifyFolder`, in microseconds, for a folder on this machine's own disks: every warm resolve asks. */
export function identifyFolderAtOnce(folder: string, limits: { home: string }): FolderIdentity {
  const identity = identityNow(folder);
  for (let [at, level] = [folder, 1]; level <= maxLevels && at !== limits.home && dirname(at) !== at; level += 1) {
    const path = join(at, '.git');
    const dotGit = identityNow(path);
    if (dotGit && identity) return { identity, dotGit, configStamp: stampNow(join(path, 'config')) };
    at = dirname(at);
  }
  return { identity, dotGit: null, configStamp: null };
}

function identityNow(path: string): FileIdentity | null {
  try {
    const seen = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return seen ? identityIn(seen) : null;
  } catch {
    return null;
  }
}

function stampNow(path: string): string | null {
  try {
    const seen = statSync(path, { bigint: true, throwIfNoEntry: false });
    return seen ? stampIn(seen) : null;
  } catch {
    return null;
  }
}

function stampIn({ mtimeNs, size, ino }: BigIntStats): string {
  return [mtimeNs, size, ino].join(' ');
}

/** Null where `.git` is a file: its repository's config is the main checkout's to watch. */
async function stampOf(path: string): Promise<string | null> {
  try {
    return stampIn(await stat(path, { bigint: true }));
  } catch {
    return null;
  }
}

/**
 * Whether a folder is there. Its parent has to be readable and on the device that the folder was on; otherwise, a disk
 * may just not be mounted.
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

async function nearestDotGit(folder: string, home: string): Promise<{ path: string; identity: FileIdentity } | null> {
  let at = folder;
  for (let level = 1; level <= maxLevels && at !== home && dirname(at) !== at; level += 1) {
    const path = join(at, '.git');
    const identity = await identityOf(path);
    if (identity) return { path, identity };
    at = dirname(at);
  }
  return null;
}

async function identityOf(path: string): Promise<FileIdentity | null> {
  try {
    return identityIn(await lstat(path, { bigint: true }));
  } catch {
    return null;
  }
}
