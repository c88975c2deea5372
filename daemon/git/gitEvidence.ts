import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, relative, resolve, sep } from 'node:path';
import type { FolderGit } from '../registry/model.ts';
import { fileIdentity } from '../files/fileIdentity.ts';
import { originUrl } from './gitConfigText.ts';
import { hasOwnConfig, homeOfRepository, readGitFolder, readRepositoryConfig, versionControlIn } from './gitFolder.ts';
import { localPath, normaliseOrigin, normaliseSshOrigin, sshHost } from './gitRemotes.ts';
import { sshDestination } from './sshConfig.ts';
import { insteadOf, readUserGitConfig, type UserFiles } from './userGitConfig.ts';

const maxLevels = 20;

/**
 * Reads what git knows of a folder from git's files, without running git. A repository in the home folder itself
 * (dotfiles) says nothing about the folders below, and a working tree of another system (jj, hg, sl) nothing about its
 * origin.
 *
 * Everything is read each time: a repository changes while the daemon runs, and what was true a second ago is no
 * evidence.
 *
 * @param user `home`: the home folder; `env`: the user's variables for git; of this process when absent
 * @returns null when the folder is in no repository of git, or that cannot be read
 */
export async function gitEvidence(folder: string, user: Partial<UserFiles> = {}): Promise<FolderGit | null> {
  const { home = homedir(), env = process.env } = user;
  const [from, realHome] = await Promise.all([realpath(folder).catch(() => null), realpath(home).catch(() => home)]);
  let root = from;
  for (let level = 1; from !== null && root !== null && level <= maxLevels && root !== realHome; level += 1) {
    const found = await versionControlIn(root);
    if (found === 'git') return evidenceAt(root, from, { home, env });
    // The repository around a working tree of jj, hg or sl is not where that comes from.
    if (found === 'other') return null;
    root = dirname(root) === root ? null : dirname(root);
  }
  return null;
}

async function evidenceAt(root: string, from: string, user: UserFiles): Promise<FolderGit | null> {
  const git = await readGitFolder(root);
  if (!git) return null;
  const { commonDir, worktree } = git;
  const [config, isOwn, identity, home] = await Promise.all([
    readRepositoryConfig(commonDir),
    hasOwnConfig(commonDir),
    fileIdentity(commonDir),
    worktree === null ? null : homeOfRepository(commonDir),
  ]);
  if (config === null || identity === null) return null;
  const main = home?.isCheckout ? home.root : null;
  // A checkout that its repository does not know (`--separate-git-dir`) has no origin until a person binds it.
  const url = git.isMutual && isOwn ? originUrl(config) : null;
  return {
    origins: url === null ? [] : await spellings(url, main ?? root, user),
    pathInRepository: relative(root, from).split(sep).join('/'),
    root,
    repository: { path: commonDir, ...identity },
    worktree: worktree === null ? null : { main, name: worktree },
  };
}

/** An address as it is written, and as the user's configuration of git and ssh rewrites it. */
async function spellings(url: string, root: string, user: UserFiles): Promise<string[]> {
  const rewritten = insteadOf(url, (await readUserGitConfig(user)).entries);
  const forms = await Promise.all(
    [url, ...(rewritten === null ? [] : [rewritten])].flatMap((form) => [plainForm(form, root), sshForm(form, user)]),
  );
  return [...new Set(forms.filter((form) => form !== null))].sort();
}

async function plainForm(url: string, root: string): Promise<string | null> {
  const path = localPath(url);
  if (path === null) return normaliseOrigin(url);
  // Git, too, looks for a path with `.git` behind it. Links are followed, since they could lead elsewhere tomorrow.
  const absolute = resolve(root, path);
  const real = await realpath(absolute)
    .catch(() => realpath(`${absolute}.git`))
    .catch(() => absolute);
  return normaliseOrigin(real);
}

async function sshForm(url: string, user: UserFiles): Promise<string | null> {
  const host = sshHost(url);
  return host === null ? null : normaliseSshOrigin(url, await sshDestination(host, user));
}
