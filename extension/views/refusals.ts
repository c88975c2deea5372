import type { ErrorCode } from '../../daemon/protocol/codes.ts';
import { dayAndTime } from '../../daemon/protocol/clockTime.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { conflict } from './conflictVerdict.ts';
import type { FolderVerdict } from './verdict.ts';
import { namesCommand, sentence } from './words.ts';

/** Kinds of refusals that have the same ways out: see cures.ts. */
export type RefusalKind =
  | 'no-project'
  | 'conflict'
  | 'conflict-name'
  | 'conflict-share'
  | 'dropped'
  | 'vanished'
  | 'dropping'
  | 'adoptable'
  | 'not-proved'
  | 'other-project'
  | 'config-error'
  | 'statement'
  | 'again'
  | 'unreachable'
  | 'credentials'
  | 'mismatch'
  | 'not-chosen'
  | 'address'
  | 'drift'
  | 'daemon'
  | 'none';

interface RefusalWords {
  /** Behind the folder's name. */
  summary: string;
  kind: RefusalKind;
}

/** What prevents answers for the whole window; shown at each folder. */
export const objections: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ADDRESS_MISMATCH']);

const words: Record<ErrorCode, RefusalWords> = {
  CONFIG_INVALID: { summary: 'config has an error', kind: 'config-error' },
  CONFIG_UNREADABLE: { summary: 'config cannot be read', kind: 'config-error' },
  CONFIG_NOT_TRUSTED: { summary: 'not trusted', kind: 'config-error' },
  CONFIG_CHANGED: { summary: 'config is being changed', kind: 'again' },
  NAME_INVALID: { summary: 'name cannot be used', kind: 'config-error' },
  DATABASE_NAME_INVALID: { summary: 'database name cannot be used', kind: 'config-error' },
  PROJECT_NOT_FOUND: { summary: 'project not found', kind: 'other-project' },
  PROJECT_AMBIGUOUS: { summary: 'two projects fit', kind: 'other-project' },
  PROJECT_MISMATCH: { summary: 'another project', kind: 'other-project' },
  PROJECT_CONFLICT: { summary: 'conflict', kind: 'other-project' },
  PROJECT_FORGOTTEN: { summary: 'forgotten', kind: 'again' },
  PROJECT_DROPPED: { summary: 'dropped', kind: 'dropped' },
  DIRECTORY_INVALID: { summary: 'folder cannot be read', kind: 'none' },
  UNRESOLVED: { summary: 'no project', kind: 'no-project' },
  DATABASE_MISSING: { summary: 'database is missing', kind: 'not-proved' },
  DATABASE_FOREIGN: { summary: 'database is not its own', kind: 'not-proved' },
  MARKER_MISSING: { summary: 'database carries no marker', kind: 'not-proved' },
  PROVISION_FAILED: { summary: 'database could not be made', kind: 'again' },
  POSTGRES_NOT_CHOSEN: { summary: 'no PostgreSQL is chosen', kind: 'not-chosen' },
  REGISTRY_UNREACHABLE: { summary: 'server does not answer', kind: 'unreachable' },
  REGISTRY_BUSY: { summary: 'registry is busy', kind: 'again' },
  SERVER_FULL: { summary: 'server is full', kind: 'again' },
  DISK_FULL: { summary: 'server’s disk is full', kind: 'again' },
  REGISTRY_READ_ONLY: { summary: 'server is read-only', kind: 'again' },
  REGISTRY_FORBIDDEN: { summary: 'permission is missing', kind: 'again' },
  REGISTRY_SCHEMA: { summary: 'database is no registry', kind: 'address' },
  CREDENTIALS_REQUIRED: { summary: 'password needed', kind: 'credentials' },
  ADDRESS_MISMATCH: { summary: 'another server', kind: 'mismatch' },
  SQL_REJECTED: { summary: 'refused', kind: 'none' },
  SQL_FAILED: { summary: 'refused', kind: 'none' },
  SQL_TIMEOUT: { summary: 'refused', kind: 'none' },
  PLAN_STALE: { summary: 'plan is out of date', kind: 'drift' },
  CONFIRMATION_REQUIRED: { summary: 'not confirmed', kind: 'none' },
  DAEMON_UNREACHABLE: { summary: 'daemon is not running', kind: 'daemon' },
  DAEMON_VERSION: { summary: 'daemon has another version', kind: 'daemon' },
  UNAUTHORIZED: { summary: 'refused', kind: 'none' },
  INVALID_ARGUMENT: { summary: 'refused', kind: 'none' },
  INTERNAL: { summary: 'Registrar failed', kind: 'daemon' },
};

/** Refusals of one code that ask for different things. */
export function wordsOf({ code, hint, details }: ErrorReport): RefusalWords {
  const choices = (details?.['choices'] as string[] | undefined) ?? [];
  const given = words[code];
  if (choices.includes('adopt')) return { ...given, kind: 'adoptable' };
  if (choices.includes('remake')) return { summary: 'its database is gone', kind: 'vanished' };
  if (choices.includes('repoint')) return { summary: 'its database has another name', kind: 'config-error' };
  if (details?.['state'] === 'dropping') return { summary: 'being dropped', kind: 'dropping' };
  return statementIn(hint) === null ? given : { ...given, kind: 'statement' };
}

/**
 * A statement to copy for somebody with the right privileges; null for a hint without one, or with a part to fill in.
 */
export function statementIn(hint: string): string | null {
  const [, statement] = /: ((?:ALTER|CREATE|GRANT) (?:"(?:[^"]|"")*"|[^";…])*;)/.exec(hint) ?? [];
  return statement ?? null;
}

/** The project's name, or the one that the folder claims. */
function titleOf({ details }: ErrorReport, folder: WorkspaceFolder): string {
  const { name, project } = (details ?? {}) as { name?: unknown; project?: { name?: unknown } };
  const claimed = [name, project?.name].find((text) => typeof text === 'string');
  return claimed ?? folder.name;
}

export function refusal(folder: WorkspaceFolder, error: ErrorReport, { home }: { home: string }): FolderVerdict {
  const title = titleOf(error, folder);
  const trouble = { isError: true, needsSomeone: true };
  if (error.code === 'PROJECT_CONFLICT') return conflict(title, error, home);
  if (error.code === 'ADDRESS_MISMATCH') {
    const advice = error.message.replace(/ Nothing was done\.$/, '');
    const mismatch = { ...trouble, kind: 'mismatch', message: 'Nothing is done here.', advice };
    return { verdict: 'refused', title, summary: 'another server', troubles: [mismatch] };
  }
  const { summary, kind } = wordsOf(error);
  // Where in the config file it is follows what it is, as the row is short.
  const [, line, reason] = /^\S+config\.json:(\d+):\d+ (.*)$/.exec(error.message) ?? [];
  const said = (reason ?? error.message).replaceAll(home, '~');
  // The name of the person who dropped it comes first, as it is.
  const message = kind === 'dropped' ? said : sentence(said);
  const where = line === undefined ? '' : `Line ${line} of the config.`;
  const advice = [where, adviceOf(error)].filter((text) => text !== '').join(' ');
  return {
    verdict: kind === 'unreachable' ? 'unreachable' : 'refused',
    title,
    summary,
    troubles: [{ ...trouble, kind, message, advice }],
  };
}

/** What the hint says to people who click; commands to type are what the row's actions do. */
function adviceOf({ hint, details }: ErrorReport): string {
  const lastUsedAt = details?.['lastUsedAt'];
  if (typeof lastUsedAt === 'string') return `Last used on ${dayAndTime(lastUsedAt).split(',')[0] ?? ''}.`;
  return namesCommand(hint) ? '' : sentence(hint);
}
