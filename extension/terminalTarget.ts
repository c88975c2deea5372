import type { WindowState } from './windowState.ts';

/** Whose database new terminals are for. */
export interface TerminalTarget {
  directory: string;
  project: string;
  /** Another one when the variables may be others. */
  key: string;
}

/**
 * What new terminals of a window are for: null for nobody's database, `unknown` while nobody can say, which leaves things
 * as they are.
 *
 * @param isEnabled what the setting says
 */
export function terminalTarget(
  { folders, isTrusted, snapshot }: WindowState,
  isEnabled: boolean,
): TerminalTarget | 'unknown' | null {
  const [only, ...others] = folders;
  // Terminals do not say which of several folders they are for before they are open.
  if (!isEnabled || !isTrusted || !only || others.length > 0) return null;
  const resolution = snapshot?.folders.find(({ path }) => path === only.path)?.resolution;
  if (!resolution || resolution.stale) return 'unknown';
  const { project, outcome, server, wouldDo } = resolution;
  if (outcome !== 'resolved' || !project || (wouldDo?.length ?? 0) > 0) return null;
  const key = JSON.stringify([project.id, project.databaseName, server, snapshot.daemon.started]);
  return { directory: only.path, project: project.name, key };
}
