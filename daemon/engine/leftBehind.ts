import { addressLabel, addressUrl, type PostgresAddress } from '../postgres/address/address.ts';
import { commandText } from '../protocol/commandText.ts';
import type { LeftBehind } from '../protocol/control.ts';
import { sqlIdentifier, sqlLiteral } from '../protocol/sqlText.ts';
import { readMarker, writeMarker } from '../registry/marker.ts';
import type { ChosenAddress } from './chooseAddress.ts';
import type { ProjectHere } from './engine.ts';

/**
 * The projects that another address does not have, each with the POSIX shell line that moves it.
 *
 * @param to null when it is not known where to
 */
export function leftBehind(
  projects: readonly ProjectHere[],
  from: ChosenAddress,
  to: ChosenAddress | null,
): LeftBehind[] {
  return projects.map((project) => ({
    name: project.name,
    databaseName: project.databaseName,
    pending: project.pending,
    command: [...copyLine(project, from, to), ...markLine(project, from, to)].join(' && '),
  }));
}

/** If only the registry differs, there is nothing to copy: the database is already on that server. */
function copyLine({ databaseName }: ProjectHere, from: ChosenAddress, to: ChosenAddress | null): string[] {
  if (to && addressLabel(from.address) === addressLabel(to.address)) return [];
  const dump = ['pg_dump', '--create', '--no-owner', '--no-acl', urlOf(from.address, databaseName)];
  return [`${passwordOf(from)}${commandText(dump, 'sh')} | ${psql(to)}`];
}

/** The marker that comes along names the old registry, and a database of another registry cannot be adopted. */
function markLine({ databaseName, comment }: ProjectHere, from: ChosenAddress, to: ChosenAddress | null): string[] {
  const reading = readMarker(comment);
  if (!to || from.address.registryDatabase === to.address.registryDatabase || reading.kind === 'none') return [];
  const marker = writeMarker({ ...reading.marker, registry: to.address.registryDatabase }, comment);
  const sql = `comment on database ${sqlIdentifier(databaseName)} is ${sqlLiteral(marker)}`;
  return [psql(to, ['--command', sql])];
}

function psql(to: ChosenAddress | null, options: readonly string[] = []): string {
  const address = to ? urlOf(to.address, 'postgres') : 'NEW_ADDRESS';
  return `${to ? passwordOf(to) : ''}${commandText(['psql', address, ...options], 'sh')}`;
}

/** Nobody knows the bundled server's password by heart. */
function passwordOf({ bundled }: ChosenAddress): string {
  return bundled ? `PGPASSWORD="$(${commandText(['cat', bundled.passwordFile], 'sh')})" ` : '';
}

function urlOf(address: PostgresAddress, database: string): string {
  return addressUrl(address, database, { withPassword: false });
}
