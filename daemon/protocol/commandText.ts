import { hasUnseen, visible } from './visibleText.ts';

/** Whose rules of quoting count: every POSIX shell and fish have the same for what is written here. */
export type Shell = 'sh' | 'powershell';

/** The shell in which people of this machine paste what they copy. */
export const shellHere: Shell = process.platform === 'win32' ? 'powershell' : 'sh';

/**
 * A command line that can be pasted as it is: every word arrives as it was given, whatever it is made of. This is the
 * one place that quotes for a shell.
 *
 * A word with characters that nobody sees is not pasted: it would not be what it looks like, and a line break runs what
 * stands before it. `…` stands in its place, which names nothing, and the word follows in brackets, escaped.
 */
export function commandText(words: readonly string[], shell: Shell = shellHere): string {
  const line = words.map((word) => (hasUnseen(word) ? '…' : shellWord(word, shell))).join(' ');
  const hidden = words.filter(hasUnseen).map((word) => inert(word));
  return hidden.length === 0 ? line : `${line} (… cannot be pasted: ${hidden.join(' ')})`;
}

/**
 * A `registrar` command line. Names may begin with a dash, so they are told from options: those after `--`, values
 * after `=`.
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
 * Quotes only what needs it. `=` at the beginning is zsh's, `%` an old fish's, and `~` would be replaced by everyone.
 * Backslashes stand outside the quotes, because inside of single quotes fish takes them otherwise than sh.
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

/** PowerShell takes typographic quotes for quotes, and a bare `--` for its own. */
function powershellWord(word: string): string {
  const isPlain = /^[\w./\\:+-][\w./\\:+=-]*$/.test(word) && word !== '--';
  return isPlain ? word : `'${word.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/** For reading only; in single quotes and without any inside, no shell would run a part of it. */
function inert(word: string): string {
  return `'${visible(word).replaceAll("'", String.raw`\u0027`)}'`;
}
