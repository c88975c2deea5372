import { execFile, spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Binaries } from './binaries.ts';
import { bundledFault } from './bundledFault.ts';
import { findLockHolder, readPostmasterLock } from './postmasterLock.ts';
import type { Account, ServerHome } from './serverHome.ts';
import { serverProcessOptions } from './serverProcess.ts';

export interface LaunchedPostmaster {
  /** Null on Windows, where pg_ctl stands between. */
  pid: number | null;
  /** Null while it runs. `output` is what it logged since its launch. */
  ended(): { output: Promise<string> } | null;
}

const rotateAtBytes = 5 * 1024 * 1024;

/**
 * Starts a server that outlives this process. It may refuse (another one has the data, the port is taken): `ended` tells.
 *
 * @param staleHolder the process id in a left-over lock, when it now belongs to a process that is not PostgreSQL's
 */
export async function launchPostmaster(
  place: ServerHome,
  binaries: Binaries,
  data: string,
  port: number,
  staleHolder: number | null,
): Promise<LaunchedPostmaster> {
  const logFile = path.join(place.folder, 'server.log');
  const offset = await rotate(logFile);
  const options = serverProcessOptions(place.account, path.dirname(data));
  // PostgreSQL takes a lock with a live process id of its own user for a running server. It ignores a pid in this
  // variable, as pg_ctl uses it. So PostgreSQL itself removes the file, with its own checks.
  if (staleHolder !== null) options.env['PG_GRANDPARENT_PID'] = String(staleHolder);
  const settings = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const log = await open(logFile, 'a', 0o600);
  // On Windows postgres refuses administrators, and pg_ctl is what gives their rights up.
  const onWindows = process.platform === 'win32';
  const child = onWindows
    ? spawn(binaries.pgCtl, ['start', '-W', '-D', data, '-l', logFile, '-o', settings.join(' ')], {
        ...options,
        stdio: 'ignore',
      })
    : spawn(binaries.postgres, ['-D', data, ...settings], {
        ...options,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
  let hasEnded = false;
  const whenEnded = (code: number | null): void => {
    hasEnded = !onWindows || code !== 0;
  };
  child.once('exit', whenEnded);
  child.once('error', () => {
    whenEnded(null);
  });
  child.unref();
  await log.close();
  return {
    pid: onWindows ? null : (child.pid ?? null),
    ended: () => (hasEnded ? { output: readFrom(logFile, offset) } : null),
  };
}

/**
 * Stops the server of a data folder: `fast` first, which writes everything out, then `immediate`, after which the next
 * start recovers. Does nothing when none runs.
 *
 * @param limits seconds for each of the two
 * @throws RegistrarError `PROVISION_FAILED` when it still runs after both
 */
export async function stopPostmaster(
  account: Account | null,
  binaries: Binaries,
  data: string,
  limits = { fastS: 15, immediateS: 10 },
): Promise<void> {
  const options = serverProcessOptions(account, path.dirname(data));
  for (const [mode, seconds] of [
    ['fast', limits.fastS],
    ['immediate', limits.immediateS],
  ] as const) {
    // pg_ctl signals whatever process has the number, so it is used only for one that is our server.
    if (!(await isHeld(data))) return;
    const args = ['stop', '-D', data, '-m', mode, '-w', '-t', String(seconds)];
    // A failure means a timeout, or that the server ended by itself; the lock tells which.
    await promisify(execFile)(binaries.pgCtl, args, options).catch(() => undefined);
  }
  if (await isHeld(data)) {
    throw bundledFault('The bundled PostgreSQL does not stop.', `End the process named in ${data}/postmaster.pid.`);
  }
}

async function isHeld(data: string): Promise<boolean> {
  const lock = await readPostmasterLock(data);
  if (lock === null) return false;
  const holder = await findLockHolder(lock, data);
  return holder === 'ours' || holder === 'unknown';
}

/** Returns the size of the log, bytes: what a launch adds begins there. */
async function rotate(logFile: string): Promise<number> {
  const size = await stat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size <= rotateAtBytes) return size;
  // Another starter may have been first, and Windows renames no open file: then it is tried again at the next start.
  return await rename(logFile, `${logFile}.1`).then(
    () => 0,
    () => size,
  );
}

async function readFrom(logFile: string, offset: number): Promise<string> {
  const content = await readFile(logFile).catch(() => Buffer.alloc(0));
  return content.subarray(offset).toString('utf8');
}
