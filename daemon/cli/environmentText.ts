import { shellWord } from '../protocol/commandText.ts';

/** Lines for `eval` in a POSIX shell. What `stale` names is unset first: the calling shell's own, which would win. */
export function shellText(environment: Readonly<Record<string, string>>, stale: readonly string[]): string {
  const unset = stale.length === 0 ? [] : [`unset ${stale.join(' ')}`];
  return [
    ...unset,
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value, 'sh')}`),
  ].join('\n');
}

/** Lines for a `.env` file. */
export function dotenvText(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${dotenvQuoted(value)}`)
    .join('\n');
}

/**
 * The caller's variables that would send a libpq client elsewhere: it prefers PGSERVICE and PGHOSTADDR to PGHOST, so one
 * that is left over from another project would win over the project's own.
 */
export function misleadingVariables(
  inherited: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string>>,
): string[] {
  return ['PGHOSTADDR', 'PGSERVICE'].filter((name) => inherited[name] !== undefined && !(name in environment));
}

/**
 * Readers of such files disagree about escapes and `$` inside double quotes and agree that single quotes are literal, so a
 * value that needs care stands in single quotes if it can.
 */
function dotenvQuoted(value: string): string {
  if (!/["\\$`\r\n]/.test(value)) return `"${value}"`;
  if (!value.includes("'")) return `'${value}'`;
  const escaped = value
    .replaceAll(/["\\$`]/g, String.raw`\$&`)
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`);
  return `"${escaped}"`;
}
