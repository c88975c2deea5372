/**
 * Characters that a reader does not see, or that change what a reader sees: control characters (which terminals obey),
 * characters that change the direction of text, zero-width characters, line and paragraph separators, halves of
 * surrogate pairs.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/u;
const everyUnseen = new RegExp(unseen.source, 'gu');

/** Whether the text contains a character that a reader does not see, so that it is not what it looks like. */
export function hasUnseen(text: string): boolean {
  return unseen.test(text);
}

/** The text on one line, with JSON's escape, such as `\u001b`, for everything in it that a reader would not see. */
export function visible(text: string): string {
  return text.replace(everyUnseen, (character) =>
    Array.from({ length: character.length }, (_, index) => unitEscape(character.charCodeAt(index))).join(''),
  );
}

/**
 * Somebody else's text inside a sentence of ours: a JSON string on one line, so that it is visible where it begins and
 * ends, and neither a person nor an agent takes it for our own words.
 */
export function quoted(text: string): string {
  const short = text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
  return visible(JSON.stringify(short));
}

/** A path, a database or an address: as it is if it is evidently one word, else quoted. */
export function named(text: string): string {
  return /^[\p{L}\p{N}_./\\:@+~,[\]-]+$/u.test(text) && text.length <= maxQuoted ? text : quoted(text);
}

/** How many characters of somebody else's text are repeated. A longer path is cut after that many. */
const maxQuoted = 500;

function unitEscape(unit: number): string {
  return String.raw`\u${unit.toString(16).padStart(4, '0')}`;
}
