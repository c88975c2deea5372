import { lstat, mkdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readBoundedFile } from '../files/boundedFile.ts';
import { decodeText } from '../files/decodeText.ts';
import { osErrorCode } from '../files/osError.ts';
import { createFile, replaceUnlessChanged, writeFailureWords } from '../files/replaceFile.ts';
import type { FileVersion } from '../files/replaceFile.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { AgentTextFault } from './agentTextFault.ts';

/** The result of an edit: another text, no file any more (null), or nothing to do. */
export type AgentFileEdit = { text: string | null } | 'unchanged';

/** What an edit did; `folders` are those that were made for the file, innermost first. */
export type AgentFileChange = { kind: 'made'; folders: string[] } | { kind: 'replaced' } | { kind: 'removed' };

/** Some agents keep their history in the same file. */
const maxBytes = 64 * 1024 * 1024;
const maxAttempts = 5;

/**
 * Edits a file that belongs to somebody else's program: nobody ever reads half of it; mode, owner, byte order mark and
 * symbolic link stay; and when it changes meanwhile, the edit is computed anew from what it says then. A file that is not
 * there is made, with its folders.
 *
 * @param edit what to do, given the text, which is null when there is no file; called again after each edit from outside
 * @param mode permissions of a file that is made
 * @returns what was done, or null when nothing was to be done
 * @throws RegistrarError `CONFIG_INVALID` when the text is no text or `edit` throws AgentTextFault, `CONFIG_UNREADABLE`
 *   when the file cannot be read or written, `CONFIG_CHANGED` when it changed five times meanwhile
 */
export async function editAgentFile(
  path: string,
  mode: number,
  edit: (text: string | null) => AgentFileEdit | Promise<AgentFileEdit>,
): Promise<AgentFileChange | null> {
  try {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const before = await readVersion(path);
      const text = before && decode(before.bytes);
      const edited = await edit(text);
      if (edited === 'unchanged' || edited.text === text) return null;
      const change = await write(path, mode, before, edited.text);
      if (change) return change;
    }
  } catch (error) {
    throw faultOf(path, error);
  }
  throw changed(path, `was changed ${maxAttempts} times while Registrar tried to write it`, 'Try again.');
}

/**
 * Removes the folders that were made for a file, as far as there is nothing in them.
 *
 * @param folders innermost first
 */
export async function removeEmptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    // Whatever keeps one in its place keeps those above it, too.
    if (!(await succeeds(rmdir(folder)))) return;
  }
}

/** The error for a file in which somebody else has changed something. */
export function changed(path: string, what: string, hint: string): RegistrarError {
  return new RegistrarError({ code: 'CONFIG_CHANGED', message: `${named(path)} ${what}.`, hint, details: { path } });
}

/** Null when the file was changed meanwhile. */
async function write(
  path: string,
  mode: number,
  before: FileVersion | null,
  text: string | null,
): Promise<AgentFileChange | null> {
  if (text === null) {
    if (!before || !(await readVersion(path))?.bytes.equals(before.bytes)) return null;
    await rm(path);
    return { kind: 'removed' };
  }
  const bytes = Buffer.from(text);
  if (before) {
    const read = async (): Promise<Buffer> => (await readVersion(path))?.bytes ?? Buffer.alloc(0);
    return (await replaceUnlessChanged(path, before, bytes, read)) ? { kind: 'replaced' } : null;
  }
  const folders = await makeFolders(dirname(path));
  try {
    await createFile(path, bytes, mode);
  } catch (error) {
    await removeEmptyFolders(folders);
    // Somebody else made it meanwhile; a link to nothing stays for ever.
    if (osErrorCode(error) === 'EEXIST' && (await readVersion(path)) !== null) return null;
    throw error;
  }
  return { kind: 'made', folders };
}

/** Null when there is no file. */
async function readVersion(path: string): Promise<FileVersion | null> {
  try {
    const target = await realpath(path);
    const file = await readBoundedFile(path, maxBytes);
    if (file.kind === 'file') return { target, bytes: file.bytes, stats: file.stats };
    throw unreadable(path, file.kind === 'notFile' ? 'is not a file' : `is larger than ${maxBytes / 1024 / 1024} MiB`);
  } catch (error) {
    if (osErrorCode(error) !== 'ENOENT') throw error;
    if (await succeeds(lstat(path))) throw unreadable(path, 'is a symbolic link that leads nowhere');
    return null;
  }
}

function decode(bytes: Buffer): string {
  const { text, fault } = decodeText(bytes);
  if (fault) throw new AgentTextFault(` ${fault.message}`, fault.hint);
  return text;
}

/** Makes a folder and those above it that are missing; gives those that it made, innermost first. */
async function makeFolders(folder: string): Promise<string[]> {
  const outermost = await mkdir(folder, { recursive: true });
  if (outermost === undefined) return [];
  const made = [folder];
  while (made.at(-1) !== outermost) made.push(dirname(made.at(-1) ?? outermost));
  return made;
}

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}

function faultOf(path: string, error: unknown): unknown {
  if (error instanceof AgentTextFault) {
    const message = `${named(path)}${error.message}. It was left as it is.`;
    return new RegistrarError({ code: 'CONFIG_INVALID', message, hint: error.hint, details: { path } });
  }
  const code = osErrorCode(error);
  return code === null ? error : unreadable(path, writeFailureWords(code), error);
}

function unreadable(path: string, what: string, cause?: unknown): RegistrarError {
  const hint =
    'Make it a file that you may write, or add the entry by hand; the same command without --write shows it.';
  return new RegistrarError(
    { code: 'CONFIG_UNREADABLE', message: `${named(path)} ${what}.`, hint, details: { path } },
    { cause },
  );
}
