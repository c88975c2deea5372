import type { WindowState } from '../windowState.ts';
import { folderVerdict } from './folderVerdict.ts';
import { objections } from './refusals.ts';

/** Why there is nothing to list; the manifest has a welcome for each. `none`: the tree is drawn. */
export type Welcome = 'none' | 'no-folder' | 'starting' | 'no-daemon' | 'not-chosen' | 'no-postgres' | 'no-project';

/** What stands in the view instead of an empty tree. */
export function welcomeOf(state: WindowState, view: { home: string; now: Date }): Welcome {
  const { folders, isTrusted, snapshot, daemonError } = state;
  const [first, ...others] = folders;
  if (!first) return 'no-folder';
  if (!isTrusted) return 'none';
  if (daemonError) return 'no-daemon';
  if (!snapshot) return 'starting';
  if (snapshot.error?.code === 'POSTGRES_NOT_CHOSEN') return 'not-chosen';
  if (snapshot.error && !snapshot.server && !objections.has(snapshot.error.code)) return 'no-postgres';
  const hasNone = folderVerdict(first, isTrusted, snapshot, view).verdict === 'no-project';
  return hasNone && others.length === 0 ? 'no-project' : 'none';
}
