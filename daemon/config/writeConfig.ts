import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, link, lstat, mkdir, open, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RegistrarError } from '../protocol/registrarError.ts';
import { configChanged, readConfigFile } from './configFile.ts';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import type { ConfigFileContent } from './configFile.ts';
import { configVersion } from './configSchema.ts';
import { decodeConfig } from './decodeConfig.ts';
import { editConfigText } from './editConfig.ts';
import type { ConfigEdit } from './editConfig.ts';
import { osErrorCode } from './osError.ts';
import { parseConfig } from './parseConfig.ts';

/** Why a config file could not be written. The project stays usable, so this is returned and becomes a warning. */
export interface ConfigWriteFailure {
  /** The operating system's code: `EACCES`, `EROFS`, `ENOSPC`, `ENOENT`, … */
  code: string;
  message: string;
}

export type ConfigWrite =
  | { written: boolean; config: WorkspaceConfig; failure?: undefined }
  | { written: false; config?: undefined; failure: ConfigWriteFailure };

export type ConfigCreation =
  | { created: true; path: string; failure?: undefined }
  /** There already: left as it is. */
  | { created: false; path: string; failure?: undefined }
  | { created: false; failure: ConfigWriteFailure };

const maxAttempts = 5;
const queues = new Map<string, Promise<unknown>>();

/**
 * Edits a config file so that nobody ever reads half of it, and owner, mode and symbolic link stay. The file is read
 * again immediately before the rename; when somebody edited it meanwhile, the edits are computed anew from what is there
 * now. Writers of one daemon take turns.
 *
 * @param edits what to change, given what the file says now; called again after each edit from outside
 * @returns whether anything had to be written, or why it could not be
 * @throws RegistrarError `CONFIG_CHANGED` when it changed five times meanwhile; the codes of `parseConfig` when it does
 *   not parse (any more)
 */
export function writeConfigEdits(
  path: string,
  edits: (current: WorkspaceConfig) => readonly ConfigEdit[],
): Promise<ConfigWrite> {
  const turn = (queues.get(path) ?? Promise.resolve()).then(() => writeInTurn(path, edits));
  const settled = turn.then(
    () => undefined,
    () => undefined,
  );
  queues.set(path, settled);
  void settled.then(() => {
    if (queues.get(path) === settled) queues.delete(path);
  });
  return turn;
}

async function writeInTurn(
  path: string,
  edits: (current: WorkspaceConfig) => readonly ConfigEdit[],
): Promise<ConfigWrite> {
  try {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const target = await realpath(path);
      const before = await readConfigFile(path);
      const current = { ...parseConfig(before.bytes, path), uid: before.uid };
      const edited = Buffer.from(editConfigText(decodeConfig(before.bytes).text, edits(current)));
      if (edited.equals(before.bytes)) return { written: false, config: current };
      const config = { ...parseConfig(edited, path), uid: before.uid };
      if (await replaceUnlessChanged(path, target, before, edited)) return { written: true, config };
    }
  } catch (error) {
    return { written: false, failure: failureOf(path, error) };
  }
  throw configChanged(path, `was changed ${maxAttempts} times while Registrar wanted to write it`);
}

/** Puts new bytes in the place of the old; false, and nothing done, when the old are not there any more. */
async function replaceUnlessChanged(
  path: string,
  target: string,
  before: ConfigFileContent,
  bytes: Buffer,
): Promise<boolean> {
  await refuseReadOnly(target, before.stats);
  const temporary = temporaryBeside(target);
  try {
    await writeDurably(temporary, bytes, 0o600, (handle) => copyOwnerAndMode(handle, before.stats));
    const now = await readConfigFile(path);
    if (!now.bytes.equals(before.bytes) || (await realpath(path)) !== target) return false;
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(target));
  return true;
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

/**
 * Makes a folder's config file, never overwriting one and never showing half of one.
 *
 * @param folder the workspace folder; `.codebase-mcp` is made in it when missing
 * @param project a valid name; the id in canonical form, or null to leave it out
 * @throws RegistrarError the codes of `parseConfig` when the values are not valid
 */
export async function createConfig(
  folder: string,
  project: { name: string; id: string | null; description?: string },
): Promise<ConfigCreation> {
  const configFolder = join(folder, '.codebase-mcp');
  const path = join(configFolder, 'config.json');
  const bytes = Buffer.from(newConfigText(project));
  parseConfig(bytes, path);
  const temporary = temporaryBeside(path);
  let folderIsNew = false;
  try {
    if (await isThere(path)) return { created: false, path };
    folderIsNew = await makeFolder(configFolder);
    await writeDurably(temporary, bytes, 0o666);
    await linkExclusively(temporary, path, bytes);
    folderIsNew = false;
    await syncFolder(configFolder);
    return { created: true, path };
  } catch (error) {
    const failure = failureOf(path, error);
    return failure.code === 'EEXIST' ? { created: false, path } : { created: false, failure };
  } finally {
    await rm(temporary, { force: true });
    if (folderIsNew) await rmdir(configFolder).catch(() => undefined);
  }
}

function newConfigText(project: { name: string; id: string | null; description?: string }): string {
  const { name, id, description } = project;
  const file = {
    version: configVersion,
    project: { name, ...(id === null ? {} : { id }) },
    ...(description === undefined ? {} : { description }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** A symbolic link to nothing counts: it is somebody's config file, too. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (osErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A hard link appears whole or fails because the name is taken. Some file systems have none (exFAT, some shares). */
async function linkExclusively(temporary: string, path: string, bytes: Buffer): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(osErrorCode(error) ?? '')) throw error;
    await writeFile(path, bytes, { flag: 'wx' });
  }
}

function temporaryBeside(target: string): string {
  return join(dirname(target), `.config.json.${randomBytes(6).toString('hex')}.tmp`);
}

async function writeDurably(
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

/** Makes the new name survive a power cut. Windows cannot open folders, and not every file system syncs them. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** What the operating system said, also behind an error of reading; anything else is thrown on. */
function failureOf(path: string, error: unknown): ConfigWriteFailure {
  const fromRead = error instanceof RegistrarError ? error.cause : error;
  const code = osErrorCode(fromRead);
  if (code === null) throw error;
  return { code, message: `${path} ${failureWords[code] ?? `could not be written (${code})`}.` };
}

const failureWords: Record<string, string> = {
  EACCES: 'may not be written by you',
  EPERM: 'may not be written by you without changing its owner',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'could not be written: the disk is full',
  EDQUOT: 'could not be written: your disk quota is used up',
  ENOENT: 'is gone',
  ENOTDIR: 'is gone',
};
