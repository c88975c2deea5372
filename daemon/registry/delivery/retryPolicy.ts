/** Delays between attempts, in milliseconds. */
export const retryDelays = { firstMs: 1000, ceilingMs: 60_000 } as const;

/**
 * Exponential backoff with full jitter, so that many daemons that lost the same registry do not come back at the same
 * instant.
 *
 * @param failures attempts that failed in a row, at least 1
 * @param random a number from 0 up to 1
 * @returns the delay before the next attempt in ms, never under a tenth of its range, so that a retry is never a busy
 *   loop
 */
export function retryDelayMs(failures: number, random: number): number {
  const range = Math.min(retryDelays.ceilingMs, retryDelays.firstMs * 2 ** Math.min(failures - 1, 16));
  return Math.round(range * (0.1 + 0.9 * random));
}
