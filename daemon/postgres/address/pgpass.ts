import { readFile, stat } from 'node:fs/promises';
import type { PostgresAddress } from './address.ts';
import type { HostPort } from './addressParts.ts';

/** A password, if one is known, and a sentence if there was a password file that could not be used. */
export interface PasswordAnswer {
  password: string | null;
  note: string | null;
}

/**
 * The password for one host of an address: the address's own, else the first line of its password file that matches, by
 * libpq's rules (https://www.postgresql.org/docs/current/libpq-pgpass.html). The file is read each time, so that a
 * password changed there counts at the next connection.
 */
export async function findPassword(
  address: PostgresAddress,
  host: HostPort,
  database: string,
): Promise<PasswordAnswer> {
  if (address.password !== null) return { password: address.password, note: null };
  const path = address.passfile;
  let text: string;
  try {
    const status = await stat(path);
    if (!status.isFile()) return { password: null, note: `${path} was ignored: it is not a plain file` };
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      return { password: null, note: `${path} was ignored: others may read it (chmod 600 cures that)` };
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { password: null, note: code === 'ENOENT' ? null : `${path} could not be read (${code})` };
  }
  return { password: matchPassword(text, passwordHosts(host), host.port, database, address.user), note: null };
}

/** As `findPassword`, the password alone. */
export async function passwordFor(address: PostgresAddress, host: HostPort, database: string): Promise<string | null> {
  return (await findPassword(address, host, database)).password;
}

/**
 * The password of the first line of a password file that matches, or null. A backslash escapes `:` and `\`, a lone `*`
 * matches anything, lines that begin with `#` are comments.
 *
 * @param hosts The names that the host goes by; any may match.
 */
export function matchPassword(
  text: string,
  hosts: readonly string[],
  port: number,
  database: string,
  user: string,
): string | null {
  const wanted = [hosts, [String(port)], [database], [user]];
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.match(/(?:[^:\\]|\\.|\\$)+|(?<=^|:)(?=:|$)/g) ?? [];
    const password = fields[4];
    if (password === undefined || password === '') continue;
    const matches = wanted.every((values, index) => {
      const field = fields[index] ?? '';
      return field === '*' || values.includes(unescape(field));
    });
    if (matches) return unescape(password);
  }
  return null;
}

const defaultSocketFolders = ['/tmp', '/var/run/postgresql', '/run/postgresql'];

/** libpq looks for `localhost` when it connects through the default socket folder, which differs by how it was built. */
function passwordHosts(host: HostPort): string[] {
  return defaultSocketFolders.includes(host.host) ? ['localhost', host.host] : [host.host];
}

function unescape(field: string): string {
  return field.replaceAll(/\\(.)/g, '$1');
}
