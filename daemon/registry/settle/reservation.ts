import type { RegistryRow } from '../model.ts';

/** Longer than any creation that is still going on takes. */
const freshMs = 60_000;

/**
 * Whether somebody may be making this project at the moment: then nobody else tidies up after it.
 *
 * @param now ISO 8601
 */
export function isFreshReservation(row: RegistryRow, now: string): boolean {
  return row.registrar.state === 'provisioning' && Date.parse(now) - Date.parse(row.createdAt) < freshMs;
}
