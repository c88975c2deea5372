import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { osErrorCode } from '../files/osError.ts';

/** What postmaster.pid says: who claims the data folder. It is only a claim, because a crash leaves the file behind. */
export interface PostmasterLock {
  pid: number;
  port: number;
  ready: boolean;
}

/**
 * Who has the process id in the lock: our server, nobody, a process that got the number after a crash or a reboot (or a
 * zombie), or `unknown` if the platform does not tell.
 */
export type LockHolder = 'ours' | 'gone' | 'other' | 'unknown';

/** Reads postmaster.pid (its lines are listed in PostgreSQL's `miscadmin.h`); null when absent or half written. */
export async function readPostmasterLock(data: string): Promise<PostmasterLock | null> {
  const text = await readFile(lockFile(data), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  if (!(pid > 0)) return null;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10) || 0, ready: (lines[7] ?? '').trim() === 'ready' };
}

export function lockFile(data: string): string {
  return path.join(data, 'postmaster.pid');
}

/** Looks at the process itself: a postmaster of ours has the data folder among its arguments. */
export async function findLockHolder(lock: PostmasterLock, data: string): Promise<LockHolder> {
  try {
    process.kill(lock.pid, 0);
  } catch {
    // Not there, or of another user (EPERM): PostgreSQL itself takes both for a lock that a crash left.
    return 'gone';
  }
  if (process.platform === 'linux') {
    try {
      const args = (await readFile(`/proc/${String(lock.pid)}/cmdline`, 'utf8')).split('\0');
      return args.includes(data) ? 'ours' : 'other';
    } catch (error) {
      return osErrorCode(error) === 'ENOENT' ? 'gone' : 'unknown';
    }
  }
  if (process.platform === 'darwin') {
    try {
      const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(lock.pid)]);
      return stdout.includes(data) ? 'ours' : 'other';
    } catch {
      return 'unknown';
    }
  }
  return 'unknown';
}
