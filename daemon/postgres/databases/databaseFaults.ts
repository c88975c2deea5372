import type { ErrorCode } from '../../protocol/codes.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import { troubleOf, type ServerTrouble } from '../connection/serverTrouble.ts';
import { isConnectionLoss, saidBy, serverWords, sqlState } from '../connection/sqlErrors.ts';

/** What to throw when CREATE DATABASE failed. An error that is not the server's refusal is returned unchanged, here and below. */
export function createFailed(error: unknown, databaseName: string, role: string, ownerRole: string | null): unknown {
  const hints: Record<string, string> = {
    '42501':
      ownerRole === null
        ? `As a superuser: ALTER ROLE ${sqlIdentifier(role)} CREATEDB;`
        : `As a superuser: GRANT ${sqlIdentifier(ownerRole)} TO ${sqlIdentifier(role)};`,
    '42704': 'Create the role that registrar.postgres.ownerRole names, or change the setting.',
  };
  return failed(error, databaseName, `Database ${named(databaseName)} could not be created`, ({ state, trouble }) => ({
    code: trouble?.code ?? 'PROVISION_FAILED',
    hint: hints[state] ?? trouble?.hint ?? 'Fix the cause on the server, then resolve again.',
  }));
}

export function dropFailed(error: unknown, databaseName: string): unknown {
  return failed(error, databaseName, `Database ${named(databaseName)} could not be dropped`, ({ trouble }) => ({
    code: trouble?.code ?? 'PROVISION_FAILED',
    hint: trouble?.hint ?? 'Fix the cause on the server, then drop the project again; until then, it stays as it is.',
  }));
}

export function schemaFailed(error: unknown, databaseName: string): unknown {
  const what = `The project schema could not be applied to ${named(databaseName)}`;
  return failed(error, databaseName, what, ({ trouble }) => {
    // Its time limit and its characters depend on the schema.
    const isOwn = trouble === null || trouble.code === 'REGISTRY_BUSY' || trouble.code === 'REGISTRY_SCHEMA';
    if (!isOwn) return trouble;
    return {
      code: 'PROVISION_FAILED',
      hint: 'Correct the file that registrar.postgres.projectSchema names, then resolve again; nothing of it was kept.',
    };
  });
}

function failed(
  error: unknown,
  databaseName: string,
  what: string,
  cure: (refusal: Refused) => { code: ErrorCode; hint: string },
): unknown {
  const refusal = refusalIn(error);
  if (!refusal) return error;
  const { state } = refusal;
  const { code, hint } = cure(refusal);
  return new RegistrarError(
    {
      code,
      message: `${what}: ${saidBy(error)} (${state}).`,
      hint,
      details: { database: databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}

interface Refused {
  state: string;
  trouble: ServerTrouble | null;
}

/** The server's refusal of a statement; null when no answer came, which says nothing about whether it ran. */
function refusalIn(error: unknown): Refused | null {
  const state = sqlState(error);
  const trouble = troubleOf(state);
  if (state === null || isConnectionLoss(error) || (error instanceof RegistrarError && !trouble)) return null;
  return { state, trouble };
}
