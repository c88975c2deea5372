import { invalidAddress } from './invalidAddress.ts';
import { libpqParameters } from './libpqParameters.ts';

/** Parameters by libpq's keyword, as the text gives them; `host`, `hostaddr` and `port` may hold lists with commas. */
export type ConnectionParameters = Map<string, string>;

const percentHint =
  'Write characters such as @ / : ? # % and spaces percent-encoded (%40 %2F %3A %3F %23 %25 %20), above all in a password.';

/**
 * Reads a connection string as libpq does
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING): a URL, several hosts included, or
 * keywords and values (`host=db dbname=app`). Empty values count as not given. Throws INVALID_ARGUMENT. Its texts never
 * repeat a part of the string that might belong to an unencoded password: only names of parameters, and those only
 * where a password cannot be.
 */
export function parseConnectionString(text: string): ConnectionParameters {
  const parameters = isUrl(text) ? parseUrl(text) : parseKeywords(text);
  for (const [name, value] of parameters) {
    if (value.includes('\0')) throw invalidAddress(`the parameter ${name} of the PostgreSQL address holds a NUL byte`);
    if (value === '') parameters.delete(name);
  }
  return parameters;
}

/** The string without its password and the pass phrase of its TLS key, all else as it was. Throws INVALID_ARGUMENT. */
export function withoutPassword(text: string): string {
  const parameters = parseConnectionString(text);
  if (!secretNames.some((name) => parameters.has(name))) return text;
  if (!isUrl(text)) {
    return [...parameters]
      .filter(([name]) => !secretNames.includes(name))
      .map(keywordText)
      .join(' ');
  }
  const { scheme, credentials, rest } = splitUrl(text);
  const user = credentials === null ? '' : `${credentials.split(':', 1)[0] ?? ''}@`;
  const [base, query] = splitOnce(rest, '?');
  const kept = (query ?? '').split('&').filter((pair) => !secretNames.includes(decodeName(pair)));
  const keptQuery = kept.filter((pair) => pair !== '').join('&');
  return `${scheme}${user}${base}${keptQuery === '' ? '' : `?${keptQuery}`}`;
}

/** Whether the string holds a password, or the pass phrase of a TLS key. Throws INVALID_ARGUMENT. */
export function hasPassword(text: string): boolean {
  const parameters = parseConnectionString(text);
  return secretNames.some((name) => parameters.has(name));
}

const secretNames = ['password', 'sslpassword'];
const urlScheme = /^postgres(?:ql)?:\/\//;

function isUrl(text: string): boolean {
  return urlScheme.test(text);
}

/** As libpq does, the credentials end at the first `@` that comes before any `/`. */
function splitUrl(text: string): { scheme: string; credentials: string | null; rest: string } {
  const scheme = urlScheme.exec(text)?.[0] ?? '';
  const body = text.slice(scheme.length);
  const end = /^[^@/]*@/.exec(body)?.[0].length ?? 0;
  return { scheme, credentials: end === 0 ? null : body.slice(0, end - 1), rest: body.slice(end) };
}

function parseUrl(text: string): ConnectionParameters {
  const { credentials, rest } = splitUrl(text);
  const parameters: ConnectionParameters = new Map();
  if (credentials !== null) {
    const [user, password] = splitOnce(credentials, ':');
    parameters.set('user', decode(user, 'user name'));
    if (password !== undefined) parameters.set('password', decode(password, 'password'));
  }
  const authority = /^(?:\[[^\]]*\]|[^/?])*/.exec(rest)?.[0] ?? '';
  readHosts(authority, parameters);
  const [path, query] = splitOnce(rest.slice(authority.length), '?');
  // libpq reads a bare @ or / here as part of the database's name, but it is nearly always the tail of a password.
  if (/[@/]/.test(path.slice(1))) {
    throw invalidAddress('the PostgreSQL address has an @ or a second / after its host', percentHint);
  }
  if (path.length > 1) parameters.set('dbname', decode(path.slice(1), 'database name'));
  if (query !== undefined) readQuery(query, parameters);
  return parameters;
}

function readHosts(authority: string, parameters: ConnectionParameters): void {
  if (authority === '') return;
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const part of splitHosts(authority)) {
    const match = /^(?:\[(?<ipv6>[^\]]*)\]|(?<name>[^:@[\]]*))(?::(?<port>\d*))?$/.exec(part)?.groups;
    if (!match) throw invalidAddress('a host or port in the PostgreSQL address is not written correctly', percentHint);
    hosts.push(decode(match['ipv6'] ?? match['name'] ?? '', 'host'));
    ports.push(match['port'] ?? '');
  }
  if (hosts.some((host) => host !== '')) parameters.set('host', hosts.join(','));
  if (ports.some((port) => port !== '')) parameters.set('port', ports.join(','));
}

function splitHosts(authority: string): string[] {
  return authority.match(/(?:\[[^\]]*\]|[^,])+|(?<=^|,)(?=,|$)/g) ?? [];
}

function readQuery(query: string, parameters: ConnectionParameters): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const parts = pair.split('=');
    const [encodedName = '', encodedValue] = parts;
    if (encodedValue === undefined || parts.length > 2) {
      throw invalidAddress(
        'a parameter after the ? of the PostgreSQL address is not written as name=value',
        percentHint,
      );
    }
    const name = decode(encodedName, 'name of a parameter');
    const value = decode(encodedValue, 'value of a parameter');
    // The two spellings from other drivers that libpq or node-postgres allow in a URL.
    if (name === 'ssl' && value === 'true') parameters.set('sslmode', 'require');
    else if (name === 'uselibpqcompat' && value === 'true') continue;
    else parameters.set(knownName(name, !query.includes('@')), value);
  }
}

/** libpq's keyword/value form: values with spaces stand in single quotes, a backslash escapes the next character. */
function parseKeywords(text: string): ConnectionParameters {
  const parameters: ConnectionParameters = new Map();
  const token =
    /\s*(?:(?<name>[^\s=]+)\s*=\s*(?:'(?<quoted>(?:[^'\\]|\\.)*)'(?=\s|$)|(?<bare>(?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*|(?=\s|$)))|$)/suy;
  while (token.lastIndex < text.length) {
    const groups = token.exec(text)?.groups;
    if (!groups) throw invalidAddress('the PostgreSQL address is neither a PostgreSQL URL nor keywords with values');
    const name = groups['name'];
    if (name === undefined) break;
    // A password with an unquoted space continues in what looks like the next keyword: do not repeat that one.
    const value = (groups['quoted'] ?? groups['bare'] ?? '').replaceAll(/\\(.)/gsu, '$1');
    parameters.set(knownName(name, !parameters.has('password') && !/password/iu.test(name)), value);
  }
  if (parameters.size === 0) throw invalidAddress('the PostgreSQL address is empty');
  return parameters;
}

function knownName(name: string, mayBeRepeated: boolean): string {
  if (Object.hasOwn(libpqParameters, name)) return name;
  const shown = mayBeRepeated && /^[a-z][a-z_]{0,39}$/iu.test(name) ? ` "${name}"` : '';
  throw invalidAddress(
    `the PostgreSQL address has an unknown parameter${shown}`,
    'Remove it or correct its spelling; the names are those of libpq. A password with special characters must be percent-encoded.',
  );
}

function keywordText([name, value]: [string, string]): string {
  return /^[^\s'\\]+$/.test(value) ? `${name}=${value}` : `${name}='${value.replaceAll(/['\\]/g, '\\$&')}'`;
}

function decodeName(pair: string): string {
  return decode(splitOnce(pair, '=')[0], 'name of a parameter');
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidAddress(
      `the ${part} in the PostgreSQL address has a % that is not followed by valid hex digits`,
      percentHint,
    );
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
