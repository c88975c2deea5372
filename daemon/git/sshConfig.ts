import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { readSmallText } from '../files/boundedFile.ts';
import type { SshDestination } from './gitRemotes.ts';

const maxBytes = 262_144;
const maxDepth = 8;
const maxFiles = 64;

/**
 * Where ssh connects to for a host name, from the user's `~/.ssh/config` (ssh_config(5)): the first `HostName` and the
 * first `Port` that apply. `Match` blocks do not count (`Match all` does), since their conditions may be programs; nor
 * do included files outside `~/.ssh`, nor `HostName` with a token other than `%h`.
 */
export async function sshDestination(host: string, { home }: { home: string }): Promise<SshDestination> {
  const folder = join(home, '.ssh');
  const found: SshDestination = { hostName: null, port: null };
  let files = maxFiles;

  async function read(file: string, depth: number): Promise<void> {
    files -= 1;
    if (files < 0 || depth > maxDepth || !file.startsWith(folder + sep)) return;
    // An included file begins under the conditions of the line that includes it, and changes nothing for what follows.
    let applies = true;
    for (const line of ((await readSmallText(file, maxBytes)) ?? '').split(/\r?\n/)) {
      const { keyword, values } = readLine(line);
      if (keyword === 'host') applies = fits(host, values);
      else if (keyword === 'match') applies = values.length === 1 && values[0]?.toLowerCase() === 'all';
      else if (!applies) continue;
      else if (keyword === 'hostname') found.hostName ??= hostNameOf(values[0], host);
      else if (keyword === 'port') found.port ??= /^\d{1,5}$/.test(values[0] ?? '') ? (values[0] ?? null) : null;
      else if (keyword === 'include') {
        for (const pattern of values) {
          for (const included of await matchingFiles(pattern, folder, home)) await read(included, depth + 1);
        }
      }
    }
  }
  await read(join(folder, 'config'), 0);
  return found;
}

/** `Keyword value "value two"` or `Keyword=value`; a comment or an empty line has no keyword. */
function readLine(line: string): { keyword: string; values: string[] } {
  const [, keyword = '', rest = ''] = /^\s*([a-z]{1,64})(?:\s*=\s*|\s+)(.*)$/i.exec(line.slice(0, 4096)) ?? [];
  const values = [...rest.matchAll(/"([^"]*)"|([^\s"]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const comment = values.findIndex((value) => value.startsWith('#'));
  return { keyword: keyword.toLowerCase(), values: comment < 0 ? values : values.slice(0, comment) };
}

/** One of the patterns fits, and none of those with `!`. */
function fits(host: string, patterns: readonly string[]): boolean {
  const fitting = patterns.filter((pattern) => wildcard(pattern.replace(/^!/, '')).test(host));
  return fitting.length > 0 && !fitting.some((pattern) => pattern.startsWith('!'));
}

/** `*` and `?`, as ssh and file names have them; without case, as host names are. */
function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}

function hostNameOf(value: string | undefined, host: string): string | null {
  const name = value?.replace(/%([h%])/g, (_, token: string) => (token === 'h' ? host : '\0'));
  if (name === undefined || name === '' || name.includes('%')) return null;
  const plain = name.replaceAll('\0', '%');
  return plain.includes(':') ? `[${plain}]` : plain;
}

/** The files of an `Include`: wildcards count in the last part of the path. */
async function matchingFiles(pattern: string, folder: string, home: string): Promise<string[]> {
  const path = resolve(folder, pattern.startsWith('~/') ? join(home, pattern.slice(2)) : pattern);
  if (!/[*?]/.test(path)) return [path];
  if (!path.startsWith(folder + sep) || /[*?]/.test(dirname(path))) return [];
  const shape = wildcard(basename(path));
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((name) => shape.test(name) && (!name.startsWith('.') || basename(path).startsWith('.')))
    .sort()
    .map((name) => join(dirname(path), name));
}
