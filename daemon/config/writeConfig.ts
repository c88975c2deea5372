import { lstat, mkdir, realpath, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { configChanged, readConfigFile } from './configFile.ts';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import { configVersion } from './configSchema.ts';
import { decodeText } from '../files/decodeText.ts';
import { editConfigText } from './editConfig.ts';
import type { ConfigEdit } from './editConfig.ts';
import { osErrorCode } from '../files/osError.ts';
import { parseConfig } from './parseConfig.ts';
import { createFile, replaceUnlessChanged, writeFailureWords } from '../files/replaceFile.ts';

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
 * again immediately before the rename; if somebody has edited it meanwhile, the edits are computed again from the
 * current text. Writers of one daemon take turns.
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
      const edited = Buffer.from(editConfigText(decodeText(before.bytes).text, edits(current)));
      if (edited.equals(before.bytes)) return { written: false, config: current };
      const config = { ...parseConfig(edited, path), uid: before.uid };
      const read = async (): Promise<Buffer> => (await readConfigFile(path)).bytes;
      if (await replaceUnlessChanged(path, { target, ...before }, edited, read)) return { written: true, config };
    }
  } catch (error) {
    return { written: false, failure: failureOf(path, error) };
  }
  throw configChanged(path, `was changed ${maxAttempts} times while Registrar tried to write it`);
}

/**
 * Creates a folder's config file. Never overwrites one, and never shows half of one.
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
  let folderIsNew = false;
  try {
    if (await isThere(path)) return { created: false, path };
    folderIsNew = await makeFolder(configFolder);
    await createFile(path, bytes, 0o666);
    folderIsNew = false;
    return { created: true, path };
  } catch (error) {
    const failure = failureOf(path, error);
    return failure.code === 'EEXIST' ? { created: false, path } : { created: false, failure };
  } finally {
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

/** What the operating system said, also behind an error of reading; anything else is thrown on. */
function failureOf(path: string, error: unknown): ConfigWriteFailure {
  const fromRead = error instanceof RegistrarError ? error.cause : error;
  const code = osErrorCode(fromRead);
  if (code === null) throw error;
  return { code, message: `${named(path)} ${writeFailureWords(code)}.` };
}
