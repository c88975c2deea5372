import type { AddressSurroundings, GivenParameters } from './addressSources.ts';
import { invalidAddress } from './invalidAddress.ts';

export const defaultRegistryDatabase = 'codebase_mcp_registry';
export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

export interface HostPort {
  /** A name, an IPv4 address, an IPv6 address without brackets, or the absolute folder of a unix socket. */
  host: string;
  port: number;
  /** libpq's hostaddr: the numeric address to dial instead of looking the name up. */
  hostaddr?: string;
}

export type SslMode = (typeof sslModes)[number];
export type TlsVersion = (typeof tlsVersions)[number];

/** TLS as libpq names its parts. Paths are null when the default file of `defaultsFolder` counts, if it exists. */
export interface SslSettings {
  sslmode: SslMode;
  sslnegotiation: 'postgres' | 'direct';
  /** A path, or `system` for the roots that Node trusts. */
  sslrootcert: string | null;
  sslcert: string | null;
  sslkey: string | null;
  sslpassword: string | null;
  sslcrl: string | null;
  minVersion: TlsVersion;
  maxVersion: TlsVersion | null;
  defaultsFolder: string;
}

export function readHosts(given: GivenParameters, surroundings: AddressSurroundings): HostPort[] {
  const list = (name: string): string[] =>
    given
      .get(name)
      ?.value.split(',')
      .map((item) => item.trim()) ?? [];
  const names = list('host');
  const addresses = list('hostaddr');
  const ports = list('port');
  const count = Math.max(names.length, addresses.length, 1);
  if ([names.length, addresses.length].some((length) => length > 0 && length !== count)) {
    throw invalidAddress('the PostgreSQL address has lists of host and hostaddr of different lengths');
  }
  if (ports.length > 1 && ports.length !== count) {
    throw invalidAddress('the PostgreSQL address does not have one port, or as many ports as hosts');
  }
  return Array.from({ length: count }, (_, index) => {
    const port = readPort((ports.length > 1 ? ports[index] : ports[0]) ?? '', given.get('port')?.from ?? '');
    const hostaddr = addresses[index] ?? '';
    const host = names[index] ?? '';
    if (/[@\s]/.test(host)) {
      throw invalidAddress(
        'a host of the PostgreSQL address holds an @ or a space',
        'Write @ in a password as %40. Abstract sockets are not supported.',
      );
    }
    const effective = host === '' ? hostaddr || defaultHost(port, surroundings) : host;
    return { host: effective, port, ...(hostaddr === '' ? {} : { hostaddr }) };
  });
}

function readPort(text: string, from: string): number {
  if (text === '') return 5432;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  // The text is not repeated: after an unencoded / in a password, libpq's rules read the password as the port.
  throw invalidAddress(
    `the port given by ${from} is not a number from 1 to 65535`,
    'Correct the port. If the password holds a / or @, write it percent-encoded (%2F, %40).',
  );
}

/** libpq was built for one socket folder; which one is not known here, so the one that exists counts. */
function defaultHost(port: number, surroundings: AddressSurroundings): string {
  if (surroundings.platform === 'win32') return 'localhost';
  if (surroundings.exists('/var/run/postgresql')) return '/var/run/postgresql';
  return surroundings.exists(`/tmp/.s.PGSQL.${port}`) ? '/tmp' : 'localhost';
}

export function readRegistryDatabase(name: string | null): string {
  if (name === null || name === 'postgres' || name === 'template1') return defaultRegistryDatabase;
  if (Buffer.byteLength(name) > 63) {
    throw invalidAddress(
      'the database in the PostgreSQL address is longer than the 63 bytes that PostgreSQL keeps of a name',
      'Name a shorter registry database, or none.',
    );
  }
  if (name === 'template0' || /^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$/.test(name)) {
    throw invalidAddress(
      `the database in the PostgreSQL address, ${name}, is a project's or a template, not a registry`,
      `Leave the database out to use ${defaultRegistryDatabase}, or name the registry's.`,
    );
  }
  return name;
}

export function readSsl(given: GivenParameters, defaultsFolder: string): SslSettings {
  const text = (name: string): string | null => given.get(name)?.value ?? null;
  const system = text('sslrootcert') === 'system';
  const sslmode = oneOf(given, 'sslmode', sslModes) ?? (system ? 'verify-full' : 'prefer');
  const sslnegotiation = oneOf(given, 'sslnegotiation', ['postgres', 'direct'] as const) ?? 'postgres';
  if (system && sslmode !== 'verify-full') {
    throw invalidAddress(
      `sslmode ${sslmode} is too weak for sslrootcert=system`,
      'Use sslmode=verify-full: anyone can get a certificate from a public authority.',
    );
  }
  if (sslnegotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(sslmode)) {
    throw invalidAddress(
      `sslmode ${sslmode} is too weak for sslnegotiation=direct`,
      'Use sslmode=require or stronger.',
    );
  }
  return {
    sslmode,
    sslnegotiation,
    sslrootcert: text('sslrootcert'),
    sslcert: text('sslcert'),
    sslkey: text('sslkey'),
    sslpassword: text('sslpassword'),
    sslcrl: text('sslcrl'),
    minVersion: oneOf(given, 'ssl_min_protocol_version', tlsVersions) ?? 'TLSv1.2',
    maxVersion: oneOf(given, 'ssl_max_protocol_version', tlsVersions),
    defaultsFolder,
  };
}

export function oneOf<T extends string>(given: GivenParameters, name: string, values: readonly T[]): T | null {
  const found = given.get(name);
  if (!found) return null;
  const value = values.find((candidate) => candidate === found.value);
  if (value !== undefined) return value;
  throw invalidAddress(`${name}, given by ${found.from}, has an unknown value`, `Use one of: ${values.join(', ')}.`);
}

export function wholeNumber(given: GivenParameters, name: string): number | null {
  const found = given.get(name);
  if (!found) return null;
  if (/^-?\d{1,9}$/.test(found.value)) return Number(found.value);
  throw invalidAddress(`${name}, given by ${found.from}, is not a whole number`, 'Correct it or remove it.');
}
