import { chmod, readFile } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { PostgresAddress } from './address.ts';

/**
 * Adds a password to libpq's password file, one line a host, for every database there; lines that are there stay.
 *
 * @returns the file's path
 * @throws the operating system's error
 */
export async function savePassword(address: PostgresAddress, password: string): Promise<string> {
  const path = address.passfile;
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = address.hosts.map(({ host, port }) =>
    [host, String(port), '*', address.user, password].map((field) => field.replace(/[\\:]/g, '\\$&')).join(':'),
  );
  // libpq takes the first line that fits: a new password must stand before an old one.
  const kept = before.split('\n').filter((line) => line !== '' && !lines.some((added) => sameTarget(line, added)));
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(`${[...lines, ...kept].join('\n')}\n`);
  } finally {
    await file.close();
  }
  // libpq ignores the file when others may read it.
  await chmod(path, 0o600);
  return path;
}

/** Everything but the last field agrees. */
function sameTarget(one: string, other: string): boolean {
  const target = (line: string): string =>
    line
      .split(/(?<!\\):/)
      .slice(0, 4)
      .join(':');
  return target(one) === target(other);
}
