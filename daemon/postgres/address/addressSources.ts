import { join } from 'node:path';
import { parseConnectionString } from './connectionString.ts';
import { invalidAddress } from './invalidAddress.ts';
import { libpqParameters } from './libpqParameters.ts';
import { readService } from './serviceFile.ts';

/** What libpq reads from the machine besides the environment. */
export interface AddressSurroundings {
  platform: NodeJS.Platform;
  /** The operating system's name of this user, libpq's default user. */
  userName: string;
  homeFolder: string;
  /** The content of a text file, or null when it is not there. */
  readText(path: string): string | null;
  exists(path: string): boolean;
}

/** One parameter and the place that gave it. */
export interface GivenParameter {
  value: string;
  /** Names the place in messages, such as `PGPORT`. */
  from: string;
}
/** By libpq's keyword. */
export type GivenParameters = Map<string, GivenParameter>;

/**
 * Collects the connection's parameters in libpq's order: the string, the service, the environment; the first that has a
 * parameter wins. Throws INVALID_ARGUMENT for what cannot be read, and for parameters that cannot be obeyed.
 */
export function gatherParameters(
  url: string,
  environment: Record<string, string | undefined>,
  surroundings: AddressSurroundings,
): GivenParameters {
  const given: GivenParameters = new Map();
  const own = parseConnectionString(url);
  const add = (parameters: Iterable<readonly [string, string]>, from: (name: string) => string): void => {
    // libpq would dial a hostaddr from the environment under the URL's host name, and so reach a different server from
    // the one named.
    const hasHost = given.has('host') || given.has('hostaddr');
    for (const [name, value] of parameters) {
      if (value === '' || given.has(name) || (hasHost && (name === 'host' || name === 'hostaddr'))) continue;
      given.set(name, { value, from: from(name) });
    }
  };
  add(own, () => 'the PostgreSQL address');
  const service = own.get('service') ?? environment['PGSERVICE'] ?? '';
  if (service !== '') {
    const parameters = findService(service, own.get('servicefile'), environment, surroundings);
    // Like PGDATABASE, the database of a service that only the environment names is an application's, not the registry.
    if (!own.has('service')) parameters.delete('dbname');
    add(parameters, () => `the PostgreSQL service ${service}`);
  }
  const variables = Object.entries(libpqParameters).flatMap(([name, { environment: variable }]) =>
    variable === undefined ? [] : [[name, environment[variable] ?? ''] as const],
  );
  add(variables, (name) => libpqParameters[name]?.environment ?? name);
  if (!given.has('sslmode') && environment['PGREQUIRESSL']?.startsWith('1')) {
    given.set('sslmode', { value: 'require', from: 'PGREQUIRESSL' });
  }
  for (const [name, { value, from }] of given) refuseWhatCannotBeObeyed(name, value, from);
  return given;
}

function findService(
  name: string,
  servicefile: string | undefined,
  environment: Record<string, string | undefined>,
  surroundings: AddressSurroundings,
): Map<string, string> {
  const { platform, homeFolder } = surroundings;
  const personalFolder = platform === 'win32' ? join(environment['APPDATA'] ?? homeFolder, 'postgresql') : homeFolder;
  const personal = servicefile ?? set(environment['PGSERVICEFILE']) ?? join(personalFolder, '.pg_service.conf');
  // Where the packages of Debian and of postgresql.org for RPM systems compiled libpq to look when PGSYSCONFDIR is unset.
  const systemFolders = set(environment['PGSYSCONFDIR']) ?? ['/etc/postgresql-common', '/etc/sysconfig/pgsql'];
  const paths = [personal, ...[systemFolders].flat().map((folder) => join(folder, 'pg_service.conf'))];
  for (const path of paths) {
    const text = surroundings.readText(path);
    const service = text === null ? null : readService(text, name, path);
    if (service) return service;
  }
  throw invalidAddress(
    `the PostgreSQL service "${name}" is not defined in ${paths.join(' or ')}`,
    'Define it there, correct its name, or write the address as a URL.',
  );
}

function refuseWhatCannotBeObeyed(name: string, value: string, from: string): void {
  const { accepts, because } = libpqParameters[name] ?? {};
  if (!accepts || accepts.includes(value)) return;
  const choices = accepts.length === 0 ? 'Remove it.' : `Remove it, or use ${accepts.slice(0, 2).join(' or ')}.`;
  throw invalidAddress(
    `${name}, given by ${from}, cannot be used, because ${because ?? 'it is not supported'}`,
    choices,
  );
}

function set(variable: string | undefined): string | undefined {
  return variable === '' ? undefined : variable;
}
