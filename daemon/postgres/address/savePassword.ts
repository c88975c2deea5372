import { readFile, realpath, stat } from 'node:fs/promises';
import { replaceFile } from '../../files/replaceFile.ts';
import type { PostgresAddress } from './address.ts';
import { osErrorCode } from '../../files/osError.ts';

/**
 * Adds a password to libpq's password file, one line per host, for every database there; existing lines stay.
 *
 * @returns the file's path
 * @throws the operating system's error
 */
export async function savePassword(address: PostgresAddress, password: string): Promise<string> {
  const path = address.passfile;
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (osErrorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const lines = address.hosts.map(({ host, port }) =>
    [host, String(port), '*', address.user, password].map((field) => field.replace(/[\\:]/g, '\\$&')).join(':'),
  );
  const added = new Set(lines.map(targetOf));
  // libpq takes the first line that fits: a new password must stand before an old one.
  const kept = before.split('\n').filter((line) => !added.has(targetOf(line)));
  if (kept.at(-1) !== '') kept.push('');
  await replaceWhole(path, [...lines, ...kept].join('\n'));
  return path;
}

/** Everything but the password; null for comments and whatever else libpq passes over. */
function targetOf(line: string): string | null {
  return /^(?:(?:\\.|[^\\:])*:){4}/.exec(line)?.[0] ?? null;
}

/**
 * The file contains other passwords, so it is always either the old one or the new one, whenever this is stopped. Links
 * stay links.
 */
async function replaceWhole(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const owner = await stat(target).catch(() => null);
  // libpq ignores the file when others may read it.
  await replaceFile(target, text, 0o600, {
    async prepare(file) {
      if (owner) await file.chown(owner.uid, owner.gid);
    },
  });
}
