import type { WindowState } from '../windowState.ts';

/** The server that requires a password that the daemon does not have; null if there is none. */
export function missingPassword({ isTrusted, snapshot }: WindowState): string | null {
  if (!isTrusted || !snapshot) return null;
  const errors = [snapshot.error, ...snapshot.folders.map(({ resolution }) => resolution?.error ?? null)];
  const error = errors.find((found) => found?.code === 'CREDENTIALS_REQUIRED');
  // 28000: this user is not let in from here, whatever the password.
  if (!error || error.details?.['sqlState'] === '28000') return null;
  return snapshot.server?.address ?? 'your address';
}
