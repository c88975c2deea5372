import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own that is small enough to be filled. */
export interface TinyDisk {
  folder: string;
  /** Takes all the space that is left. */
  fill(): Promise<void>;
  /** From now on nothing can be written at all. */
  lock(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Mounts a tmpfs.
 *
 * @param owner whom it belongs to, null for this process's user
 * @returns null where mounting is not possible: it takes root on Linux, and not every container allows it
 */
export async function mountTinyDisk(
  sizeKb: number,
  owner: { uid: number; gid: number } | null,
): Promise<TinyDisk | null> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-tiny-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${String(sizeKb)}k`, 'tmpfs', folder]);
  } catch {
    await rm(folder, { recursive: true });
    return null;
  }
  await chmod(folder, 0o700);
  if (owner) await chown(folder, owner.uid, owner.gid);
  const filler = path.join(folder, 'filler');
  return {
    folder,
    async fill() {
      const isFull = await writeFile(filler, Buffer.alloc((sizeKb + 4) * 1024)).then(
        () => false,
        (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOSPC',
      );
      if (!isFull) throw new Error('the disk is not full');
    },
    async lock() {
      await run('mount', ['-o', 'remount,ro', folder]);
    },
    free: () => rm(filler),
    async close() {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true });
    },
  };
}
