import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { osErrorCode } from './osError.ts';

export interface LockLimits {
  /** How long a lock of a process that is not there any more still counts: in another container its id means nothing here. */
  deadMs: number;
  /** How long one lock counts whoever has it: a process may hang, or have got the id of one that died. */
  hungMs: number;
  /** How long to wait for all those that come first. */
  waitMs: number;
}

const usualLimits: LockLimits = { deadMs: 250, hungMs: 5000, waitMs: 30_000 };

/** A lock that was taken away from a process that hung; what it was about to write is out of date. */
export class LockLost extends Error {}

/**
 * Does work that no other process does at the same time. The lock is a file that says who has it. Its age is measured by
 * who waits for it, so clocks that are set do not matter.
 *
 * @param path of the lock file; its folder is there
 * @param work is given a check that throws `LockLost`, to be made immediately before what must not be done twice
 * @throws what `work` throws; the operating system's error when the file cannot be made, `EBUSY` when others had it too long
 */
export async function withFileLock<T>(
  path: string,
  work: (confirm: () => Promise<void>) => Promise<T>,
  limits: LockLimits = usualLimits,
): Promise<T> {
  const own = `${String(process.pid)} ${randomBytes(8).toString('hex')}`;
  await acquire(path, own, limits);
  try {
    return await work(async () => {
      if ((await holderOf(path)) !== own) throw new LockLost(`${path} was taken over`);
    });
  } finally {
    if ((await holderOf(path)) === own) await rm(path, { force: true });
  }
}

async function acquire(path: string, own: string, limits: LockLimits): Promise<void> {
  const { deadMs, hungMs, waitMs } = limits;
  const begun = performance.now();
  let seen = { holder: '', since: begun };
  while (!(await create(path, own))) {
    const now = performance.now();
    const holder = await holderOf(path);
    if (holder !== null && holder !== seen.holder) seen = { holder, since: now };
    const heldMs = now - seen.since;
    const isAbandoned = heldMs > hungMs || (heldMs > deadMs && !isRunning(seen.holder));
    if (holder !== null && isAbandoned) await takeAway(path, holder, limits);
    else if (now - begun > waitMs) {
      throw Object.assign(new Error(`EBUSY: others write all the time, ${path}`), { code: 'EBUSY', syscall: 'open' });
    }
    // Not in step with others who wait.
    else await delay(1 + Math.random() * 5);
  }
}

/** @returns false when somebody else has it */
async function create(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (osErrorCode(error) === 'EEXIST' || isBeingRemoved(error)) return false;
    throw error;
  }
}

/** Windows keeps the name of a removed file until nobody has it open. */
function isBeingRemoved(error: unknown): boolean {
  return process.platform === 'win32' && osErrorCode(error) === 'EPERM';
}

/** What the file says; null when it is not there, and nothing when its writer died before it wrote. */
async function holderOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (osErrorCode(error) === 'ENOENT' || isBeingRemoved(error)) return null;
    throw error;
  });
}

/**
 * Of several who find the same lock abandoned one removes it: another one, a moment later, would remove the lock of who came
 * next. Where even the one who removes it is killed, the next just removes his.
 */
async function takeAway(path: string, holder: string, limits: LockLimits): Promise<void> {
  const remove = async (): Promise<void> => {
    if ((await holderOf(path)) === holder) await rm(path, { force: true });
  };
  await (path.endsWith(takeover) ? remove() : withFileLock(`${path}${takeover}`, remove, limits));
}

const takeover = '.takeover';

function isRunning(holder: string): boolean {
  const pid = Number.parseInt(holder, 10);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return osErrorCode(error) === 'EPERM';
  }
}
