import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { configUnreadable } from './findConfig.ts';
import { waitingLooks, type FileLooks } from '../files/fileLooks.ts';
import { osErrorCode } from '../files/osError.ts';
import { configTooLarge, maxConfigBytes } from './parseConfig.ts';

export interface ConfigFileContent {
  bytes: Buffer;
  uid: number;
  /** Of the file itself, symbolic links followed. */
  stats: Stats;
}

/**
 * Reads a config file's bytes, following symbolic links.
 *
 * @param looks how to read the file system; on other threads when absent
 * @throws RegistrarError `CONFIG_CHANGED` when it is gone since it was found, `CONFIG_UNREADABLE` when it cannot be
 *   read, `CONFIG_INVALID` when it is larger than 1 MiB
 */
export async function readConfigFile(path: string, looks: FileLooks = waitingLooks): Promise<ConfigFileContent> {
  try {
    const [file, entries] = await Promise.all([
      looks.read(path, maxConfigBytes),
      // The file's own entry and its folder's, links not followed.
      Promise.all([looks.lstat(path), looks.lstat(dirname(path))]),
    ]);
    if (file.kind === 'tooLarge') throw configTooLarge(path, file.size);
    if (file.kind === 'notFile') throw configUnreadable(path, 'notFile');
    return { bytes: file.bytes, uid: ownerOf(file.stats, entries), stats: file.stats };
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw configChanged(path, 'was deleted after it was found', error);
    throw configUnreadable(path, code, error);
  }
}

/** The error for a file that keeps changing while it is used; `what` ends the sentence that begins with its path. */
export function configChanged(path: string, what: string, cause?: unknown): RegistrarError {
  return new RegistrarError(
    { code: 'CONFIG_CHANGED', message: `${named(path)} ${what}.`, hint: 'Try again.', details: { path } },
    { cause },
  );
}

/**
 * The user whose trust decides about the file. Somebody else could link `config.json` or `.codebase-mcp` to a file of
 * this user, so the owners of both entries count too: if one of the three is a stranger (neither this process's user
 * nor root), returns the stranger, otherwise the file's owner.
 */
function ownerOf(stats: Stats, entries: readonly Stats[]): number {
  const self = process.getuid?.();
  if (self === undefined) return -1;
  const stranger = [stats, ...entries].find(({ uid }) => uid !== self && uid !== 0);
  return stranger?.uid ?? stats.uid;
}
