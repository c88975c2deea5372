import type { ChosenPostgres } from '../cli/cliContext.ts';
import { addressLabel, parseAddress } from '../postgres/address/address.ts';
import { withoutPassword } from '../postgres/address/connectionString.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import type { Settings } from '../protocol/settings.ts';

/** Which PostgreSQL a daemon would serve that is started now, by environment and settings. */
export function chosenPostgres(
  environment: NodeJS.ProcessEnv,
  postgres: Settings['postgres'],
): Omit<ChosenPostgres, 'daemon'> {
  const given = environment['REGISTRAR_DATABASE_URL'] ?? '';
  if (given !== '') {
    return { chosen: 'environment', address: addressLabel(parseAddress(given, environment, localSurroundings())) };
  }
  if (!postgres) return { chosen: null, address: null };
  return postgres.kind === 'bundled'
    ? { chosen: 'bundled', address: null }
    : { chosen: 'url', address: withoutPassword(postgres.url) };
}
