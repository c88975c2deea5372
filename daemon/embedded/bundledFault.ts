import { RegistrarError } from '../protocol/registrarError.ts';

/**
 * The one error that the bundled PostgreSQL raises: there is no server to create anything on.
 *
 * @param hint what to do next; without one, the way out that always exists: another PostgreSQL.
 */
export function bundledFault(message: string, hint?: string, cause?: unknown): RegistrarError {
  return new RegistrarError(
    { code: 'PROVISION_FAILED', message, hint: hint ?? 'Choose another PostgreSQL with: registrar postgres URL' },
    { cause },
  );
}
