import type { Node } from 'jsonc-parser';
import type { TextChange } from '../protocol/configProblems.ts';
import { commaAfter, commentsOnLine, indentationAt, lastLineBreak, lineEndsAt, skipBlanks } from './trivia.ts';

/**
 * Sets a property of an object and leaves every other byte as it is, comments included.
 *
 * The editing functions of jsonc-parser are not used because they format the whole lines that they touch.
 *
 * @param object a node of the text's tree, which `parseJsoncTree` gave
 * @param after the keys behind which a new property is put, first that is there; else it goes to the end
 */
export function withProperty(
  text: string,
  object: Node,
  key: string,
  value: unknown,
  after: readonly string[] = [],
): string {
  const property = propertyOf(object, key);
  return applyChanges(text, property ? replacement(property, value) : insertion(text, object, key, value, after));
}

/**
 * Takes a property out of an object and leaves every other byte as it is, comments included.
 *
 * @param object and `property` are nodes of the text's tree, which `parseJsoncTree` gave
 */
export function withoutProperty(text: string, object: Node, property: Node): string {
  return applyChanges(text, removal(text, object, property));
}

function replacement(property: Node, value: unknown): TextChange[] {
  const node = property.children?.[1];
  if (!node || node.value === value) return [];
  return [{ offset: node.offset, length: node.length, text: JSON.stringify(value) }];
}

function insertion(text: string, object: Node, key: string, value: unknown, after: readonly string[]): TextChange[] {
  const previous = after.map((name) => propertyOf(object, name)).find(Boolean) ?? object.children?.at(-1);
  if (!previous) return [insertionIntoEmpty(text, object, key, value)];

  const end = endOf(previous);
  const comma = commaAfter(text, end);
  const fromComma = comma === null ? end : comma + 1;
  // Comments behind the previous property that end its line are about that property: they stay with it.
  const comments = commentsOnLine(text, fromComma);
  const afterComments = skipBlanks(text, comments.end);
  const stay = lineEndsAt(text, afterComments) || text.charAt(afterComments) === '}';

  const colon = colonOf(text, previous);
  const lineBreak =
    lastLineBreak(text, startOfGapBefore(object, previous), previous.offset) ??
    (comments.isLineComment ? lastLineBreak(text, object.offset, endOf(object)) : null);
  const separator =
    lineBreak === null ? colon.slice(colon.indexOf(':') + 1) : lineBreak + indentationAt(text, previous.offset);
  const content = separator + JSON.stringify(key) + colon + JSON.stringify(value);
  return [
    ...(comma === null ? [{ offset: end, length: 0, text: ',' }] : []),
    { offset: stay ? comments.end : fromComma, length: 0, text: comma === null ? content : `${content},` },
  ];
}

function insertionIntoEmpty(text: string, object: Node, key: string, value: unknown): TextChange {
  const lineBreak = lastLineBreak(text, object.offset, endOf(object));
  const indentUnit = /[\r\n]([ \t]+)[^ \t\r\n]/.exec(text)?.[1] ?? '  ';
  const separator = lineBreak === null ? '' : lineBreak + indentationAt(text, object.offset) + indentUnit;
  return {
    offset: object.offset + 1,
    length: 0,
    text: `${separator}${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  };
}

function removal(text: string, object: Node, property: Node): TextChange[] {
  const end = endOf(property);
  const comma = commaAfter(text, end);
  const changes: TextChange[] = [];
  if (comma === null) {
    // The last property takes the comma before it along, since not every reader allows one before the brace.
    const commaBefore = commaAfter(text, startOfGapBefore(object, property));
    if (commaBefore !== null) changes.push({ offset: commaBefore, length: 1, text: '' });
  } else if (text.slice(end, comma).trim() !== '') {
    // A comment between the value and its comma stays.
    return [
      { offset: property.offset, length: property.length, text: '' },
      { offset: comma, length: 1, text: '' },
    ];
  }

  const rest = comma === null ? end : comma + 1;
  const blanksBefore = /(?:\r\n|\r|\n)?[ \t]*$/.exec(text.slice(object.offset, property.offset))?.[0] ?? '';
  const beginsLine = /[\r\n]/.test(blanksBefore);
  // What follows on the line must not move up behind a line comment, so a line goes only when it is the property's own.
  const keepBlanksBefore = !lineEndsAt(text, skipBlanks(text, rest)) && (beginsLine || comma !== null);
  const from = keepBlanksBefore ? property.offset : property.offset - blanksBefore.length;
  const to = keepBlanksBefore ? skipBlanks(text, rest) : rest;
  return [...changes, { offset: from, length: to - from, text: '' }];
}

/** Applies changes that stand in the order of the text. */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  let edited = '';
  let offset = 0;
  for (const change of changes) {
    edited += text.slice(offset, change.offset) + change.text;
    offset = change.offset + change.length;
  }
  return edited + text.slice(offset);
}

/** The first property of this name. */
export function propertyOf(object: Node, key: string): Node | undefined {
  return object.children?.find((property) => property.children?.[0]?.value === key);
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

/** Where the space, comments and comma before a property begin: the end of the one before it, or the opening brace. */
function startOfGapBefore(object: Node, property: Node): number {
  const siblings = object.children ?? [];
  const before = siblings[siblings.indexOf(property) - 1];
  return before ? endOf(before) : object.offset + 1;
}

/** The colon of a property with the blanks around it, to write the next one alike. */
function colonOf(text: string, property: Node): string {
  const [key, value] = property.children ?? [];
  const between = key && value ? text.slice(endOf(key), value.offset) : '';
  return /^[ \t]*:[ \t]*$/.test(between) ? between : ': ';
}
