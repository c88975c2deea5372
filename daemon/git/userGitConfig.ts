import { dirname, isAbsolute, join, resolve } from 'node:path';
import { readSmallText } from '../files/boundedFile.ts';
import { parseGitConfig, type GitConfigEntry } from './gitConfigText.ts';

/** Whose configuration of git and ssh is read. */
export interface UserFiles {
  home: string;
  /** For GIT_CONFIG_GLOBAL, GIT_CONFIG_SYSTEM, GIT_CONFIG_NOSYSTEM and XDG_CONFIG_HOME. */
  env: NodeJS.ProcessEnv;
}

const maxBytes = 1_048_576;
const maxDepth = 10;
const maxFiles = 32;

/**
 * What the user (and whoever administers the machine) configured for git, in git's order: later variables win. Files that
 * it includes are read; those under a condition (`includeIf`) are not, since the conditions are about repositories,
 * which are a stranger's. A file that is missing, unreadable or malformed counts as empty.
 *
 * @returns `conditional`: some file has an `includeIf`, so that git may know more in some repository
 */
export async function readUserGitConfig(user: UserFiles): Promise<{ entries: GitConfigEntry[]; conditional: boolean }> {
  const budget = { files: maxFiles };
  const lists = await Promise.all(userFiles(user).map((file) => readWithIncludes(file, user, 0, budget)));
  const entries = lists.flat();
  return { entries, conditional: entries.some(({ section }) => section === 'includeif') };
}

function userFiles({ home, env }: UserFiles): string[] {
  const system = env['GIT_CONFIG_NOSYSTEM'] === undefined ? [env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig'] : [];
  const global = env['GIT_CONFIG_GLOBAL'];
  const own =
    global === undefined ? [join(configHome({ home, env }), 'git', 'config'), join(home, '.gitconfig')] : [global];
  return [...system, ...own].filter((file) => isAbsolute(file));
}

/** $XDG_CONFIG_HOME, or what stands for it. */
export function configHome({ home, env }: UserFiles): string {
  const chosen = env['XDG_CONFIG_HOME'];
  return chosen === undefined || chosen === '' ? join(home, '.config') : chosen;
}

async function readWithIncludes(
  file: string,
  user: UserFiles,
  depth: number,
  budget: { files: number },
): Promise<GitConfigEntry[]> {
  budget.files -= 1;
  if (budget.files < 0) return [];
  const text = await readSmallText(file, maxBytes);
  const entries = (text === null ? null : parseGitConfig(text)) ?? [];
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const included =
        entry.section === 'include' && entry.key === 'path' ? expandHome(entry.value ?? '', user.home) : '';
      if (included === '' || depth === maxDepth) return [entry];
      return readWithIncludes(resolve(dirname(file), included), user, depth + 1, budget);
    }),
  );
  return lists.flat();
}

/** `~/x` in a path of the user's configuration. */
export function expandHome(path: string, home: string): string {
  return path.startsWith('~/') ? join(home, path.slice(2)) : path;
}

/**
 * The address that git fetches from when the user's `insteadOf` applies: the longest beginning that fits is replaced.
 *
 * @param entries the user's; never a repository's, which would let a stranger choose what its address is taken for
 * @returns null when none applies
 */
export function insteadOf(url: string, entries: readonly GitConfigEntry[]): string | null {
  let best: { beginning: string; base: string } | null = null;
  for (const { section, subsection, key, value } of entries) {
    if (section !== 'url' || subsection === null || key !== 'insteadof' || value === null) continue;
    if (url.startsWith(value) && value.length > (best?.beginning.length ?? -1))
      best = { beginning: value, base: subsection };
  }
  return best && best.base + url.slice(best.beginning.length);
}
