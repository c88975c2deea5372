import { hasUnseen, visible } from './visibleText.ts';

/** Whose quoting rules apply. For what is written here, all POSIX shells and fish have the same rules. */
export type Shell = 'sh' | 'powershell';

/** The shell into which people on this machine paste commands. */
export const shellHere: Shell = process.platform === 'win32' ? 'powershell' : 'sh';

/**
 * A command line that can be pasted as it is: every word arrives exactly as given. This is the only place that quotes
 * for a shell.
 *
 * A word with invisible characters is not pasted: it would not be what it looks like, and a line break would run
 * everything before it. `…`, which names nothing, takes its place, and the word follows in brackets, escaped.
 */
export function commandText(words: readonly string[], shell: Shell = shellHere): string {
  const line = words.map((word) => (hasUnseen(word) ? '…' : shellWord(word, shell))).join(' ');
  const hidden = words.filter(hasUnseen).map((word) => inert(word));
  return hidden.length === 0 ? line : `${line} (… cannot be pasted: ${hidden.join(' ')})`;
}

/**
 * A `registrar` command line. Names may begin with a dash, so they are separated from options: arguments follow `--`,
 * option values follow `=`.
 *
 * @param command with its subcommand, such as `projects rename`
 */
export function registrarCommand(
  command: string,
  operands: readonly string[] = [],
  options: CommandOptions = {},
  shell: Shell = shellHere,
): string {
  const words = optionWords(options);
  const isLikeOption = operands.some((operand) => operand.startsWith('-'));
  const after = isLikeOption ? [...words, '--', ...operands] : [...operands, ...words];
  return commandText(['registrar', ...command.split(' '), ...after], shell);
}

/** Values by the names of their options, without dashes; `true` for a flag; those that are undefined were not given. */
export type CommandOptions = Readonly<Record<string, string | true | undefined>>;

/** Options as words of a command line. */
export function optionWords(options: CommandOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (value === true) return [`--${name}`];
    return value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value];
  });
}

/** One word, quoted so that the shell gives back exactly this; for what a shell reads rather than a person. */
export function shellWord(word: string, shell: Shell): string {
  return shell === 'powershell' ? powershellWord(word) : shWord(word);
}

/**
 * Quotes only what needs it. A leading `=` means something to zsh, `%` to an old fish, and `~` to every shell.
 * Backslashes stay outside the quotes, because fish reads them differently from sh inside single quotes.
 */
function shWord(word: string): string {
  if (word === '') return "''";
  return (word.match(/\\|[^\\]+/g) ?? [])
    .map((part, index) => {
      if (part === '\\') return String.raw`\\`;
      const isPlain = /^[\w@%+=:,./-]+$/.test(part) && !(index === 0 && /^[=%]/.test(part));
      return isPlain ? part : `'${part.replaceAll("'", String.raw`'\''`)}'`;
    })
    .join('');
}

/** PowerShell treats typographic quotes as quotes, and a bare `--` as its own. */
function powershellWord(word: string): string {
  const isPlain = /^[\w./\\:+-][\w./\\:+=-]*$/.test(word) && word !== '--';
  return isPlain ? word : `'${word.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/** For reading only; in single quotes, and with none inside, no shell would run any part of it. */
function inert(word: string): string {
  return `'${visible(word).replaceAll("'", String.raw`\u0027`)}'`;
}
