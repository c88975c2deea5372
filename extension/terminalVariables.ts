import { libpqVariables } from '../daemon/protocol/libpqVariables.ts';

/** What means "not set" where libpq treats an empty value as wrong. */
const defaults: Readonly<Record<string, string>> = {
  PGSSLMODE: 'prefer',
  PGTARGETSESSIONATTRS: 'any',
  PGCHANNELBINDING: 'prefer',
  PGGSSENCMODE: 'prefer',
  PGCONNECT_TIMEOUT: '0',
  // These are settings of the session, and libpq sends none for this word.
  PGDATESTYLE: 'default',
  PGTZ: 'default',
  PGGEQO: 'default',
};

/**
 * The variables of a terminal for a project. A terminal's variables can be given values and cannot be removed, so those of
 * libpq that it would inherit, some of which win over PGHOST, are made to say nothing. An empty PGSERVICE makes libpq fail,
 * which is better than the service's database under the project's name.
 *
 * @param environment as the daemon gives it
 * @param inherited those of VS Code, which its terminals begin with
 */
export function terminalVariables(
  environment: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const stale = libpqVariables.filter((name) => (inherited[name] ?? '') !== '');
  return { ...Object.fromEntries(stale.map((name) => [name, defaults[name] ?? ''])), ...environment };
}

/**
 * The whole environment of a psql for a project. It is not for adding to that of the window: the project there, whose
 * variables may be in its terminals, can be another one.
 */
export function psqlEnvironment(
  environment: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept = Object.entries(inherited).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !libpqVariables.includes(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...environment };
}
