import type { SyncStatus } from '../protocol/methods.ts';

/** The state of deliveries as a model reads it. */
export function syncText({ pending, parked, lastError }: SyncStatus): string {
  if (pending.length + parked.length === 0) return 'Everything is registered.';
  return [
    ...pending.map(
      ({ name, error }) => `${name}: not registered yet (${error.message}); retried by itself. No action.`,
    ),
    ...parked.map(({ name, error }) => `${name}: needs the user (${error.message}); they decide in VS Code.`),
    ...(lastError === null ? [] : [`Last error: ${lastError.message} at ${lastError.at}.`]),
  ].join('\n');
}
