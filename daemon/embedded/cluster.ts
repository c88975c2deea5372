import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { syncFolder, writeDurably } from '../files/replaceFile.ts';

import { removeAbandonedFolders } from './abandonedFolders.ts';
import type { Binaries } from './binaries.ts';
import { bundledFault } from './bundledFault.ts';
import type { ServerHome } from './serverHome.ts';
import { serverProcessOptions } from './serverProcess.ts';

/** The initialised data and the password that belongs to it. They are one folder, so they can never disagree. */
export interface Cluster {
  data: string;
  password: string;
  passwordFile: string;
}

export const clusterUser = 'registrar';

const newPrefix = 'cluster.new-';

/** What may be changed later with ALTER SYSTEM; addresses and port are given at each start instead. */
const settings = {
  shared_buffers: '32MB',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Statements and the values in error details may contain secrets, and people attach the log to reports.
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** The major version in the data's PG_VERSION; null when nothing was initialised yet. */
export async function readDataMajor(place: ServerHome): Promise<string | null> {
  const text = await readFile(path.join(clusterFolder(place), 'data', 'PG_VERSION'), 'utf8').catch(() => null);
  return text === null ? null : text.trim();
}

/** Reads the cluster that is there. @throws RegistrarError `PROVISION_FAILED` when its password is gone. */
export async function readCluster(place: ServerHome): Promise<Cluster> {
  const folder = clusterFolder(place);
  const passwordFile = path.join(folder, 'password');
  const password = await readFile(passwordFile, 'utf8').catch((error: unknown) => {
    throw bundledFault(`The bundled server's password in ${folder} cannot be read.`, undefined, error);
  });
  return { data: path.join(folder, 'data'), password: password.trim(), passwordFile };
}

/**
 * Initialises a cluster. It is created under another name and renamed as a whole: an initdb that is killed at any
 * instant leaves no data folder, and of two starters the rename lets one win, because a folder with content is never
 * replaced.
 *
 * @param timeoutMs limit for initdb
 * @throws RegistrarError `PROVISION_FAILED` with what initdb said
 */
export async function createCluster(place: ServerHome, binaries: Binaries, timeoutMs: number): Promise<void> {
  await removeAbandonedFolders(place.home, newPrefix);
  const temporary = await mkdtemp(path.join(place.home, newPrefix));
  try {
    await initialise(temporary, place, binaries, timeoutMs);
    await rename(temporary, clusterFolder(place));
    // Acknowledged rows live inside this folder: after a power cut it must still be found under its final name.
    await syncFolder(place.home);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if ((await readDataMajor(place)) === null) throw error;
  }
}

function clusterFolder(place: ServerHome): string {
  return path.join(place.home, 'cluster');
}

async function initialise(folder: string, place: ServerHome, binaries: Binaries, timeoutMs: number): Promise<void> {
  const data = path.join(folder, 'data');
  const passwordFile = path.join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeDurably(passwordFile, Buffer.from(`${randomBytes(24).toString('base64url')}\n`), 0o600);
  if (place.account !== null) {
    await chown(folder, 0, place.account.gid);
    await chmod(folder, 0o710);
    await chown(data, place.account.uid, place.account.gid);
    // Only while initdb reads it; afterwards the account has no use for the clear text.
    await chown(passwordFile, place.account.uid, place.account.gid);
  }
  const args = [
    `--pgdata=${data}`,
    `--username=${clusterUser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // ICU and the C library change their sort orders with updates, which silently breaks indexes; this one does not.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    ...Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`),
  ];
  try {
    const options = { ...serverProcessOptions(place.account, folder), timeout: timeoutMs };
    await promisify(execFile)(binaries.initdb, args, options);
  } catch (error) {
    throw initdbFault(error, binaries);
  }
  if (place.account !== null) await chown(passwordFile, 0, 0);
}

function initdbFault(error: unknown, binaries: Binaries): Error {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const said = lines.find((line) => /error|fatal|could not/i.test(line)) ?? lines[0];
  return bundledFault(
    `The bundled PostgreSQL ${binaries.version} could not create its data folder: ${said ?? String(error)}.`,
    'Free some disk space if the disk is full; on a system without glibc (Alpine) choose another PostgreSQL with: registrar postgres URL',
    error,
  );
}
