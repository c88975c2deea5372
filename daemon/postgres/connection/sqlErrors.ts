import { RegistrarError } from '../../protocol/registrarError.ts';
import { quoted } from '../../protocol/visibleText.ts';

/**
 * The SQLSTATE of an error, looked for along its causes, or null when the server did not answer with one.
 */
export function sqlState(error: unknown): string | null {
  for (const link of causes(error)) {
    const { code } = link as { code?: unknown };
    // Node's own codes (EPIPE, ENOENT) can be five letters, too; only the server's errors have a severity.
    if ('severity' in link && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
  }
  return null;
}

/** What PostgreSQL said about a statement. The author of the data or of a function may have chosen the words. */
export interface ServerWords {
  message: string;
  detail: string | null;
  hint: string | null;
}

/** The server's own words, which are passed on as data and never as ours; null when it was not the server that failed. */
export function serverWords(error: unknown): ServerWords | null {
  const said = causes(error).find((link) => 'severity' in link) as
    (Error & { detail?: string; hint?: string }) | undefined;
  if (!said) return null;
  return { message: shortened(said.message), detail: shortenedOrNull(said.detail), hint: shortenedOrNull(said.hint) };
}

/**
 * The server's message inside a sentence of ours, for people; agents get it as data (`daemon/mcp/answers/fence.ts`).
 */
export function saidBy(error: unknown): string {
  const message = serverWords(error)?.message ?? (error instanceof Error ? error.message : String(error));
  return `the server says ${quoted(message)}`;
}

function shortenedOrNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : shortened(text);
}

/** The server quotes values in its messages, however long they are. */
function shortened(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
}

/** Whether the error means that the connection is gone or never was, so that whether the statement ran is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return state.startsWith('08') || lostStates.has(state);
  return causes(error).some((link) => {
    // Without an SQLSTATE, busy means that our own limit ran out.
    if (link instanceof RegistrarError) return link.code === 'REGISTRY_UNREACHABLE' || link.code === 'REGISTRY_BUSY';
    const { code } = link as { code?: unknown };
    return (
      (typeof code === 'string' && lostCodes.has(code)) || lostMessages.some((text) => link.message.startsWith(text))
    );
  });
}

/**
 * Whether the same statement can succeed later although nobody changes anything about it: the states that pass.
 * A missing permission or table, or a value that a constraint refuses, needs a person and is not among them.
 */
export function isRetryable(code: string): boolean {
  return retryableClasses.has(code.slice(0, 2)) || retryableStates.has(code);
}

/** Names: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const retryableClasses = new Set([
  // Connection exception: the server or a pooler in between went away.
  '08',
  // Insufficient resources: disk full, out of memory, too many connections, a configured limit.
  '53',
]);

const retryableStates = new Set([
  // serialization_failure and deadlock_detected: the documentation on concurrency asks clients to run these again.
  '40001',
  '40P01',
  // lock_not_available: lock_timeout or NOWAIT met a lock that its holder will release.
  '55P03',
  // object_in_use: CREATE DATABASE while template1 has visitors, DROP DATABASE while a session leaves.
  '55006',
  // query_canceled: statement_timeout, or a standby that had to cancel a query that held up replay.
  '57014',
  // admin_shutdown, crash_shutdown, cannot_connect_now: restart, crash and recovery.
  '57P01',
  '57P02',
  '57P03',
  // idle_session_timeout: the server closed a pooled connection.
  '57P05',
  // read_only_sql_transaction: the primary became a standby; the next connection finds the new primary.
  '25006',
  // io_error and system_error outside PostgreSQL, such as a storage that comes back.
  '58000',
  '58030',
]);

const lostStates = new Set(['57P01', '57P02', '57P03', '57P05']);

const lostCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  ...['ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'],
]);

/** node-postgres gives these no code (pg 8.23, lib/client.js). */
const lostMessages = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'timeout expired',
];

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let link = error; link instanceof Error && chain.length < 10; link = link.cause) chain.push(link);
  return chain;
}
