import type { SyncStatus } from '../../protocol/answers.ts';
import { named, visible } from '../../protocol/visibleText.ts';

/** The state of deliveries as a model reads it. */
export function syncText({ pending, parked, lastError }: SyncStatus): string {
  if (pending.length + parked.length === 0) return 'Everything is registered.';
  return [
    ...pending.map(
      ({ name, error }) =>
        `${named(name)}: not registered yet (${visible(error.message)}); retried by itself. No action.`,
    ),
    ...parked.map(
      ({ name, error }) => `${named(name)}: needs the user (${visible(error.message)}); they decide in VS Code.`,
    ),
    ...(lastError === null ? [] : [`Last error: ${visible(lastError.message)} at ${lastError.at}.`]),
  ].join('\n');
}
