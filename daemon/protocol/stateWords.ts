import { clockTime } from './clockTime.ts';
import type { SyncState } from './model.ts';

/** What people read of whether the registry knows a project, in the terminal and in VS Code. */
export const stateWords = {
  synced: 'registered',
  pending: 'not registered yet',
  parked: 'needs you',
} as const satisfies Record<SyncState['state'], string>;

/** What they read of an answer from memory. */
export function lastKnownText(sync: SyncState | null, now: Date): string {
  return sync?.since === undefined ? 'last known' : `last known ${clockTime(sync.since, now)}`;
}
