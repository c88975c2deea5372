import { hostLabel } from '../address/address.ts';
import type { PostgresAddress } from '../address/address.ts';
import type { HostPort } from '../address/addressParts.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named, quoted } from '../../protocol/visibleText.ts';
import { troubleOf } from './serverTrouble.ts';
import { serverWords, sqlState } from './sqlErrors.ts';

/** Why one host of an address did not serve. */
export interface HostFailure {
  host: HostPort;
  /** Completes "does not answer (…)": refused, timeout after 500 ms, DNS: name not found. */
  reason: string;
  cause: unknown;
}

/** The server asks for a password and none is known; `note` says what became of the password file. */
export class MissingPassword extends Error {
  readonly note: string | null;

  constructor(note: string | null) {
    super('the server asks for a password, but none is known');
    this.note = note;
  }
}

/** The host answers, but is not or does not offer what the address requires; another host may. */
export class UnsuitableHost extends Error {}

/**
 * The error that ends the search at once, because every host would answer the same (wrong password, no such database),
 * or null when the next host is worth a try.
 *
 * @returns CREDENTIALS_REQUIRED, REGISTRY_FORBIDDEN, DATABASE_MISSING or REGISTRY_UNREACHABLE, the server's error as cause.
 */
export function finalFailure(
  error: unknown,
  address: PostgresAddress,
  host: HostPort,
  database: string,
): RegistrarError | null {
  if (error instanceof RegistrarError) return error;
  const label = hostLabel(host);
  if (error instanceof MissingPassword) {
    return new RegistrarError(
      {
        code: 'CREDENTIALS_REQUIRED',
        message: `${label} asks for the password of user ${named(address.user)}, but none is known`,
        hint: [error.note === null ? '' : `${error.note}. `, passwordHint].join(''),
      },
      { cause: error },
    );
  }
  const state = sqlState(error);
  if (state === null || /^(?:08|53|57)/.test(state) || troubleOf(state)) return null;
  const server = serverWords(error);
  const said = `${label} says ${quoted(server?.message ?? '')} (${state})`;
  return new RegistrarError(
    { ...judge(state, database), message: said, details: { sqlState: state, server } },
    { cause: error },
  );
}

function judge(
  state: string,
  database: string,
): Pick<ConstructorParameters<typeof RegistrarError>[0], 'code' | 'hint'> {
  switch (state) {
    case '28P01':
      return { code: 'CREDENTIALS_REQUIRED', hint: passwordHint };
    case '28000':
      return {
        code: 'CREDENTIALS_REQUIRED',
        hint: "Check the user and sslmode of the address, and that the server's pg_hba.conf lets this user in from here.",
      };
    case '42501':
      return {
        code: 'REGISTRY_FORBIDDEN',
        hint: `Ask its owner to run: GRANT CONNECT ON DATABASE ${sqlIdentifier(database)} TO the user of the address.`,
      };
    case '55000':
      return {
        code: 'REGISTRY_FORBIDDEN',
        hint: `The database is closed to everybody. As its owner: ALTER DATABASE ${sqlIdentifier(database)} ALLOW_CONNECTIONS true;`,
      };
    case '3D000':
      return { code: 'DATABASE_MISSING', hint: 'Create the database, or correct its name.' };
    default:
      return { code: 'REGISTRY_UNREACHABLE', hint: 'Check the server’s message and its log.' };
  }
}

const passwordHint =
  'Enter the right one: `registrar postgres URL` asks for it; or set PGPASSWORD, or add a line to ~/.pgpass (mode 0600).';

/**
 * Why no host served, with each host's reason: the code of its trouble if one answers but cannot serve at present
 * (SERVER_FULL, REGISTRY_BUSY, …), else REGISTRY_UNREACHABLE.
 */
export function unreachable(failures: readonly HostFailure[]): RegistrarError {
  const tried = failures.map(({ host, reason }) => ({ host: hostLabel(host), reason }));
  const telling = failures.find(({ cause }) => troubleOf(sqlState(cause))) ?? failures[0];
  const state = sqlState(telling?.cause);
  const [only] = tried;
  const message =
    tried.length === 1 && only
      ? `${only.host} ${verbFor(state)} (${only.reason})`
      : `no PostgreSQL host serves: ${tried.map(({ host, reason }) => `${host} (${reason})`).join(', ')}`;
  return new RegistrarError(
    {
      code: troubleOf(state)?.code ?? 'REGISTRY_UNREACHABLE',
      message,
      hint: hintFor(failures, state),
      details: { hosts: tried, reason: telling?.reason ?? 'no host', ...(state === null ? {} : { sqlState: state }) },
    },
    { cause: telling?.cause },
  );
}

function verbFor(state: string | null): string {
  const trouble = troubleOf(state);
  if (trouble?.code === 'SERVER_FULL') return 'takes no more connections';
  if (trouble) return trouble.code === 'REGISTRY_BUSY' ? 'is busy' : 'cannot serve';
  return state?.startsWith('57P') === true ? 'is not ready' : 'does not answer';
}

function hintFor(failures: readonly HostFailure[], state: string | null): string {
  const trouble = troubleOf(state);
  if (trouble) return trouble.hint;
  return failures.every(({ cause }) => cause instanceof UnsuitableHost)
    ? 'Check sslmode, sslrootcert, channel_binding and target_session_attrs of the address.'
    : 'Check that PostgreSQL is running there and that the address is right: registrar postgres show.';
}

/** Why a connection failed, in a few words. `limitMs` is what the host was given. */
export function describeFailure(error: unknown, limitMs: number): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as { code?: unknown };
  if (sqlState(error) !== null) return `${quoted(error.message)}, ${String(sqlState(error))}`;
  if (error.message === 'timeout expired' || error.message === 'Query read timeout') {
    return `timeout after ${Math.round(limitMs)} ms`;
  }
  if (typeof code === 'string') return knownReasons[code] ?? `${code}: ${error.message || 'connection failed'}`;
  if (error.message.startsWith('Connection terminated')) return 'the server closed the connection';
  return error.message;
}

const knownReasons: Record<string, string> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'the server closed the connection',
  EPIPE: 'the server closed the connection',
  ETIMEDOUT: 'timeout of the operating system',
  ENOENT: 'no such socket',
  EACCES: 'no permission for the socket',
  ENOTFOUND: 'DNS: name not found',
  EAI_AGAIN: 'DNS: no answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
};
