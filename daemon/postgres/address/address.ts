import { join } from 'node:path';
import { oneOf, readHosts, readRegistryDatabase, readSsl, wholeNumber } from './addressParts.ts';
import type { HostPort, SslSettings } from './addressParts.ts';
import { gatherParameters } from './addressSources.ts';
import type { AddressSurroundings } from './addressSources.ts';
import { libpqParameters } from './libpqParameters.ts';

const sessionAttrs = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type TargetSessionAttrs = (typeof sessionAttrs)[number];
const channelBindings = ['disable', 'prefer', 'require'] as const;

/** Where PostgreSQL is and how to log in, with everything that URL, service file and environment said. */
export interface PostgresAddress {
  /** In the order in which they are tried; never empty. */
  hosts: HostPort[];
  user: string;
  password: string | null;
  /** The password file to read when `password` is null. */
  passfile: string;
  registryDatabase: string;
  ssl: SslSettings;
  targetSessionAttrs: TargetSessionAttrs;
  channelBinding: (typeof channelBindings)[number];
  /** Limit for one host; null when the address sets none. */
  connectTimeoutMs: number | null;
  keepAlive: boolean;
  keepAliveIdleMs: number | null;
  applicationName: string | null;
  options: string | null;
  /** Every other parameter, by libpq's keyword, for passing the address on. */
  parameters: Readonly<Record<string, string>>;
}

/**
 * Turns a PostgreSQL URL, or libpq keywords with values, into an address. As in libpq, what it leaves open is taken
 * from the service that it or PGSERVICE names, then from the PG… variables, then from libpq's defaults.
 *
 * @param environment Variables such as PGHOST; a set but empty one counts as unset.
 * @param surroundings Access to the service files, socket folders and user name.
 * @returns The address. Throws INVALID_ARGUMENT for what cannot be read or obeyed, without any part that could be secret.
 */
export function parseAddress(
  url: string,
  environment: Record<string, string | undefined>,
  surroundings: AddressSurroundings,
): PostgresAddress {
  const given = gatherParameters(url, environment, surroundings);
  const text = (name: string): string | null => given.get(name)?.value ?? null;
  const configFolder =
    surroundings.platform === 'win32'
      ? join(environment['APPDATA'] ?? surroundings.homeFolder, 'postgresql')
      : join(surroundings.homeFolder, '.postgresql');
  const defaultPassfile =
    surroundings.platform === 'win32' ? join(configFolder, 'pgpass.conf') : join(surroundings.homeFolder, '.pgpass');
  const connectTimeout = wholeNumber(given, 'connect_timeout');
  const keepAliveIdle = wholeNumber(given, 'keepalives_idle');
  return {
    hosts: readHosts(given, surroundings),
    user: text('user') ?? surroundings.userName,
    password: text('password'),
    passfile: text('passfile') ?? defaultPassfile,
    registryDatabase: readRegistryDatabase(text('dbname')),
    ssl: readSsl(given, configFolder),
    targetSessionAttrs: oneOf(given, 'target_session_attrs', sessionAttrs) ?? 'any',
    channelBinding: oneOf(given, 'channel_binding', channelBindings) ?? 'prefer',
    connectTimeoutMs: connectTimeout !== null && connectTimeout > 0 ? connectTimeout * 1000 : null,
    keepAlive: wholeNumber(given, 'keepalives') !== 0,
    keepAliveIdleMs: keepAliveIdle !== null && keepAliveIdle > 0 ? keepAliveIdle * 1000 : null,
    applicationName: text('application_name') ?? text('fallback_application_name'),
    options: text('options'),
    parameters: Object.fromEntries(
      [...given].filter(([name]) => !ownFields.has(name)).map(([name, { value }]) => [name, value]),
    ),
  };
}

/** The servers for people: `db:5432`, `a:5432,b:5432`, `[::1]:5432` or `/run/postgresql:5432`; no user, no password. */
export function addressLabel(address: PostgresAddress): string {
  return address.hosts.map(hostLabel).join(',');
}

/** One host as `addressLabel` writes it. */
export function hostLabel({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Identifies servers and registry, the same for every user, password and TLS setting. */
export function addressKey(address: PostgresAddress): string {
  return `${addressLabel(address).toLowerCase()}/${address.registryDatabase}`;
}

/** A URL for one database of the address, with every parameter that the address was given. Readable by libpq. */
export function addressUrl(address: PostgresAddress, database: string, options: { withPassword: boolean }): string {
  const secret = options.withPassword && address.password !== null ? `:${encodeURIComponent(address.password)}` : '';
  const hosts = address.hosts.map(({ host, port }) =>
    hostLabel({ host: host.includes(':') ? host : encodeURIComponent(host), port }),
  );
  const parameters = { ...hostaddrs(address), ...address.parameters };
  const { sslpassword } = address.ssl;
  if (options.withPassword && sslpassword !== null) parameters['sslpassword'] = sslpassword;
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return (
    `postgresql://${encodeURIComponent(address.user)}${secret}@${hosts.join(',')}/${encodeURIComponent(database)}` +
    (query.length === 0 ? '' : `?${query.join('&')}`)
  );
}

/**
 * The variables that point PostgreSQL clients, and programs that read DATABASE_URL, at one database of the address.
 * They are complete only if none of `libpqVariables` is inherited in addition. PGPASSWORD is there when the address has
 * a password.
 *
 * @param reached the host that answered for this database, the first of the address when left out: most clients refuse
 *   a list of hosts. Of the parameters, only those that common clients read alike are included: sslmode and
 *   certificates.
 */
export function addressEnvironment(
  address: PostgresAddress,
  database: string,
  reached?: HostPort,
): Record<string, string> {
  const [first = { host: 'localhost', port: 5432 }] = address.hosts;
  const { host, hostaddr, port } = reached ?? first;
  // No client but libpq knows hostaddr, and only the check of a certificate needs the name.
  const named = hostaddr === undefined || address.ssl.sslmode === 'verify-full' ? host : hostaddr;
  const parameters = Object.entries(address.parameters).filter(([name]) => sharedParameters.has(name));
  const environment: Record<string, string> = {
    PGHOST: named,
    PGPORT: String(port),
    PGUSER: address.user,
    PGDATABASE: database,
    ...(address.password === null ? {} : { PGPASSWORD: address.password }),
  };
  for (const [name, value] of parameters) {
    const variable = libpqParameters[name]?.environment;
    if (variable !== undefined) environment[variable] = value;
  }
  const password = address.password === null ? '' : `:${encoded(address.password)}`;
  // Half of the clients read a socket's folder in place of the host name; nearly all read it as a parameter.
  const isSocket = named.startsWith('/');
  const query = [...(isSocket ? [['host', named] as const] : []), ...parameters].map(
    ([name, value]) => `${name}=${encoded(value)}`,
  );
  const place = hostLabel({ host: isSocket ? 'localhost' : named.includes(':') ? named : encoded(named), port });
  const DATABASE_URL =
    `postgresql://${encoded(address.user)}${password}@${place}/${encoded(database)}` +
    (query.length === 0 ? '' : `?${query.join('&')}`);
  return { ...environment, DATABASE_URL };
}

const sharedParameters = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslcrl']);

/** Percent-encodes everything that any shell, file format or URL reader could interpret differently. */
function encoded(text: string): string {
  const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replaceAll(/[!'()*~]/g, hex);
}

function hostaddrs(address: PostgresAddress): Record<string, string> {
  if (address.hosts.every(({ hostaddr }) => hostaddr === undefined)) return {};
  return { hostaddr: address.hosts.map(({ hostaddr }) => hostaddr ?? '').join(',') };
}

/** Fields of the address itself, and the two that were followed and must not be followed again. */
const ownFields = new Set('host hostaddr port user password dbname service servicefile sslpassword'.split(' '));
