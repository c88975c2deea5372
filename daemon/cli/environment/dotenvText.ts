/** The text between the equals sign and the end of the line, and how it is quoted. */
export type Quoting = 'none' | 'single' | 'double';

/**
 * Lines for a `.env` file.
 *
 * @returns also the names that were left out, because no quoting carries their values to every reader
 */
export function dotenvText(environment: Readonly<Record<string, string>>): { text: string; leftOut: string[] } {
  const values = Object.entries(environment).map(([name, value]) => ({ name, quoted: fileQuoted(value, 'single') }));
  return {
    text: values.flatMap(({ name, quoted }) => (quoted === null ? [] : `${name}=${quoted}`)).join('\n'),
    leftOut: values.filter(({ quoted }) => quoted === null).map(({ name }) => name),
  };
}

/**
 * A value as every reader of such files understands it: dotenv with and without dotenv-expand, Node, Next, Vite,
 * python-dotenv, Ruby's dotenv, direnv and shells. They disagree about `$` and escapes in double quotes; several expand `$`
 * in single quotes, too, python-dotenv takes two backslashes there for one, and direnv ends every value at the end of its
 * line.
 *
 * @param preferred the quoting to use where it serves
 * @returns null when none serves
 */
export function fileQuoted(value: string, preferred: Quoting): string | null {
  const order: Quoting[] = [preferred, 'single', 'double'];
  const quoting = order.find((candidate) => carriers[candidate].test(value));
  if (quoting === undefined) return null;
  return { none: value, single: `'${value}'`, double: `"${value}"` }[quoting];
}

const carriers: Record<Quoting, RegExp> = {
  none: /^[\w.:/@%+,-]+$/,
  single: /^(?:[^'$\\\r\n\0]|\\(?=[^\\]))*$/,
  double: /^[^"$`\\\r\n\0]*$/,
};
