import type { Resolution } from '../daemon/protocol/model.ts';
import type { ErrorReport } from '../daemon/protocol/registrarError.ts';
import type { WindowState, WorkspaceFolder } from './windowState.ts';

/** Which project's database new terminals get. */
export interface TerminalTarget {
  folder: WorkspaceFolder;
  project: string;
  /** Changes when the variables may have changed. */
  key: string;
}

/**
 * What new terminals of a window get: null for no database, `unknown` while it is not known, which leaves things as
 * they are.
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
  if (!resolution) return 'unknown';
  const { project, outcome, server, stale, wouldDo } = resolution;
  if (outcome !== 'resolved' || !project || (wouldDo?.length ?? 0) > 0) return null;
  const key = JSON.stringify([project.id, project.databaseName, server, stale, snapshot.daemon.started]);
  return { folder: only, project: project.name, key };
}

/** Why terminals of a window get no database, though its folder names a project; null when that is not so. */
export function terminalRefusal(
  { folders, isTrusted, snapshot }: WindowState,
  isEnabled: boolean,
): { folder: WorkspaceFolder; resolution: Resolution; error: ErrorReport } | null {
  const [folder, ...others] = folders;
  if (!isEnabled || !isTrusted || !folder || others.length > 0) return null;
  const resolution = snapshot?.folders.find(({ path }) => path === folder.path)?.resolution;
  if (resolution?.outcome !== 'refused' || !resolution.error) return null;
  return { folder, resolution, error: resolution.error };
}
