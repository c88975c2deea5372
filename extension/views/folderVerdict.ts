import { clockTime } from '../../daemon/protocol/clockTime.ts';
import type { Snapshot } from '../../daemon/protocol/control.ts';
import type { Resolution, Warning } from '../../daemon/protocol/model.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { objections, refusal } from './refusals.ts';
import type { FolderVerdict, Trouble } from './verdict.ts';
import { isServerDown, namesCommand, sentence } from './words.ts';
import { lastKnownText, stateWords } from '../../daemon/protocol/stateWords.ts';

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
    return { ...given, verdict: 'stale', summary: lastKnownText(resolution.sync, view.now) };
  }
  const { wouldDo } = resolution;
  if (wouldDo !== null && wouldDo.length > 0) {
    const message = `Still to do: ${wouldDo.join('; ')}.`;
    const rest = { kind: 'not-made', message, advice: 'Resolve Again does it.', isError: false, needsSomeone: true };
    return { ...given, verdict: 'unfinished', summary: 'not ready yet', troubles: [rest, ...troubles] };
  }
  if (resolution.sync?.state === 'parked') return { ...given, verdict: 'parked', summary: stateWords.parked };
  if (resolution.sync?.state === 'pending') {
    return { ...given, verdict: 'pending', summary: `ready, ${stateWords.pending}` };
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
  const message = 'Its database does not exist yet.';
  return {
    ...given,
    verdict: 'not-made',
    summary: 'not made yet',
    troubles: [{ kind: 'not-made', message, advice: wouldDo.join('; '), isError: false, needsSomeone: true }],
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
      // The row is about a refusal, so its room goes to the reason.
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
    const isDown = isServerDown(resolution.sync);
    const message = isDown ? `${address} does not answer; queries will fail.` : 'The registry could not be asked.';
    return { kind: 'stale', message, advice: sentence(warning.message), isError: false, needsSomeone: true };
  }
  return {
    kind: 'warning',
    message: sentence(warning.message.replaceAll(view.home, '~')),
    advice: namesCommand(warning.hint) ? '' : sentence(warning.hint),
    isError: false,
    needsSomeone: true,
  };
}
