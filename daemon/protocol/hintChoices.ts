/** One of the ways out that a hint names. */
export interface HintChoice {
  /** What to type, and nothing else, so that it can be pasted. */
  command: string;
  /** What it means, in a few words; null if the command says it. */
  why: string | null;
}

/**
 * The ways out of a hint such as `registrar init shop-2 --local (a database of its own) | registrar use shop`.
 *
 * @returns none for a hint that is a sentence, or that has only one way out
 */
export function hintChoices(hint: string): HintChoice[] {
  const parts = hint.split(' | ');
  if (parts.length < 2 || parts[0]?.startsWith('registrar ') !== true) return [];
  const choices = parts.map((part) => {
    const [, command, why = null] = /^([^()]+?)(?: \(([^()]+)\))?$/.exec(part) ?? [];
    return command === undefined ? null : { command, why };
  });
  return choices.every((choice) => choice !== null) ? choices : [];
}
