import { dirname, join, relative, sep } from 'node:path';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { homeOfRepository, readGitFolder, versionControlIn } from '../git/gitFolder.ts';
import type { ConfigSearch } from '../resolution/ports.ts';
import { waitingLooks, type FileLooks } from '../files/fileLooks.ts';
import { osErrorCode } from '../files/osError.ts';

const maxLevels = 20;

/**
 * Finds the config file that applies to a directory: the nearest in it or above, up to and including the first folder
 * that holds `.git`, `.jj`, `.hg` or `.sl`, never in the home folder or the root, in at most 20 folders. A worktree
 * without one uses its main worktree's. All on real paths.
 *
 * @param options `home`: the home folder's real path; `looks`: how to read the file system, on other threads when
 *   absent
 * @throws RegistrarError `DIRECTORY_INVALID` when the directory is not one; `CONFIG_UNREADABLE` when a config file is
 *   there that cannot be one: a folder, a device, a link to nothing
 */
export async function findConfig(
  directory: string,
  { home, looks = waitingLooks }: { home: string; looks?: FileLooks },
): Promise<ConfigSearch> {
  const from = await realDirectory(directory, looks);
  let folder = from;
  for (let level = 1; ; level += 1) {
    if (dirname(folder) === folder) return { kind: 'none', from, upTo: folder, why: 'root' };
    if (folder === home) return { kind: 'none', from, upTo: folder, why: 'home' };
    // If each is a trip to another thread, independent ones run together.
    const [path, versionControl] = await Promise.all([configIn(folder, looks), versionControlIn(folder, looks)]);
    if (path !== null) return { kind: 'found', path, folder, from, viaWorktreeOf: null };
    if (versionControl !== null) {
      const inMain = versionControl === 'git' ? await findInMainWorktree(folder, from, home) : null;
      return inMain ?? { kind: 'none', from, upTo: folder, why: 'repository' };
    }
    if (level === maxLevels) return { kind: 'none', from, upTo: folder, why: 'depth' };
    folder = dirname(folder);
  }
}

async function realDirectory(directory: string, looks: FileLooks): Promise<string> {
  if (directory.includes('\0')) throw directoryInvalid(directory.replaceAll('\0', '\\0'), 'cannot exist');
  try {
    const [real, stats] = await Promise.all([looks.realpath(directory), looks.stat(directory)]);
    if (stats.isDirectory()) return real;
    throw directoryInvalid(directory, 'is not a folder');
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    throw directoryInvalid(directory, directoryFaults[code] ?? `cannot be read (${code})`, error);
  }
}

const directoryFaults: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
  ELOOP: 'is a symbolic link that leads back to itself',
};

function directoryInvalid(directory: string, what: string, cause?: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'DIRECTORY_INVALID',
      message: `${named(directory)} ${what}.`,
      hint: 'Pass the absolute path of a folder that exists and that you can read.',
      details: { directory },
    },
    { cause },
  );
}

/** The path of the folder's config file, or null when it has none or the folder itself cannot be read. */
async function configIn(folder: string, looks: FileLooks): Promise<string | null> {
  const configFolder = join(folder, '.codebase-mcp');
  let folderIsLink: boolean;
  try {
    folderIsLink = (await looks.lstat(configFolder)).isSymbolicLink();
  } catch (error) {
    // Missing; or an unreadable parent, which is skipped so that the search can continue above it.
    if (osErrorCode(error) !== null) return null;
    throw error;
  }
  const path = join(configFolder, 'config.json');
  let isLink = false;
  try {
    const entry = await looks.lstat(path);
    isLink = entry.isSymbolicLink();
    if ((isLink ? await looks.stat(path) : entry).isFile()) return path;
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    // Not there, unless a link says that something should be. A file that was removed between two calls is not there
    // either.
    if (code === 'ENOTDIR') return null;
    if (code === 'ENOENT' && !isLink && !(folderIsLink && (await leadsNowhere(configFolder, looks)))) return null;
    throw configUnreadable(path, code, error);
  }
  throw configUnreadable(path, 'notFile');
}

async function leadsNowhere(path: string, looks: FileLooks): Promise<boolean> {
  try {
    await looks.stat(path);
    return false;
  } catch {
    return true;
  }
}

/** The error for a config file that exists but cannot be read; `reason` is the operating system's code or `notFile`. */
export function configUnreadable(path: string, reason: string, cause?: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'CONFIG_UNREADABLE',
      message: `${named(path)} ${unreadableWords[reason] ?? `cannot be read (${reason})`}.`,
      hint: 'Make it a file that you can read, or remove it. Until then, no other project is used.',
      details: { path, reason },
    },
    { cause },
  );
}

const unreadableWords: Record<string, string> = {
  notFile: 'is not a file',
  EISDIR: 'is not a file',
  ENOENT: 'is a symbolic link to something that does not exist',
  ELOOP: 'is a symbolic link that leads back to itself',
  EACCES: 'is not readable by you',
  EPERM: 'is not readable by you',
};

/**
 * Looks in the main worktree from the same relative path up to its root. Where that path leaves the main worktree's own
 * tree (a link, or a nested repository with its own `.git`), only the part above counts.
 */
async function findInMainWorktree(worktree: string, from: string, home: string): Promise<ConfigSearch | null> {
  const git = await readGitFolder(worktree);
  // Of a bare repository it is the folder around it, where its worktrees lie side by side.
  const main = git?.worktree == null ? null : (await homeOfRepository(git.commonDir))?.root;
  if (main === null || main === undefined || main === worktree) return null;
  const inside = relative(worktree, from).split(sep).filter(Boolean);
  const folders = [main];
  for (const [index] of inside.entries()) {
    const folder = join(main, ...inside.slice(0, index + 1));
    if (!(await isReal(folder)) || (await versionControlIn(folder)) !== null) break;
    folders.push(folder);
  }
  for (const folder of folders.reverse()) {
    if (folder === home || dirname(folder) === folder) continue;
    const path = await configIn(folder, waitingLooks);
    if (path !== null) return { kind: 'found', path, folder, from, viaWorktreeOf: main, walkedTo: worktree };
  }
  return null;
}

async function isReal(folder: string): Promise<boolean> {
  try {
    return (await waitingLooks.realpath(folder)) === folder;
  } catch {
    return false;
  }
}
