import type { RegistryRow } from '../model.ts';

/** Longer than any creation takes that is still going on. */
const freshMs = 60_000;

/**
 * Whether somebody may be creating this project right now; if so, nobody else cleans up after it.
 *
 * @param now ISO 8601
 */
export function isFreshReservation(row: RegistryRow, now: string): boolean {
  return row.registrar.state === 'provisioning' && Date.parse(now) - Date.parse(row.createdAt) < freshMs;
}
