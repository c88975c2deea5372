import type { ErrorCode } from '../protocol/codes.ts';
import { RegistrarError } from '../protocol/registrarError.ts';

const silent: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['REGISTRY_UNREACHABLE', 'REGISTRY_BUSY', 'SERVER_FULL']);

/**
 * Whether the registry said nothing of what was asked: nobody answered, it was too busy, it takes no connection, or its
 * database is closed (55000). Any other refusal is the truth of now, and memory has nothing to say to it.
 */
export function isSilence(error: unknown): error is RegistrarError {
  return error instanceof RegistrarError && (silent.has(error.code) || error.details?.['sqlState'] === '55000');
}
