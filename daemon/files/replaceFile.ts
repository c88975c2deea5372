import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, link, open, realpath, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { osErrorCode } from './osError.ts';

/** A file as it was read. */
export interface FileVersion {
  /** The path with its symbolic links followed, as it was before the file was read. */
  target: string;
  bytes: Buffer;
  stats: Stats;
}

/**
 * Puts new bytes in the place of the old, so that nobody ever reads half of them, and owner, mode and symbolic link stay.
 *
 * @param read reads the file again, immediately before the rename
 * @returns false, and nothing done, when the old bytes are not there any more
 * @throws the operating system's error, the old file untouched
 */
export async function replaceUnlessChanged(
  path: string,
  before: FileVersion,
  bytes: Buffer,
  read: () => Promise<Buffer>,
): Promise<boolean> {
  const { target } = before;
  await refuseReadOnly(target, before.stats);
  const temporary = temporaryBeside(target);
  try {
    await writeDurably(temporary, bytes, 0o600, (handle) => copyOwnerAndMode(handle, before.stats));
    const now = await read();
    if (!now.equals(before.bytes) || (await realpath(path)) !== target) return false;
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(target));
  return true;
}

/**
 * Puts a file at a path, whatever was there: after a crash at any instant the old or the new content is there, whole, and
 * nobody sees the content under a wider mode than its own. A link at the path is replaced, not followed.
 *
 * @param steps `prepare` sets the owner or the like while the file still has a name of its own; `confirm` runs immediately
 *   before the rename, and what it throws prevents that
 * @throws the operating system's error, the old file untouched
 */
export async function replaceFile(
  path: string,
  content: string,
  mode: number,
  steps: { prepare?: (handle: FileHandle) => Promise<void>; confirm?: () => Promise<void> } = {},
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeDurably(temporary, Buffer.from(content), mode, steps.prepare);
    await steps.confirm?.();
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/**
 * Makes a file, never overwriting one and never showing half of one. Its folder is there.
 *
 * @throws the operating system's error; `EEXIST` when there is something at the path, be it a link to nothing
 */
export async function createFile(path: string, bytes: Buffer, mode: number): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeDurably(temporary, bytes, mode);
    await linkExclusively(temporary, path, bytes, mode);
    await syncFolder(dirname(path));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What an error of the operating system means for a file that was to be written, as the end of a sentence. */
export function writeFailureWords(code: string): string {
  return failureWords[code] ?? `could not be written (${code})`;
}

/**
 * A rename needs only the folder to be writable. Whoever made the file read-only did not want it replaced, and that
 * holds for root, whom `access` never refuses.
 */
async function refuseReadOnly(target: string, stats: Stats): Promise<void> {
  if ((stats.mode & 0o222) === 0) {
    throw Object.assign(new Error(`EACCES: ${target} is read-only`), { code: 'EACCES', syscall: 'access' });
  }
  await access(target, constants.W_OK);
}

/** Fails where the owner cannot be kept: under a new owner, the old one's daemon would not trust its own file. */
async function copyOwnerAndMode(handle: FileHandle, stats: Stats): Promise<void> {
  if (process.platform === 'win32') return;
  const own = await handle.stat();
  if (own.uid !== stats.uid || own.gid !== stats.gid) await handle.chown(stats.uid, stats.gid);
  // After chown, which clears the set-id bits.
  await handle.chmod(stats.mode & 0o7777);
}

/** A hard link appears whole or fails because the name is taken. Some file systems have none (exFAT, some shares). */
async function linkExclusively(temporary: string, path: string, bytes: Buffer, mode: number): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(osErrorCode(error) ?? '')) throw error;
    await writeFile(path, bytes, { flag: 'wx', mode });
  }
}

function temporaryBeside(target: string): string {
  return join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Writes a new file, on disk before it returns; its name is so once `syncFolder` has run, too. */
export async function writeDurably(
  path: string,
  bytes: Buffer,
  mode: number,
  prepare: (handle: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await prepare(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes the names in a folder survive a power cut. Windows cannot open folders; a folder that cannot be opened to read, or a
 * file system that does not sync folders, leaves nothing to do.
 *
 * @throws the operating system's error when the disk refuses
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch((error: unknown) => {
    if (['EACCES', 'EPERM'].includes(osErrorCode(error) ?? '')) return null;
    throw error;
  });
  try {
    await handle?.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(osErrorCode(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

const failureWords: Record<string, string> = {
  EACCES: 'is not writable by you',
  EPERM: 'cannot be written by you without changing its owner',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'could not be written: the disk is full',
  EDQUOT: 'could not be written: your disk quota is used up',
  ENOENT: 'is gone',
  ENOTDIR: 'is gone',
};
