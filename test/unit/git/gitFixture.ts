import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The environment in which tests run git: nothing of the user's counts. */
export const gitEnvironment = {
  PATH: process.env['PATH'],
  HOME: '/nowhere',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 't',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_COMMITTER_NAME: 't',
  GIT_COMMITTER_EMAIL: 't@example.org',
  GIT_ALLOW_PROTOCOL: 'file',
};

/** Runs git in a folder, which is made when it is missing; returns what it prints. */
export function git(folder: string, ...args: string[]): string {
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, env: gitEnvironment, encoding: 'utf8' } as const;
  return execFileSync('git', ['-c', 'protocol.file.allow=always', '-c', 'init.defaultBranch=main', ...args], options);
}

/** A repository with one commit, a remote `origin` and nothing else. */
export function newRepository(folder: string, origin = 'https://host.example/acme/shop.git'): string {
  git(folder, 'init', '--quiet');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'x');
  git(folder, 'remote', 'add', 'origin', origin);
  return folder;
}

/** A bare clone of a new repository, whose origin is set to an address. */
export function newBare(source: string, bare: string, origin = 'https://host.example/acme/shop.git'): string {
  newRepository(source);
  git(source, 'clone', '--quiet', '--bare', '.', bare);
  git(bare, 'config', 'remote.origin.url', origin);
  return bare;
}

/** A repository with another one as its submodule `sub`, whose origin is `https://host.example/acme/sub.git`. */
export function newSuperproject(folder: string, inner: string): string {
  newRepository(inner);
  newRepository(folder);
  git(folder, 'submodule', '--quiet', 'add', inner, 'sub');
  git(folder, 'commit', '--quiet', '-m', 'sub');
  git(join(folder, 'sub'), 'remote', 'set-url', 'origin', 'https://host.example/acme/sub.git');
  return join(folder, 'sub');
}
