import type { ErrorReport } from '../../protocol/registrarError.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named, quoted, visible } from '../../protocol/visibleText.ts';
import { troubleOf } from '../connection/serverTrouble.ts';
import { saidBy, sqlState } from '../connection/sqlErrors.ts';

/** A use of the registry, for messages: `insert into projects` and the grant that allows it. */
export interface Asked {
  action: string;
  privilege: string;
  grant: string;
}

/** The privileges on the registry that Registrar can miss, by what it does with them. */
export const asked = {
  read: {
    action: 'read the table projects',
    privilege: 'SELECT on projects',
    grant: 'GRANT SELECT ON public.projects TO',
  },
  insert: {
    action: 'add a row to projects',
    privilege: 'INSERT on projects',
    grant: 'GRANT INSERT ON public.projects TO',
  },
  update: {
    action: 'change a row of projects',
    privilege: 'UPDATE on projects',
    grant: 'GRANT UPDATE ON public.projects TO',
  },
  delete: {
    action: 'remove a row from projects',
    privilege: 'DELETE on projects',
    grant: 'GRANT DELETE ON public.projects TO',
  },
  createTable: {
    action: 'create the table projects',
    privilege: 'CREATE on schema public',
    grant: 'GRANT CREATE ON SCHEMA public TO',
  },
} as const satisfies Record<string, Asked>;

/** REGISTRY_FORBIDDEN that names the role, the missing privilege and the statement that gives it. */
export function registryForbidden(what: Asked, role: string, database: string): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `Role ${named(role)} may not ${what.action} in database ${named(database)}: ${what.privilege} is missing.`,
    hint: `As the owner, in ${named(database)}: ${what.grant} ${sqlIdentifier(role)};`,
    details: { role, database, privilege: what.privilege, sqlState: '42501' },
  });
}

export function notOwner(databaseName: string, role: string): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `Role ${named(role)} does not own database ${named(databaseName)}, so its marker cannot be written.`,
    hint: `As its owner: ALTER DATABASE ${sqlIdentifier(databaseName)} OWNER TO a role that ${named(role)} is a member of.`,
    details: { role, database: databaseName, privilege: 'ownership' },
  });
}

/** REGISTRY_SCHEMA: the table exists but is not a registry. */
export function notARegistry(database: string, detail: string): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_SCHEMA',
    message: `The table projects in database ${named(database)} is not a registry: ${detail}.`,
    hint: 'Name another registry database at the end of the PostgreSQL address, or repair the table.',
    details: { database },
  });
}

export function unreachableFor(what: string, timeoutMs: number): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_UNREACHABLE',
    message: `The server did not finish ${what} within ${timeoutMs / 1000} s.`,
    hint: 'Check whether the server hangs or a lock is held (pg_stat_activity), then try again.',
    details: { timeoutMs },
  });
}

/**
 * Why a write to the registry failed while its server answers, as the reason that people read beside a pending project.
 */
export function unwritable(error: unknown, what: Asked, role: string, database: string): ErrorReport {
  // It already says what is missing, although the server's own refusal may be among its causes.
  if (error instanceof RegistrarError) return error.toReport();
  const state = sqlState(error);
  if (state === '42501') return registryForbidden(what, role, database).toReport();
  const text = error instanceof Error ? error.message : String(error);
  const trouble = troubleOf(state);
  const reason = trouble?.reason ?? `registry refused the row: ${quoted(text)}`;
  const isSchema = state?.startsWith('42') === true || state?.startsWith('23') === true;
  return {
    code: trouble?.code ?? (isSchema ? 'REGISTRY_SCHEMA' : 'REGISTRY_UNREACHABLE'),
    message: state ? `${reason} (${state})` : reason,
    hint: 'Registrar tries again by itself; to speed it up, fix the cause and run: registrar sync',
    details: { sqlState: state },
  };
}

/**
 * What is thrown for a server's refusal: what is missing if that is known, otherwise its words. A missing answer stays
 * as it is.
 */
export function refusal(error: unknown, what: Asked, { role, name }: { role: string; name: string }): unknown {
  // It already says what is missing, although the server's own refusal may be among its causes.
  if (error instanceof RegistrarError) return error;
  const state = sqlState(error);
  if (state === '42501') return registryForbidden(what, role, name);
  if (state === '42703' || state === '42804' || state === '42883') {
    return notARegistry(name, error instanceof Error ? saidBy(error) : 'its columns differ');
  }
  if (state === null) return error;
  return new RegistrarError(unwritable(error, what, role, name), { cause: error });
}

export function connectionBroke(cause: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'REGISTRY_UNREACHABLE',
      message: `The connection to the registry broke (${cause instanceof Error ? visible(cause.message) : 'unknown error'}).`,
      hint: 'Check that PostgreSQL is running there: registrar postgres show.',
      details: { reason: 'connection lost' },
    },
    { cause },
  );
}
