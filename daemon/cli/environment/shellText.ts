import { libpqVariables } from '../../protocol/libpqVariables.ts';

export const shells = ['sh', 'fish', 'powershell'] as const;
/** `sh` stands for every shell of its family: bash, zsh, dash, and direnv's. */
export type Shell = (typeof shells)[number];

/**
 * Lines that give a shell these variables. Every other variable of libpq's is removed first: the calling shell's own would
 * win over them.
 */
export function shellText(environment: Readonly<Record<string, string>>, shell: Shell): string {
  const { remove, set } = languages[shell];
  const stale = libpqVariables.filter((name) => !(name in environment));
  const lines = [remove(stale), ...Object.entries(environment).map(([name, value]) => set(name, value))];
  // The semicolons are for `eval $(…)`, in which a shell makes one line of all.
  return lines.map((line) => `${line};`).join('\n');
}

/**
 * Lines that fail, and leave a shell in which no client reaches any database. A variable that is merely unset would let an
 * app fill in the one of its own `.env`, and psql its default.
 */
export function refusedText(shell: Shell): string {
  return `${shellText({ PGHOST: 'refused.invalid', DATABASE_URL: 'postgresql://refused.invalid/registrar' }, shell)}\n${languages[shell].fail}`;
}

interface ShellLanguage {
  remove: (names: readonly string[]) => string;
  set: (name: string, value: string) => string;
  /** Last, because `eval` and `source` return the status of the last command. */
  fail: string;
}

const languages: Record<Shell, ShellLanguage> = {
  sh: {
    remove: (names) => `unset ${names.join(' ')}`,
    set: (name, value) => `export ${name}=${shellQuoted(value)}`,
    fail: 'false',
  },
  fish: {
    // One that is not set gives a status, which `set` would pass on.
    remove: (names) => `set -e ${names.join(' ')}; or true`,
    set: (name, value) => `set -gx ${name} '${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`,
    fail: 'false',
  },
  powershell: {
    remove: (names) => `Remove-Item -ErrorAction Ignore ${names.map((name) => `Env:${name}`).join(', ')}`,
    // Typographic quotation marks end a string as well: about_Quoting_Rules.
    set: (name, value) => `$env:${name} = '${value.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`,
    fail: "throw 'registrar env was refused'",
  },
};

function shellQuoted(value: string): string {
  // For zsh, a word behind an equals sign may name a program.
  return /^[\w@%+:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
