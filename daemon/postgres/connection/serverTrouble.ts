import type { ErrorCode } from '../../protocol/codes.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { serverWords, sqlState } from './sqlErrors.ts';

/** What a server that answers cannot do at present, whatever the request. */
export interface ServerTrouble {
  code: ErrorCode;
  /** In the words that people read beside a pending project. */
  reason: string;
  hint: string;
}

const freeConnections =
  'Close connections that nobody uses (pg_stat_activity), raise max_connections, or put a pooler in between.';
const waitOrLook =
  'Try again. If it keeps happening, pg_stat_activity shows who holds a lock, and \\drds in psql whether this role has a statement_timeout or lock_timeout.';

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const troubles: Readonly<Record<string, ServerTrouble>> = {
  // untranslatable_character: the registry's encoding lacks one, and it is none that is kept as a reference
  '22P05': {
    code: 'REGISTRY_SCHEMA',
    reason: 'registry’s encoding lacks a character',
    hint: 'Leave the character out; or move the registry into a database that was created with ENCODING UTF8, which stores every character.',
  },
  // read_only_sql_transaction
  '25006': {
    code: 'REGISTRY_READ_ONLY',
    reason: 'registry read only',
    hint: 'Connect to the primary (target_session_attrs=read-write chooses it), or reset default_transaction_read_only for the server, the database or the role.',
  },
  // disk_full
  '53100': { code: 'DISK_FULL', reason: 'registry disk full', hint: 'Free disk space on the server, then try again.' },
  // out_of_memory
  '53200': {
    code: 'SERVER_FULL',
    reason: 'registry out of memory',
    hint: 'Free memory on the server, then try again.',
  },
  // too_many_connections: of the server, of the database or of the role
  '53300': { code: 'SERVER_FULL', reason: 'registry has no free connection', hint: freeConnections },
  // configuration_limit_exceeded
  '53400': { code: 'SERVER_FULL', reason: 'registry reached a limit of its configuration', hint: freeConnections },
  // lock_not_available: lock_timeout
  '55P03': { code: 'REGISTRY_BUSY', reason: 'registry table is locked', hint: waitOrLook },
  // query_canceled: statement_timeout, or a standby that had to go on with its replay
  '57014': { code: 'REGISTRY_BUSY', reason: 'registry statement was cancelled', hint: waitOrLook },
};

/** The trouble that an SQLSTATE stands for; null for one that is about what was asked. */
export function troubleOf(state: string | null): ServerTrouble | null {
  return state === null ? null : (troubles[state] ?? null);
}

/**
 * What the server said, as one of our codes where that is its own trouble: REGISTRY_BUSY, SERVER_FULL, DISK_FULL,
 * REGISTRY_READ_ONLY or REGISTRY_SCHEMA, with its SQLSTATE in the details. Any other error is given back as it is.
 */
export function asServerTrouble(error: unknown): unknown {
  if (error instanceof RegistrarError || !(error instanceof Error)) return error;
  const state = sqlState(error);
  const trouble = troubleOf(state);
  if (!trouble) return error;
  const { code, reason, hint } = trouble;
  const details = { sqlState: state, server: serverWords(error) };
  return new RegistrarError({ code, message: `${reason} (${String(state)})`, hint, details }, { cause: error });
}
