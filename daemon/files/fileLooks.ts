import { constants, closeSync, fstatSync, lstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import type { BigIntStats, Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { readBoundedFile, type BoundedFile } from './boundedFile.ts';

/** How the file system is looked at when a config file is found and read. Errors are those of the operating system. */
export interface FileLooks {
  realpath(path: string): string | Promise<string>;
  stat(path: string): Stats | Promise<Stats>;
  lstat(path: string): Stats | Promise<Stats>;
  /** With numbers and times in full; null when nothing is there, or it cannot be looked at. */
  exactly(path: string, links: 'followed' | 'not followed'): BigIntStats | null | Promise<BigIntStats | null>;
  /** Whether there is anything of that name; what cannot be looked at is not. */
  isThere(path: string): boolean | Promise<boolean>;
  /** As `readBoundedFile`. */
  read(path: string, maxBytes: number): BoundedFile | Promise<BoundedFile>;
}

/** Each look is a trip to another thread and back: it takes longer, and a network file system that hangs holds up nobody else. */
export const waitingLooks: FileLooks = {
  realpath,
  stat,
  lstat,
  exactly: (path, links) => (links === 'followed' ? stat : lstat)(path, { bigint: true }).catch(() => null),
  isThere: (path) =>
    lstat(path).then(
      () => true,
      () => false,
    ),
  read: readBoundedFile,
};

/** Each look is done at once, in microseconds: for files on this machine's own disks. */
export const promptLooks: FileLooks = {
  realpath: (path) => realpathSync.native(path),
  stat: (path) => statSync(path),
  lstat: (path) => lstatSync(path),
  exactly(path, links) {
    try {
      const look = links === 'followed' ? statSync : lstatSync;
      return look(path, { bigint: true, throwIfNoEntry: false }) ?? null;
    } catch {
      return null;
    }
  },
  isThere(path) {
    try {
      // What is missing is the usual answer, and an error takes longer than the look.
      return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    } catch {
      return false;
    }
  },
  read(path, maxBytes) {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) return { kind: 'notFile' };
      if (stats.size > maxBytes) return { kind: 'tooLarge', size: stats.size };
      // One more than there should be: a file that grows meanwhile is read again, or cut off, as it is then.
      const buffer = Buffer.alloc(stats.size + 1);
      const length = readSync(file, buffer, 0, buffer.length, 0);
      return length > stats.size
        ? readBoundedFile(path, maxBytes)
        : { kind: 'file', bytes: buffer.subarray(0, length), stats };
    } finally {
      closeSync(file);
    }
  },
};
