import { clockTime } from '../../daemon/protocol/clockTime.ts';
import type { ErrorCode } from '../../daemon/protocol/codes.ts';
import type { Snapshot } from '../../daemon/protocol/control.ts';
import type { Resolution, Warning } from '../../daemon/protocol/model.ts';
import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { conflict } from './conflictVerdict.ts';
import type { FolderVerdict, Trouble } from './verdict.ts';
import { sentence } from './words.ts';

interface View {
  home: string;
  now: Date;
}

/** What to say about a folder, before anything is drawn. */
export function folderVerdict(
  folder: WorkspaceFolder,
  isTrusted: boolean,
  snapshot: Snapshot | null,
  view: View,
): FolderVerdict {
  if (!isTrusted) {
    const trouble = { kind: 'restricted', message: 'Nothing is created or written.', advice: 'Restricted Mode' };
    return {
      verdict: 'restricted',
      title: folder.name,
      summary: 'restricted',
      troubles: [{ ...trouble, isError: false, needsSomeone: false }],
    };
  }
  if (snapshot?.error && objections.has(snapshot.error.code)) return refusal(folder, snapshot.error, view);
  const state = snapshot?.folders.find(({ path }) => path === folder.path);
  if (!state?.resolution) return { verdict: 'waiting', title: folder.name, summary: 'looking …', troubles: [] };
  const { resolution } = state;
  const { project } = resolution;
  if (resolution.error && resolution.outcome === 'refused') return refusal(folder, resolution.error, view);
  if (!project) return withoutProject(folder, resolution);
  const troubles = resolution.warnings.map((warning) => troubleOf(warning, resolution, snapshot, view));
  const given = { title: project.name, troubles };
  if (resolution.stale) {
    const since = resolution.sync?.since;
    const summary = since === undefined ? 'last known' : `last known ${clockTime(since, view.now)}`;
    return { ...given, verdict: 'stale', summary };
  }
  const { wouldDo } = resolution;
  if (wouldDo !== null && wouldDo.length > 0) {
    const message = `To be done: ${wouldDo.join('; ')}.`;
    const rest = { kind: 'not-made', message, advice: 'Resolve Again does it.', isError: false, needsSomeone: true };
    return { ...given, verdict: 'unfinished', summary: 'not ready yet', troubles: [rest, ...troubles] };
  }
  if (resolution.sync?.state === 'parked') return { ...given, verdict: 'parked', summary: 'needs you' };
  if (resolution.sync?.state === 'pending') {
    return { ...given, verdict: 'pending', summary: 'ready, not registered yet' };
  }
  return { ...given, verdict: 'ready', summary: `${project.databaseName} · ready` };
}

function withoutProject(folder: WorkspaceFolder, { wouldDo, error }: Resolution): FolderVerdict {
  const given = { title: folder.name };
  if (wouldDo === null || wouldDo.length === 0) {
    const hasConfig = error !== null && error.code !== 'UNRESOLVED';
    const message = 'Agents get no database here.';
    const advice = 'Initialize a project, or use an existing one.';
    return {
      ...given,
      verdict: 'no-project',
      summary: hasConfig ? 'unresolved' : 'no project',
      troubles: [{ kind: 'no-project', message, advice, isError: false, needsSomeone: false }],
    };
  }
  const message = 'Its database is not made yet.';
  return {
    ...given,
    verdict: 'not-made',
    summary: 'not made yet',
    troubles: [{ kind: 'not-made', message, advice: wouldDo.join('; '), isError: false, needsSomeone: true }],
  };
}

/** What each refusal is called behind the folder's name. */
const refusalWords: Partial<Record<ErrorCode, string>> = {
  CONFIG_INVALID: 'config has an error',
  CONFIG_UNREADABLE: 'config cannot be read',
  CONFIG_NOT_TRUSTED: 'not trusted',
  CONFIG_CHANGED: 'config is being changed',
  NAME_INVALID: 'name cannot be used',
  DATABASE_NAME_INVALID: 'database name cannot be used',
  PROJECT_NOT_FOUND: 'project not found',
  PROJECT_MISMATCH: 'another project',
  PROJECT_FORGOTTEN: 'forgotten',
  PROJECT_DROPPED: 'dropped',
  DATABASE_MISSING: 'database is missing',
  DATABASE_FOREIGN: 'database is not its own',
  MARKER_MISSING: 'database carries no marker',
  PROVISION_FAILED: 'database could not be made',
  REGISTRY_UNREACHABLE: 'server does not answer',
  REGISTRY_BUSY: 'registry is busy',
  SERVER_FULL: 'server is full',
  DISK_FULL: 'server’s disk is full',
  REGISTRY_READ_ONLY: 'server is read-only',
  REGISTRY_FORBIDDEN: 'permission is missing',
  CREDENTIALS_REQUIRED: 'password needed',
};

/** What keeps the whole window from being answered, and is said at each folder. */
export const objections: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ADDRESS_MISMATCH']);

const kinds: Partial<Record<ErrorCode, string>> = {
  REGISTRY_UNREACHABLE: 'unreachable',
  CREDENTIALS_REQUIRED: 'credentials',
};

/** Refusals that a look at the config file explains. */
const configCodes: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'NAME_INVALID',
  'DATABASE_NAME_INVALID',
  'DATABASE_MISSING',
  'DATABASE_FOREIGN',
];

function refusal(folder: WorkspaceFolder, error: ErrorReport, { home }: View): FolderVerdict {
  const claimed = typeof error.details?.['name'] === 'string' ? error.details['name'] : folder.name;
  const trouble = { isError: true, needsSomeone: true };
  if (error.code === 'PROJECT_CONFLICT') return conflict(claimed, error, home);
  if (error.code === 'ADDRESS_MISMATCH') {
    const advice = error.message.replace(/ Nothing was done\.$/, '');
    const mismatch = { ...trouble, kind: 'mismatch', message: 'Nothing is done here.', advice };
    return { verdict: 'refused', title: claimed, summary: 'another server', troubles: [mismatch] };
  }
  const isUnreachable = error.code === 'REGISTRY_UNREACHABLE';
  const canAdopt = (error.details?.['choices'] as string[] | undefined)?.includes('adopt') ?? false;
  const isConfig = configCodes.includes(error.code);
  const kind = canAdopt ? 'adoptable' : isConfig ? 'config-error' : (kinds[error.code] ?? 'refused');
  // Where in the config file it is follows what it is, as the row is short.
  const [, line, reason] = /^\S+config\.json:(\d+):\d+ (.*)$/.exec(error.message) ?? [];
  const message = sentence((reason ?? error.message).replaceAll(home, '~'));
  const advice = line === undefined ? sentence(error.hint) : `Line ${line} of the config. ${sentence(error.hint)}`;
  return {
    verdict: isUnreachable ? 'unreachable' : 'refused',
    title: claimed,
    summary: refusalWords[error.code] ?? 'refused',
    troubles: [{ ...trouble, kind, message, advice }],
  };
}

function troubleOf(warning: Warning, resolution: Resolution, snapshot: Snapshot | null, view: View): Trouble {
  const reason = resolution.sync?.error?.message ?? warning.message;
  if (warning.code === 'PENDING') {
    const entry = snapshot?.sync?.pending.find(({ id }) => id === resolution.project?.id);
    const next = entry?.nextAttemptAt ?? resolution.sync?.error?.nextAttemptAt;
    const when = next ? `; next try ${clockTime(next, view.now)}` : '';
    return {
      kind: 'pending',
      // That it was refused is what the row is about; why is what it has room for.
      message: sentence(reason.replace(/^(the )?registry refused the row: /, '')),
      advice: `Safe on this machine${when}`,
      isError: false,
      needsSomeone: false,
    };
  }
  if (warning.code === 'PARKED') {
    const advice = 'Use that project, rename this one, or give it up';
    return { kind: 'parked', message: sentence(reason), advice, isError: false, needsSomeone: true };
  }
  if (warning.code === 'STALE') {
    const address = resolution.server?.address ?? 'The server';
    const isDown = warning.message.includes('queries will fail');
    const message = isDown ? `${address} does not answer; queries will fail.` : 'The registry could not be asked.';
    return { kind: 'stale', message, advice: sentence(warning.message), isError: false, needsSomeone: true };
  }
  return {
    kind: 'warning',
    message: sentence(warning.message.replaceAll(view.home, '~')),
    advice: sentence(warning.hint),
    isError: false,
    needsSomeone: true,
  };
}
