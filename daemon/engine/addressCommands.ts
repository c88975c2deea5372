import { addressLabel, parseAddress } from '../postgres/address/address.ts';
import { hasPassword, withoutPassword } from '../postgres/address/connectionString.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import { savePassword as saveInFile } from '../postgres/address/savePassword.ts';
import { tryPostgres } from '../postgres/connection/tryPostgres.ts';
import type { GivenAddress, TriedAddress } from '../protocol/control.ts';
import type { Settings } from '../protocol/settings.ts';

type Choice = NonNullable<Settings['postgres']>;

/**
 * Connects once, as the address says, and creates nothing.
 *
 * @param password counts before what address and variables say
 * @throws RegistrarError as connecting does, INVALID_ARGUMENT for an address that cannot be read
 */
export async function tryAddress(url: string, password: string | null, from: GivenAddress): Promise<TriedAddress> {
  const address = parseAddress(url, variablesFor(url, from), localSurroundings());
  const { version, role, mayCreateDatabases } = await tryPostgres(
    password === null ? address : { ...address, password },
  );
  return {
    url: withoutPassword(url),
    address: addressLabel(address),
    password: hasPassword(url) ? address.password : null,
    version,
    role,
    mayCreateDatabases,
  };
}

/** Gives the path of the password file. Throws the operating system's error. */
export async function savePassword(url: string, password: string, from: GivenAddress): Promise<string> {
  return saveInFile(parseAddress(url, from.variables, localSurroundings()), password);
}

/** What is saved of a choice: never a password. */
export function keptChoice(choice: Choice): Choice {
  return choice.kind === 'url' ? { kind: 'url', url: withoutPassword(choice.url) } : choice;
}

/** The variables that count for an address: a password that came with another address is not for this one. */
export function variablesFor(url: string | null, from: GivenAddress): Record<string, string> {
  const { PGPASSWORD, ...others } = from.variables;
  const isItsOwn = from.url === null || from.url === url;
  return isItsOwn && PGPASSWORD !== undefined ? { ...others, PGPASSWORD } : others;
}
