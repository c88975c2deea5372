import { RegistrarError } from '../protocol/registrarError.ts';

/** The ways to choose a PostgreSQL, as commands. */
export const postgresChoices =
  'registrar postgres postgresql://USER@HOST:5432 (yours) | registrar postgres bundled (a private one, nothing to install) | set REGISTRAR_DATABASE_URL';

/** The error of every command that needs a PostgreSQL while none was chosen: nothing was started or downloaded. */
export function postgresNotChosen(): RegistrarError {
  return new RegistrarError({
    code: 'POSTGRES_NOT_CHOSEN',
    message: 'No PostgreSQL is chosen yet, so there is no registry to ask.',
    hint: postgresChoices,
  });
}
