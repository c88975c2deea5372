import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileIdentity } from '../registry/model.ts';
import type { FolderIdentity } from '../registry/ports.ts';
import { identityIn } from '../files/fileIdentity.ts';
import { waitingLooks, type FileLooks } from '../files/fileLooks.ts';
import { osErrorCode } from '../files/osError.ts';

const maxLevels = 20;

/**
 * Which folder is at a path, and which `.git` is nearest at or above it.
 *
 * @param folder a real path; both are null when it is not there
 * @param limits `home`: a `.git` in the home folder says nothing about the folders below; `looks`: how the file system is
 *   looked at, by other threads when absent
 */
export async function identifyFolder(
  folder: string,
  { home, looks = waitingLooks }: { home: string; looks?: FileLooks },
): Promise<FolderIdentity> {
  const [identity, git] = await Promise.all([identityOf(folder, looks), nearestDotGit(folder, home, looks)]);
  if (!identity || !git) return { identity, dotGit: null, configStamp: null };
  // Null where `.git` is a file: its repository's config is the main checkout's to watch.
  const config = await looks.exactly(join(git.path, 'config'), 'followed');
  return { identity, dotGit: git.identity, configStamp: config && stampIn(config) };
}

function stampIn({ mtimeNs, size, ino }: BigIntStats): string {
  return [mtimeNs, size, ino].join(' ');
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
  const parent = await identityOf(dirname(path), waitingLooks);
  if (!parent) return 'unknown';
  return device === null || parent.device === device ? 'gone' : 'unknown';
}

async function nearestDotGit(
  folder: string,
  home: string,
  looks: FileLooks,
): Promise<{ path: string; identity: FileIdentity } | null> {
  let at = folder;
  for (let level = 1; level <= maxLevels && at !== home && dirname(at) !== at; level += 1) {
    const path = join(at, '.git');
    const identity = await identityOf(path, looks);
    if (identity) return { path, identity };
    at = dirname(at);
  }
  return null;
}

async function identityOf(path: string, looks: FileLooks): Promise<FileIdentity | null> {
  const seen = await looks.exactly(path, 'not followed');
  return seen && identityIn(seen);
}
