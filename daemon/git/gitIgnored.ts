import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readSmallText } from '../files/boundedFile.ts';
import { pathInside, type Checkout } from './gitCheckout.ts';
import { isSet, lastValue } from './gitConfigText.ts';
import { parseIgnoreRules, type IgnoreRules } from './gitIgnoreRules.ts';
import { configHome, expandHome, readUserGitConfig, type UserFiles } from './userGitConfig.ts';

const maxBytes = 262_144;

/**
 * Whether git would leave out a file that it does not track: by `.gitignore` files, the repository's `info/exclude` or the
 * user's `core.excludesFile`, read without running git. What cannot be read counts as ignoring nothing.
 *
 * @param path absolute, below the root, on real folders
 */
export async function isIgnored(checkout: Checkout, path: string, user: UserFiles): Promise<boolean> {
  const ignoreCase = isSet(checkout.config, 'core', 'ignorecase');
  const names = pathInside(checkout, path).split('/');
  const [exclude, global, ...ofFolders] = await Promise.all([
    rulesIn(join(checkout.commonDir, 'info', 'exclude'), ignoreCase),
    rulesOfUser(checkout, user, ignoreCase),
    ...names.map((_, depth) => rulesIn(join(checkout.root, ...names.slice(0, depth), '.gitignore'), ignoreCase)),
  ]);
  // What cannot be read may keep what another file ignores.
  if (exclude === null || ofFolders.includes(null)) return false;
  for (const [depth] of names.entries()) {
    const isFolder = depth < names.length - 1;
    const said = ofFolders
      .slice(0, depth + 1)
      .map((rules, from) => rules?.(names.slice(from, depth + 1).join('/'), isFolder) ?? null)
      .reverse();
    const whole = names.slice(0, depth + 1).join('/');
    const verdict = [...said, exclude(whole, isFolder), global?.(whole, isFolder) ?? null].find((one) => one !== null);
    // Nothing inside an ignored folder can be kept.
    if (verdict === 'ignored') return true;
  }
  return false;
}

/** The rules of a file; none when it is missing, null when it cannot be read. Git does not follow `.gitignore` links. */
async function rulesIn(file: string, ignoreCase: boolean): Promise<IgnoreRules | null> {
  const stats = await lstat(file).catch(() => null);
  if (stats === null) return parseIgnoreRules('', ignoreCase);
  const text = stats.isFile() ? await readSmallText(file, maxBytes) : null;
  return text === null ? null : parseIgnoreRules(text, ignoreCase);
}

/**
 * The user's own rules. They do not count where the repository's config, or something that either includes under a
 * condition, may name another file in their place.
 */
async function rulesOfUser({ config }: Checkout, user: UserFiles, ignoreCase: boolean): Promise<IgnoreRules | null> {
  const { entries, conditional } = await readUserGitConfig(user);
  const isReplaced = config.some(
    ({ section, key }) => /^include(?:if)?$/.test(section) || (section === 'core' && key === 'excludesfile'),
  );
  if (conditional || isReplaced) return null;
  const named = lastValue(entries, 'core', 'excludesfile')?.value ?? null;
  const file =
    named === null ? join(configHome(user), 'git', 'ignore') : resolve(user.home, expandHome(named, user.home));
  const text = named === '' ? null : await readSmallText(file, maxBytes);
  return text === null ? null : parseIgnoreRules(text, ignoreCase);
}
