import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { commandNotRun } from './commandNotRun.ts';

/**
 * The file that a command names, as POSIX shells look for it: a name with a slash is a path, any other one is looked for on PATH.
 *
 * @param path the PATH that the command will have
 * @returns an absolute path
 * @throws CommandNotRun 127 when there is no such file, 126 when it may not be run
 */
export async function findCommand(command: string, path: string | undefined, cwd: string): Promise<string> {
  if (command.includes('/')) {
    const file = resolve(cwd, command);
    const fault = await faultOf(file);
    if (fault !== null) throw commandNotRun(command, fault);
    return file;
  }
  let refused: Error | null = null;
  for (const folder of command === '' ? [] : (path ?? defaultPath).split(delimiter)) {
    // An empty entry is the working directory.
    const file = resolve(cwd, join(folder, command));
    const fault = await faultOf(file);
    if (fault === null) return file;
    if (fault.code !== 'ENOENT') refused ??= fault;
  }
  throw commandNotRun(command, refused ?? Object.assign(new Error('not found'), { code: 'ENOENT' }));
}

/** Where POSIX systems look when PATH is not set. */
const defaultPath = '/usr/local/bin:/bin:/usr/bin';

interface SystemError extends Error {
  code: string;
}

async function faultOf(file: string): Promise<SystemError | null> {
  try {
    const status = await stat(file);
    if (status.isDirectory()) return withCode('EISDIR', file);
    await access(file, constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ENOENT';
    return withCode(['ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(code) ? 'ENOENT' : code, file);
  }
}

function withCode(code: string, file: string): SystemError {
  return Object.assign(new Error(`${code}: ${file}`), { code });
}
