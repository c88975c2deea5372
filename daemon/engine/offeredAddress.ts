import { addressKey, addressLabel, parseAddress, type PostgresAddress } from '../postgres/address/address.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import type { GivenAddress } from '../protocol/control.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import type { ChosenAddress } from './chooseAddress.ts';

/** Two addresses that mean one server and registry are one. Throws INVALID_ARGUMENT for an offer that cannot be read. */
export function mismatchOf({ url, variables, source }: GivenAddress, chosen: ChosenAddress): RegistrarError | null {
  if (url === null) return null;
  const offered = parseAddress(url, variables, localSurroundings());
  if (addressKey(offered) === addressKey(chosen.address)) return null;
  return addressMismatch(nameOf(chosen.address), nameOf(offered), source);
}

/** Without user and password; two registries of one server are two addresses. */
function nameOf(address: PostgresAddress): string {
  return `${addressLabel(address)}/${address.registryDatabase}`;
}

/** Whether PostgreSQL refused the login, thrown or as a resolution's error. */
export function isCredentialsRequired(answer: { value: unknown } | { error: unknown }): boolean {
  if ('error' in answer) return answer.error instanceof RegistrarError && answer.error.code === 'CREDENTIALS_REQUIRED';
  const { value } = answer;
  const inner = typeof value === 'object' && value !== null && 'resolution' in value ? value.resolution : value;
  if (typeof inner !== 'object' || inner === null || !('error' in inner)) return false;
  return (inner.error as ErrorReport | null)?.code === 'CREDENTIALS_REQUIRED';
}

function addressMismatch(served: string, offered: string, source: GivenAddress['source']): RegistrarError {
  const where = { argument: '--database-url', environment: 'REGISTRAR_DATABASE_URL', setting: 'the setting' }[source];
  return new RegistrarError({
    code: 'ADDRESS_MISMATCH',
    message: `The daemon serves ${served}, but ${where} names ${offered}. Nothing was done.`,
    hint: `Leave ${where} out, or change the daemon’s address for everyone: registrar postgres URL; or registrar stop.`,
    details: { served, offered },
  });
}
