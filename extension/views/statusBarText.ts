import { visible } from '../../daemon/protocol/visibleText.ts';
import type { WindowState } from '../windowState.ts';
import { folderVerdict } from './folderVerdict.ts';
import type { FolderVerdict, Verdict } from './verdict.ts';
import { labelText } from './inertText.ts';
import { stateWords } from '../../daemon/protocol/stateWords.ts';

export interface StatusBarText {
  text: string;
  tooltip: string;
  /** Colours the item: `error` only while work is blocked. */
  severity: 'none' | 'warning' | 'error';
  accessibilityLabel: string;
}

const texts: Record<Verdict, ((title: string, summary: string) => string) | null> = {
  waiting: null,
  'no-project': null,
  ready: (title) => `$(database) ${title}`,
  pending: (title) => `$(database) ${title} $(sync)`,
  parked: (title) => `$(warning) ${title}: ${stateWords.parked}`,
  stale: (title) => `$(database) ${title} (offline)`,
  conflict: (title) => `$(error) ${title}: conflict`,
  restricted: () => '$(shield) restricted',
  'not-made': (title) => `$(circle-outline) ${title}: not made yet`,
  unfinished: (title) => `$(circle-outline) ${title}: not ready yet`,
  unreachable: (title) => `$(debug-disconnect) ${title} (offline)`,
  refused: (title, summary) => `$(error) ${title}: ${summary}`,
};

const severities: Partial<Record<Verdict, StatusBarText['severity']>> = {
  parked: 'warning',
  stale: 'warning',
  unreachable: 'error',
  conflict: 'error',
  refused: 'error',
};

/**
 * The one status bar item, for the folder that somebody works in.
 *
 * @param folderPath of the active editor's folder; the window's first when it is in none
 * @returns null while there is nothing to say
 */
export function statusBarText(
  state: WindowState,
  folderPath: string | null,
  view: { home: string; now: Date },
): StatusBarText | null {
  const folder = state.folders.find(({ path }) => path === folderPath) ?? state.folders[0];
  if (!folder) return null;
  if (state.isTrusted && state.daemonError) {
    const { message } = state.daemonError;
    return { text: '$(error) Registrar', tooltip: visible(message), severity: 'error', accessibilityLabel: message };
  }
  if (state.isTrusted && state.snapshot?.error?.code === 'POSTGRES_NOT_CHOSEN') {
    const words = 'Registrar: choose PostgreSQL';
    return { text: `$(plug) ${words}`, tooltip: words, severity: 'none', accessibilityLabel: words };
  }
  const verdict = folderVerdict(folder, state.isTrusted, state.snapshot, view);
  const text = texts[verdict.verdict]?.(labelText(cut(verdict.title)), verdict.summary);
  if (text === undefined) return null;
  return {
    text,
    tooltip: tooltipOf(verdict),
    severity: severities[verdict.verdict] ?? 'none',
    accessibilityLabel: `Registrar: ${visible(verdict.title)}, ${visible(verdict.summary).replaceAll(' · ', ', ')}`,
  };
}

function tooltipOf({ title, summary, troubles }: FolderVerdict): string {
  return [`${title}: ${summary}`, ...troubles.map(({ message, advice }) => `${message} ${advice}`)]
    .map(visible)
    .join('\n');
}

/** The bar is shared with others; the tooltip has the whole. */
function cut(title: string): string {
  return title.length > 60 ? `${title.slice(0, 59)}…` : title;
}
