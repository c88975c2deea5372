import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named, quoted } from '../../protocol/visibleText.ts';
import { serverWords, sqlState } from '../connection/sqlErrors.ts';

export function agentRoleForbidden(role: string, cause: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'REGISTRY_FORBIDDEN',
      message: `Agents' SQL needs a role of its own that can only read, and role ${named(role)} may not create one: CREATEROLE is missing.`,
      hint: `As a superuser: ALTER ROLE ${sqlIdentifier(role)} CREATEROLE;`,
      details: { role, privilege: 'CREATEROLE' },
    },
    { cause },
  );
}

/** From PostgreSQL 16 on, whoever did not make a role needs ADMIN OPTION on it. */
export function agentRoleTaken(agentRole: string, role: string, cause: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'REGISTRY_FORBIDDEN',
      message: `Role ${named(role)} may not set the password of ${named(agentRole)}, which agents' SQL runs as: somebody else created it.`,
      hint: `As a superuser: GRANT ${sqlIdentifier(agentRole)} TO ${sqlIdentifier(role)} WITH ADMIN OPTION;`,
      details: { role, privilege: `ADMIN OPTION on ${agentRole}` },
    },
    { cause },
  );
}

/** The role can do more than read, so nothing is run as it. */
export function agentRoleTooMighty(agentRole: string): RegistrarError {
  const name = sqlIdentifier(agentRole);
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: `Role ${agentRole}, which agents' SQL runs as, has more rights than it should. Nothing was run.`,
    hint: `As a superuser: ALTER ROLE ${name} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS; and REVOKE the roles that were granted to it.`,
    details: { role: agentRole },
  });
}

export function agentRoleFailed(databaseName: string, cause: unknown): RegistrarError {
  const state = sqlState(cause);
  const server = serverWords(cause);
  // Any other error is ours or the network's.
  const reason = state ?? (cause instanceof Error ? quoted(cause.message) : 'unknown error');
  return new RegistrarError(
    {
      code: 'PROVISION_FAILED',
      message: `The role that agents' SQL runs as could not be prepared in ${named(databaseName)} (${reason}).`,
      hint:
        state === '25006'
          ? 'The server is read only; connect to the primary (target_session_attrs=read-write chooses it).'
          : 'Fix the cause on the server, then ask again.',
      details: { database: databaseName, sqlState: state, ...(server ? { server } : {}) },
    },
    { cause },
  );
}

/** What keeps the agents' role out although its password is right. */
export function agentLoginRefused(error: unknown, agentRole: string, databaseName: string): unknown {
  const state = sqlState(error);
  const hints: Record<string, string> = {
    '42501': `As its owner: GRANT CONNECT ON DATABASE ${sqlIdentifier(databaseName)} TO ${sqlIdentifier(agentRole)};`,
    '28000': `In the server's pg_hba.conf, before lines that refuse it: host "${databaseName}" "${agentRole}" samehost scram-sha-256 (local or another address as the case may be); then SELECT pg_reload_conf();`,
    '28P01': `In the server's pg_hba.conf, the line for "${agentRole}" must say scram-sha-256; behind a pooler, give Registrar the server's own address.`,
    // PgBouncer's answer for a user that it does not know.
    '08P01': 'Agents’ SQL needs the server itself: give Registrar its address and not the pooler’s.',
  };
  const hint = state === null ? undefined : hints[state];
  if (hint === undefined || !(error instanceof Error)) return error;
  return new RegistrarError(
    {
      code: 'REGISTRY_FORBIDDEN',
      message: `The server refused the login of role ${named(agentRole)}, which agents' SQL runs as (${state ?? ''}).`,
      hint,
      details: { role: agentRole, database: databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}

/** Session state, including advisory locks, would pass to whoever gets the server's connection next. */
export function poolerBetween(): RegistrarError {
  return new RegistrarError({
    code: 'REGISTRY_FORBIDDEN',
    message: "A pooler is between Registrar and PostgreSQL, but agents' SQL needs a direct connection.",
    hint: 'Give Registrar the server’s own address: registrar postgres URL',
  });
}

export function tooManyQueries(waitMs: number): RegistrarError {
  return new RegistrarError({
    code: 'SQL_TIMEOUT',
    message: `Other queries kept this one waiting for ${waitMs / 1000} s; it was not run.`,
    hint: 'Try again when they are done.',
  });
}

/** @param cause the server's refusal, when it is the one that says so */
export function notOneRead(what: string, cause?: unknown): RegistrarError {
  const server = serverWords(cause);
  return new RegistrarError(
    {
      code: 'SQL_REJECTED',
      message: `${what} Nothing was changed.`,
      hint: 'Give one statement that reads: SELECT, VALUES, TABLE, SHOW or EXPLAIN. Write with: registrar exec -- CMD',
      ...(server ? { details: { sqlState: sqlState(cause), server } } : {}),
    },
    { cause },
  );
}

export function sqlTimeout(statementMs: number, cause?: unknown): RegistrarError {
  return new RegistrarError(
    {
      code: 'SQL_TIMEOUT',
      message: `The statement was cancelled; the limit is ${statementMs / 1000} s, or less for a lock.`,
      hint: 'Ask for less, with WHERE or LIMIT, or look at the plan with EXPLAIN.',
      details: { statementMs, sqlState: sqlState(cause) },
    },
    { cause },
  );
}

/** What the server said about an agent's statement, as one of our codes; anything else is returned as it is. */
export function statementFailed(error: unknown, agentRole: string, statementMs: number): unknown {
  const state = sqlState(error);
  if (state === null || !(error instanceof Error) || error instanceof RegistrarError) return error;
  // The server ended the session, which says nothing about the statement. (08… is a statement's own connection to elsewhere.)
  if (state.startsWith('57P')) return error;
  const said = error as Error & { routine?: string; position?: string };
  // The parser's own words are in the server's language.
  if (state === '42601' && said.routine === 'exec_parse_message') return notOneRead('This is more than one statement.');
  if (state === '25006') return notOneRead(`The statement would write (${state}).`, error);
  if (state === '57014' || state === '55P03') return sqlTimeout(statementMs, error);
  return new RegistrarError(
    {
      code: 'SQL_FAILED',
      message: `The server refused the statement (${state}).`,
      hint: hintFor(state, agentRole),
      details: {
        sqlState: state,
        position: said.position === undefined ? null : Number(said.position),
        server: serverWords(error),
      },
    },
    { cause: error },
  );
}

function hintFor(state: string, agentRole: string): string {
  if (state === '42501') {
    return `Agents may only read their project's tables. To open one that belongs to somebody else, its owner runs: GRANT SELECT ON … TO ${sqlIdentifier(agentRole)};`;
  }
  return 'Correct the statement; describe_database shows tables and columns.';
}
