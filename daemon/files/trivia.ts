// Steps over what means nothing in JSON with comments. The text is known to parse, so every comment has an end.

/** The first offset from `offset` on that is no space or tab. */
export function skipBlanks(text: string, offset: number): number {
  let end = offset;
  while (text.charAt(end) === ' ' || text.charAt(end) === '\t') end += 1;
  return end;
}

/** The offset of the comma that follows `offset` behind nothing but space and comments, or null. */
export function commaAfter(text: string, offset: number): number | null {
  let end = offset;
  for (;;) {
    const char = text.charAt(end);
    if (char === ',') return end;
    if (char !== '' && ' \t\r\n'.includes(char)) end += 1;
    else if (char === '/') end = commentEnd(text, end);
    else return null;
  }
}

/**
 * The comments that follow `offset` on its line.
 *
 * @returns the end of the last one that ends on this line, or `offset`; and whether that is a line comment, so that only
 *   a line break can follow it
 */
export function commentsOnLine(text: string, offset: number): { end: number; isLineComment: boolean } {
  let end = offset;
  for (;;) {
    const start = skipBlanks(text, end);
    if (text.charAt(start) !== '/') return { end, isLineComment: false };
    const next = commentEnd(text, start);
    if (text.charAt(start + 1) === '/') return { end: next, isLineComment: true };
    if (/[\r\n]/.test(text.slice(start, next))) return { end, isLineComment: false };
    end = next;
  }
}

/** The last line break between two offsets, or null. */
export function lastLineBreak(text: string, from: number, to: number): string | null {
  return (
    text
      .slice(from, to)
      .match(/\r\n|\r|\n/g)
      ?.at(-1) ?? null
  );
}

/** Whether a line break, or the end of the text, stands at an offset. */
export function lineEndsAt(text: string, offset: number): boolean {
  return offset >= text.length || '\r\n'.includes(text.charAt(offset));
}

/** The spaces and tabs with which the line of an offset begins. */
export function indentationAt(text: string, offset: number): string {
  let start = offset;
  while (start > 0 && !'\r\n'.includes(text.charAt(start - 1))) start -= 1;
  return text.slice(start, Math.min(skipBlanks(text, start), offset));
}

function commentEnd(text: string, start: number): number {
  if (text.charAt(start + 1) === '*') return text.indexOf('*/', start + 2) + 2;
  let end = start;
  while (!lineEndsAt(text, end)) end += 1;
  return end;
}
