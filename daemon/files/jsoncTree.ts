import { createScanner, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';

export interface SyntaxFault {
  /** Where, in UTF-16 units from the start of the text. */
  offset: number;
  /** What is wrong, as the end of a sentence that begins with the place. */
  message: string;
  hint: string;
}

export type JsoncTree = { ok: true; root: Node } | { ok: false; fault: SyntaxFault };

/** The parser recurses, so text of a million brackets would overflow the stack. */
const maxDepth = 100;

/**
 * Parses JSON with comments and trailing commas.
 *
 * @param text without byte order mark
 * @returns the tree with offsets, or the first fault
 */
export function parseJsoncTree(text: string): JsoncTree {
  const deep = offsetBeyondDepth(text);
  if (deep !== null) {
    const message = `nests deeper than ${maxDepth} levels`;
    return { ok: false, fault: { offset: deep, message, hint: 'Nest it less deeply.' } };
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const error = errors[0];
  if (root && !error) return { ok: true, root };
  if (!root) {
    return {
      ok: false,
      fault: {
        offset: 0,
        message: 'holds no JSON value',
        hint: 'Write { "version": "1.0", "project": { "name": "…" } } into it.',
      },
    };
  }
  const offset = error?.offset ?? 0;
  const words = faultWords[error ? printParseErrorCode(error.error) : ''] ?? {
    message: 'is not JSON',
    hint: 'Correct the JSON here.',
  };
  const cutOff = text.slice(offset).trim() === '' ? ' (the file ends here)' : '';
  return { ok: false, fault: { offset, message: words.message + cutOff, hint: words.hint } };
}

/** The first property whose key, among the given ones of its object, was there before: which of the two counts is unclear. */
export function findDuplicateKey(object: Node, keys: readonly string[]): Node | null {
  const seen = new Set<string>();
  for (const property of object.children ?? []) {
    const key = property.children?.[0]?.value as unknown;
    if (typeof key !== 'string' || !keys.includes(key)) continue;
    if (seen.has(key)) return property;
    seen.add(key);
  }
  return null;
}

/**
 * The plain value of a node. Unlike the parser's own function it makes a key `__proto__` an ordinary key, so that
 * nothing in the file is read as inherited.
 */
export function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value as unknown;
  return Object.fromEntries(
    (node.children ?? []).flatMap((property) => {
      const [key, value] = property.children ?? [];
      return key && value ? [[String(key.value), valueOf(value)] as const] : [];
    }),
  );
}

/** Line and column as editors count them: both from 1, columns in UTF-16 units. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

/** The offset of what `positionAt` gave; the end of the text for what lies behind it. */
export function offsetAt(text: string, { line, column }: { line: number; column: number }): number {
  const breaks = [...text.matchAll(/\r\n|\r|\n/g)];
  const previous = breaks[line - 2];
  return Math.min(text.length, (previous ? previous.index + previous[0].length : 0) + column - 1);
}

function offsetBeyondDepth(text: string): number | null {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return null;
    const first = text.charAt(offset);
    if (first === '{' || first === '[') depth += 1;
    else if (first === '}' || first === ']') depth -= 1;
    if (depth > maxDepth) return offset;
  }
}

const faultWords: Record<string, { message: string; hint: string }> = {
  InvalidSymbol: { message: 'has a word that is not JSON', hint: 'Put strings and keys in double quotes.' },
  InvalidNumberFormat: { message: 'has a number that is not JSON', hint: 'Correct the number.' },
  PropertyNameExpected: { message: 'lacks a key in double quotes', hint: 'Write a key in double quotes here.' },
  ValueExpected: { message: 'lacks a value', hint: 'Write a value here.' },
  ColonExpected: { message: 'lacks a colon after a key', hint: 'Write ":" between key and value.' },
  CommaExpected: { message: 'lacks a comma', hint: 'Write "," before this.' },
  CloseBraceExpected: { message: 'lacks a closing brace', hint: 'Write "}" here.' },
  CloseBracketExpected: { message: 'lacks a closing bracket', hint: 'Write "]" here.' },
  EndOfFileExpected: { message: 'continues after the end of its value', hint: 'Remove everything from here on.' },
  InvalidCommentToken: { message: 'has a malformed comment', hint: 'Begin comments with // or /*.' },
  UnexpectedEndOfComment: { message: 'has a comment that does not end', hint: 'Write "*/" where the comment ends.' },
  UnexpectedEndOfString: { message: 'has a string without a closing quote', hint: 'Write the closing double quote.' },
  UnexpectedEndOfNumber: { message: 'has an incomplete number', hint: 'Complete the number.' },
  InvalidUnicode: { message: 'has a broken \\u escape', hint: 'Write four hex digits after \\u.' },
  InvalidEscapeCharacter: { message: 'has an unknown escape', hint: 'Write \\\\ for a backslash.' },
  InvalidCharacter: {
    message: 'has a control character in a string',
    hint: 'Remove it, or write it as an escape such as \\t.',
  },
};
