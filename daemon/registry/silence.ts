import type { ErrorCode } from '../protocol/codes.ts';
import { RegistrarError } from '../protocol/registrarError.ts';

const silent: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['REGISTRY_UNREACHABLE', 'REGISTRY_BUSY', 'SERVER_FULL']);

/**
 * Whether the registry gave no answer at all: nobody answered, it was too busy, it accepts no connection, or its
 * database is closed (55000). Any other refusal is the current truth, and memory must not override it.
 */
export function isSilence(error: unknown): error is RegistrarError {
  return error instanceof RegistrarError && (silent.has(error.code) || error.details?.['sqlState'] === '55000');
}
