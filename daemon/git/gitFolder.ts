import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { readSmallText } from '../files/boundedFile.ts';
import { waitingLooks, type FileLooks } from '../files/fileLooks.ts';
import { isSet, lastValue, parseGitConfig, type GitConfigEntry } from './gitConfigText.ts';

export interface GitFolder {
  /** Holds what belongs to this working tree, among it the index. Real path. */
  gitDir: string;
  /** Holds what all worktrees share, among it the `config` with the remotes. Real path. */
  commonDir: string;
  /** Git's name of the linked worktree, null for a working tree that is none. */
  worktree: string | null;
  /**
   * Whether the repository knows this working tree: it is inside it, lists it, or names it. The repository of a
   * `--separate-git-dir` checkout does not, and any folder could point at it in the same way.
   */
  isMutual: boolean;
}

/** `.git` files and their like hold one path. */
const maxPointerBytes = 8192;
/** Repositories with thousands of branches have large config files: 4 MiB. */
const maxGitConfigBytes = 4_194_304;

/**
 * What a folder holds that makes it the top of a working tree, of git or of another system; null when it is none. It is
 * nearly always git's, and every resolution asks, so the others are looked for only if git's is missing.
 */
export async function versionControlIn(
  folder: string,
  looks: FileLooks = waitingLooks,
): Promise<'git' | 'other' | null> {
  if (await looks.isThere(join(folder, '.git'))) return 'git';
  const others = await Promise.all(['.jj', '.hg', '.sl'].map(async (name) => looks.isThere(join(folder, name))));
  return others.includes(true) ? 'other' : null;
}

/**
 * Follows `.git` as git does, from git's own files (gitrepository-layout), without running git. Whoever wrote it may
 * have named any path, so it is no reason to believe what is there.
 *
 * @param root the real path of a folder that holds `.git`
 * @returns null when it does not lead to a folder
 */
export async function followDotGit(root: string): Promise<{ gitDir: string; commonDir: string } | null> {
  try {
    const dotGit = join(root, '.git');
    const isFolder = (await stat(dotGit)).isDirectory();
    const pointer = isFolder ? '.git' : await pointerIn(dotGit);
    if (pointer === null) return null;
    const gitDir = await realpath(resolve(root, pointer));
    const common = await readPath(join(gitDir, 'commondir'));
    const commonDir = common === null ? gitDir : await realpath(resolve(gitDir, common));
    return (await stat(commonDir)).isDirectory() ? { gitDir, commonDir } : null;
  } catch {
    return null;
  }
}

/**
 * Reads where a working tree's repository lies, and whether that knows of it. If the repository does not list this
 * worktree, the pointer leads nowhere; otherwise, somebody could plant a file that claims to belong to another person's
 * repository.
 *
 * @param root the real path of a folder that holds `.git`
 * @returns null when `.git` does not lead to a repository
 */
export async function readGitFolder(root: string): Promise<GitFolder | null> {
  const place = await followDotGit(root);
  if (!place) return null;
  const { gitDir, commonDir } = place;
  if (gitDir !== commonDir) {
    if (dirname(gitDir) !== join(commonDir, 'worktrees') || !(await pointsBack(gitDir, root))) return null;
    return { ...place, worktree: basename(gitDir), isMutual: true };
  }
  const isMutual = gitDir.startsWith(root + sep) || (await workTreeOf(gitDir)) === root;
  return { ...place, worktree: null, isMutual };
}

/** The variables of a repository's own config file, without what it includes; null when it cannot be read. */
export async function readRepositoryConfig(commonDir: string): Promise<GitConfigEntry[] | null> {
  const text = await readSmallText(join(commonDir, 'config'), maxGitConfigBytes);
  return text === null ? null : parseGitConfig(text);
}

/** Whether a repository's config file is its own, and not a link to another's. */
export async function hasOwnConfig(commonDir: string): Promise<boolean> {
  const stats = await lstat(join(commonDir, 'config')).catch(() => null);
  return stats?.isFile() ?? false;
}

/**
 * The working tree that a repository belongs to: the folder that holds it as `.git`, the one that its `core.worktree`
 * names (a submodule's), or the one beside it whose `.git` file leads to it; the last two only when they point back.
 *
 * @returns `isCheckout`: false for a bare repository, whose files are checked out in linked worktrees only
 */
export async function homeOfRepository(commonDir: string): Promise<{ root: string; isCheckout: boolean } | null> {
  const isCheckout = !isSet(await coreVariables(commonDir), 'core', 'bare');
  const beside = dirname(commonDir);
  if (basename(commonDir) === '.git') return { root: beside, isCheckout };
  for (const root of [await workTreeOf(commonDir), beside]) {
    if (root !== null && (await followDotGit(root))?.gitDir === commonDir) return { root, isCheckout };
  }
  return null;
}

/** The real path that `core.worktree` names, null when it is not set. */
export async function workTreeOf(gitDir: string): Promise<string | null> {
  const named = lastValue(await coreVariables(gitDir), 'core', 'worktree')?.value ?? '';
  return named === '' ? null : realpath(resolve(gitDir, named)).catch(() => null);
}

/** Sparse checkouts move `core.worktree` and `core.bare` into a file of their own. */
async function coreVariables(gitDir: string): Promise<GitConfigEntry[]> {
  const [config, own] = await Promise.all([
    readRepositoryConfig(gitDir),
    readSmallText(join(gitDir, 'config.worktree'), maxGitConfigBytes),
  ]);
  const moved = config && own !== null && isSet(config, 'extensions', 'worktreeconfig') ? parseGitConfig(own) : null;
  return [...(config ?? []), ...(moved ?? [])];
}

async function pointsBack(gitDir: string, root: string): Promise<boolean> {
  const back = await readPath(join(gitDir, 'gitdir'));
  if (back === null) return false;
  const named = resolve(gitDir, back);
  return basename(named) === '.git' && (await realpath(dirname(named)).catch(() => null)) === root;
}

async function pointerIn(file: string): Promise<string | null> {
  return /^gitdir: ?([^\r\n]+)/.exec((await readSmallText(file, maxPointerBytes)) ?? '')?.[1] ?? null;
}

async function readPath(file: string): Promise<string | null> {
  const text = (await readSmallText(file, maxPointerBytes))?.replace(/[\r\n]+$/, '');
  return text === undefined || text === '' ? null : text;
}
