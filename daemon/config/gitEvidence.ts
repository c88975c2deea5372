import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import type { GitEvidence } from '../registry/model.ts';
import { readSmallText } from './boundedFile.ts';
import { holdsGit, readGitFolder } from './gitFolder.ts';
import { normaliseOrigin, remoteUrls } from './gitRemotes.ts';

const maxLevels = 20;
/** Repositories with thousands of branches have large config files: 4 MiB. */
const maxGitConfigBytes = 4_194_304;

/**
 * Reads the git remotes of the repository that a folder is in, from git's files, without running git. Worktrees and
 * submodules are understood. A repository in the home folder itself (dotfiles) says nothing about the folders below.
 *
 * @returns null when the folder is in no repository, or cannot be read
 */
export async function gitEvidence(
  folder: string,
  limits: { home: string } = { home: homedir() },
): Promise<GitEvidence | null> {
  const from = await realpath(folder).catch(() => null);
  const home = await realpath(limits.home).catch(() => limits.home);
  let root = from;
  for (let level = 1; from !== null && root !== null && level <= maxLevels && root !== home; level += 1) {
    if (await holdsGit(root)) {
      const git = await readGitFolder(root);
      const config = git && (await readSmallText(join(git.commonDir, 'config'), maxGitConfigBytes));
      if (config === null) return null;
      const origins = remoteUrls(config).flatMap((url) => normaliseOrigin(url) ?? []);
      return {
        origins: [...new Set(origins)].sort(),
        pathInRepository: relative(root, from).split(sep).join('/'),
      };
    }
    root = dirname(root) === root ? null : dirname(root);
  }
  return null;
}
