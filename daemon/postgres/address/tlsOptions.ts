import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { HostPort, SslSettings } from './addressParts.ts';
import { invalidAddress } from './invalidAddress.ts';

/**
 * What TLS must check and present, with libpq's meaning of sslmode
 * (https://www.postgresql.org/docs/current/libpq-ssl.html): the chain is verified when a root certificate is named or
 * lies in the default place, the name only by verify-full. Files are read at each connection, so renewed ones count.
 * Throws INVALID_ARGUMENT for a file that is named or needed and cannot be read.
 */
export async function tlsOptions(ssl: SslSettings, host: HostPort): Promise<ConnectionOptions> {
  const defaultFile = (name: string): string => join(ssl.defaultsFolder, name);
  const systemRoots = ssl.sslrootcert === 'system';
  const ca = systemRoots ? null : await readNamed('sslrootcert', ssl.sslrootcert, defaultFile('root.crt'));
  const verifies = ssl.sslmode === 'verify-ca' || ssl.sslmode === 'verify-full';
  if (verifies && !systemRoots && ca === null) {
    throw invalidAddress(
      `sslmode ${ssl.sslmode} needs a root certificate, but there is none at ${defaultFile('root.crt')}`,
      'Name one with sslrootcert=FILE, or use sslrootcert=system for a server with a public certificate.',
    );
  }
  const cert = await readNamed('sslcert', ssl.sslcert, defaultFile('postgresql.crt'));
  const key = cert === null ? null : await readNamed('sslkey', ssl.sslkey, defaultFile('postgresql.key'));
  if (cert !== null && key === null) {
    throw invalidAddress(
      'there is a client certificate for PostgreSQL, but no key for it',
      'Name the key with sslkey=FILE.',
    );
  }
  const crl = await readNamed('sslcrl', ssl.sslcrl, defaultFile('root.crl'));
  return {
    rejectUnauthorized: systemRoots || ca !== null,
    minVersion: ssl.minVersion,
    // A name to verify even if hostaddr is dialed; TLS knows no addresses here (RFC 6066, section 3).
    ...(host.hostaddr !== undefined && /[^\d.:a-f]/i.test(host.host) ? { servername: host.host } : {}),
    ...(ssl.sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(ssl.maxVersion === null ? {} : { maxVersion: ssl.maxVersion }),
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
    ...(ssl.sslpassword === null ? {} : { passphrase: ssl.sslpassword }),
    ...(crl === null || ca === null ? {} : { crl }),
  };
}

async function readNamed(name: string, path: string | null, defaultPath: string): Promise<Buffer | null> {
  try {
    return await readFile(path ?? defaultPath);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (path === null && (code === 'ENOENT' || code === 'ENOTDIR')) return null;
    throw invalidAddress(
      `the ${name} file ${path ?? defaultPath} cannot be read (${code})`,
      'Correct its path or its mode.',
    );
  }
}
