import { chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, posix, win32 } from 'node:path';
import { replaceFile } from '../files/replaceFile.ts';
import { commandText } from '../protocol/commandText.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { isThere } from '../files/isThere.ts';
import { osErrorCode } from '../files/osError.ts';

/**
 * Where this user's state is kept: `$REGISTRAR_HOME`, else the platform's per-user folder for state.
 *
 * @param home the user's home folder, absolute
 * @returns an absolute path; nothing is made yet
 * @throws RegistrarError `INVALID_ARGUMENT` when `REGISTRAR_HOME` or the home folder is not absolute
 */
export function stateFolderPath(
  environment: Record<string, string | undefined>,
  platform: NodeJS.Platform,
  home: string,
): string {
  const path = platform === 'win32' ? win32 : posix;
  const chosen = environment['REGISTRAR_HOME'] ?? '';
  if (chosen !== '') {
    // A relative one would mean a different folder, and so a different daemon, in every directory.
    if (!path.isAbsolute(chosen)) throw badFolder(`REGISTRAR_HOME is not an absolute path: ${chosen}`);
    return path.resolve(chosen);
  }
  if (!path.isAbsolute(home)) throw badFolder(`The home folder is not an absolute path: "${home}"`);
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'Project Registrar');
  if (platform === 'win32') {
    const local = environment['LOCALAPPDATA'] ?? '';
    return path.join(path.isAbsolute(local) ? local : path.join(home, 'AppData', 'Local'), 'Project Registrar');
  }
  // The XDG base directory specification says that a relative path is to be ignored.
  const xdg = environment['XDG_STATE_HOME'] ?? '';
  return path.join(path.isAbsolute(xdg) ? xdg : path.join(home, '.local', 'state'), 'project-registrar');
}

/**
 * Makes the state folder, or checks the one that is there: it belongs to this user and nobody else may enter. It
 * contains a token and the bundled server's password, so it fails closed, also for root.
 *
 * @throws RegistrarError `INVALID_ARGUMENT` when the folder cannot be made or is not this user's alone
 */
export async function openStateFolder(path: string): Promise<void> {
  await openPrivateFolder(path, { what: `state folder ${path}`, hint: ownFolder, mayBeLink: true });
}

/**
 * The same for the folder below `/tmp` that holds the socket of a state folder with a long path. Anybody may have
 * created something of that name before, so a link is never followed there.
 *
 * @throws RegistrarError `INVALID_ARGUMENT` when it is not a folder of this user's alone
 */
export async function openRuntimeFolder(path: string): Promise<void> {
  await openPrivateFolder(path, {
    what: `folder ${path} for the daemon's socket`,
    hint: 'Set REGISTRAR_HOME to a folder with a shorter path, or have this folder removed.',
    mayBeLink: false,
  });
}

interface PrivateFolder {
  what: string;
  hint: string;
  mayBeLink: boolean;
}

async function openPrivateFolder(path: string, { what, hint, mayBeLink }: PrivateFolder): Promise<void> {
  try {
    const failed = await makeFolder(path).then(
      () => null,
      (error: unknown) => error,
    );
    // If something is there, such as a dangling link, it is checked next; if nothing is there, mkdir really failed.
    const link = await lstat(path).catch((error: unknown) => {
      throw failed ?? error;
    });
    if (!mayBeLink && link.isSymbolicLink()) throw badFolder(`The ${what} is a link to somewhere else.`, hint);
    const status = await stat(path);
    if (!status.isDirectory()) throw badFolder(`The ${what} is not a folder.`, hint);
    if (process.getuid === undefined) return;
    const user = process.getuid();
    // Another user who may write to its parent could put a link there, to a folder of ours that is not meant for state.
    const owner = link.uid === user || link.uid === 0 ? status.uid : link.uid;
    if (owner !== user) throw badFolder(`The ${what} belongs to user ${owner}, not to you (user ${user}).`, hint);
    // Anybody who may write there may have put settings there that are not this user's.
    if ((status.mode & 0o022) !== 0) {
      throw badFolder(
        `Others may write to the ${what}.`,
        `Check that everything in it is yours, then: ${commandText(['chmod', '700', path])}. Or set REGISTRAR_HOME to another folder.`,
      );
    }
    if ((status.mode & 0o777) === 0o700) return;
    await chmod(path, (status.mode & 0o7000) | 0o700);
    // Some file systems accept a chmod and keep their own modes.
    if (((await stat(path)).mode & 0o077) !== 0) {
      throw badFolder(`Others may enter the ${what}, and its file system does not allow that to be changed.`, hint);
    }
  } catch (error) {
    if (error instanceof RegistrarError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw badFolder(`The ${what} cannot be used: ${reason}`, hint, error);
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` retries forever if mkdir says ENOENT although the parent
 * exists, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // Owner and mode are checked next; a read-only file system may answer EROFS for a folder that exists.
    if (await isThere(path)) return;
    const above = dirname(path);
    if (osErrorCode(error) !== 'ENOENT' || above === path) throw error;
    await makeFolder(above);
    await mkdir(path, { mode: 0o700 }).catch(async (second: unknown) => {
      // Somebody else may have created it meanwhile.
      if (!(await isThere(path))) throw second;
    });
  }
}

/**
 * Writes a file that only this user can read, so that after a crash at any instant the old or the new text is there,
 * whole. The name never refers to half of it, and nobody sees the content under a wider mode.
 *
 * @param mode 0o600, or 0o700 for what is to be run
 * @throws the operating system's error, the old file untouched
 */
export async function writePrivateFile(path: string, text: string, mode: 0o600 | 0o700 = 0o600): Promise<void> {
  // The umask may have taken the right to run it.
  await replaceFile(path, text, mode, {
    async prepare(file) {
      if (mode === 0o700) await file.chmod(mode);
    },
  });
}

const ownFolder =
  'Set REGISTRAR_HOME to the absolute path of a folder that is yours alone, or of one that can be created.';

function badFolder(message: string, hint = ownFolder, cause?: unknown): RegistrarError {
  return new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint }, { cause });
}
