import { RegistrarError } from '../../protocol/registrarError.ts';

/**
 * The URL in the place of an old one, whose scheme and parameters it takes over: programs put there what only they
 * understand, such as `?schema=public` or `postgresql+psycopg://`.
 *
 * @param url as the daemon gives it, percent-encoded
 * @param old what stands in the file, empty when nothing does
 * @param key where it stands, for the message
 * @throws RegistrarError INVALID_ARGUMENT when the old one is another database system's
 */
export function databaseUrlLike(url: string, old: string, key: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(old)?.[1] ?? 'postgresql';
  // `prisma init` writes the address of a server of Prisma's there, which has to be replaced.
  if (!/^(?:prisma\+)?post(?:gres|gresql|gis)(?:\+\w+)?$/i.test(scheme)) throw notPostgres(key, scheme);
  const kept = (/\?([^#]*)/.exec(old)?.[1] ?? '').split('&').filter((parameter) => isKept(parameter, scheme));
  const [base = '', query = ''] = url.split('?');
  const all = [query, ...kept].filter((part) => part !== '').join('&');
  const renamed = /^prisma\+/i.test(scheme) ? base : base.replace(/^postgresql(?=:)/, scheme);
  return all === '' ? renamed : `${renamed}?${all}`;
}

/** The same for another name of the host, as a container has for the machine that it runs on. */
export function withHost(environment: Readonly<Record<string, string>>, host: string): Record<string, string> {
  const place = host.includes(':') ? `[${host}]` : host;
  const url = (environment['DATABASE_URL'] ?? '')
    .replace(/@(?:\[[^\]]*\]|[^:/?]*)(?=:\d+\/)/, `@${place}`)
    // That of a socket's folder.
    .replace(/([?&])host=[^&]*&?/, '$1')
    .replace(/[?&]$/, '');
  return { ...environment, PGHOST: host, DATABASE_URL: url };
}

/** Where to connect, as whom, and how safely is up to the project. */
function isKept(parameter: string, scheme: string): boolean {
  const name = decoded(parameter.split('=')[0] ?? '').toLowerCase();
  return name !== '' && !decided.has(name) && !name.startsWith('ssl') && !/^prisma\+/i.test(scheme);
}

/** As clients read it; what cannot be read is empty. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}

/** Not all are libpq's: some clients give a parameter of another name precedence over what stands before it. */
const decided = new Set(
  (
    'host hostaddr port user username password dbname passfile service servicefile options target_session_attrs ' +
    'channel_binding require_auth requirepeer requiressl gssencmode gssdelegation gsslib krbsrvname replication ' +
    'load_balance_hosts min_protocol_version max_protocol_version ' +
    'database db hostname socket socket_dir unix_sock endpoints dsn'
  ).split(' '),
);

function notPostgres(key: string, scheme: string): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `${key} in that file is a ${scheme} address, not a PostgreSQL one; nothing was written.`,
    hint: 'Choose another key with --map KEY=DATABASE_URL, or remove that line.',
  });
}
