import { RegistrarError } from '../../protocol/registrarError.ts';

const example = 'postgresql://user@host:5432/database';

/** The fault for an address that cannot be used. Neither text may hold a piece of the address that could be a password. */
export function invalidAddress(message: string, hint = `Write it as ${example}.`): RegistrarError {
  return new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint });
}
