import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readSmallText } from './boundedFile.ts';
import { waitingLooks, type FileLooks } from './fileLooks.ts';

export interface GitFolder {
  /** The folder that holds what all worktrees share, among it the `config` with the remotes. */
  commonDir: string;
  /** The main worktree's root, when this is another worktree of a repository that has one. */
  mainWorktree: string | null;
}

/** `.git` files and their like hold one path. */
const maxPointerBytes = 8192;

/** Whether a folder holds `.git`, as a folder (repository) or a file (worktree, submodule). Unreadable counts as no. */
export async function holdsGit(folder: string, looks: FileLooks = waitingLooks): Promise<boolean> {
  try {
    await looks.lstat(join(folder, '.git'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads where a working tree's repository lies, from git's own files (gitrepository-layout), without running git.
 *
 * A `.git` file may name any path. It is believed as a worktree only when that repository lists this very folder as one
 * of its worktrees; else somebody could plant a file that claims to belong to another person's repository.
 *
 * @param root the real path of a folder that holds `.git`
 * @returns null when `.git` does not lead to a repository
 */
export async function readGitFolder(root: string): Promise<GitFolder | null> {
  try {
    const dotGit = join(root, '.git');
    if ((await stat(dotGit)).isDirectory()) return { commonDir: await realpath(dotGit), mainWorktree: null };

    const pointer = /^gitdir: ?([^\r\n]+)/.exec((await readSmallText(dotGit, maxPointerBytes)) ?? '')?.[1];
    if (pointer === undefined) return null;
    const gitDir = await realpath(resolve(root, pointer));
    const common = await readPath(join(gitDir, 'commondir'));
    // Only worktrees have a `commondir`; a submodule's own folder holds everything.
    if (common === null) return { commonDir: gitDir, mainWorktree: null };

    const commonDir = await realpath(resolve(gitDir, common));
    const back = await readPath(join(gitDir, 'gitdir'));
    if (back === null || dirname(gitDir) !== join(commonDir, 'worktrees')) return null;
    if ((await realpath(dirname(resolve(gitDir, back)))) !== root) return null;
    // A bare repository has worktrees, but no main one.
    return { commonDir, mainWorktree: basename(commonDir) === '.git' ? dirname(commonDir) : null };
  } catch {
    return null;
  }
}

async function readPath(file: string): Promise<string | null> {
  const text = (await readSmallText(file, maxPointerBytes))?.replace(/[\r\n]+$/, '');
  return text === undefined || text === '' ? null : text;
}
