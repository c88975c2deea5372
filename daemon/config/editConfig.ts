import { findNodeAtLocation } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';
import type { TextChange } from '../protocol/configProblems.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { withoutByteOrderMark } from './decodeConfig.ts';
import { parseJsoncTree, positionAt } from './jsoncTree.ts';
import { commaAfter, commentsOnLine, indentationAt, lastLineBreak, lineEndsAt, skipBlanks } from './trivia.ts';

export interface ConfigEdit {
  key: 'project.id' | 'project.name' | 'project.database_name';
  /** The new value; null removes the key. */
  value: string | null;
}

/** Any value of the file. */
export interface ValueEdit {
  /** Dotted; empty for the whole. */
  key: string;
  /** The new value; null removes the key. */
  value: unknown;
}

/** The keys after which a new one is put, first that is there; else it goes to the end. */
const predecessors: Record<string, readonly string[]> = {
  'project.id': ['name'],
  'project.database_name': ['id', 'name'],
};

/**
 * Sets or removes keys of `project` and leaves every other byte of the file as it is: comments, order, spaces, line ends,
 * byte order mark, trailing commas. A value that is already there in any spelling is left alone.
 *
 * The editing functions of jsonc-parser are not used because they format the whole lines that they touch.
 *
 * @param text of a config file that parses
 * @throws RegistrarError `CONFIG_INVALID` when it does not, or has no object `project`
 */
export function editConfigText(text: string, edits: readonly ConfigEdit[]): string {
  const body = withoutByteOrderMark(text);
  return text.slice(0, text.length - body.length) + edits.reduce(applyEdit, body);
}

/**
 * The smallest change of the text that makes these edits; null when they change nothing.
 *
 * @throws RegistrarError as `editConfigText`
 */
export function changeFor(text: string, edits: readonly ValueEdit[]): TextChange | null {
  const edited = edits.reduce(applyEdit, text);
  if (edited === text) return null;
  const shorter = Math.min(text.length, edited.length);
  let start = 0;
  while (start < shorter && text[start] === edited[start]) start += 1;
  let end = 0;
  while (end < shorter - start && text.at(-1 - end) === edited.at(-1 - end)) end += 1;
  return { offset: start, length: text.length - end - start, text: edited.slice(start, edited.length - end) };
}

function applyEdit(text: string, { key, value }: ValueEdit): string {
  const path = key.split('.');
  const last = path.pop() ?? '';
  if (key === '') return replaceRoot(text, value);
  const parent = objectAt(text, path);
  const property = propertyOf(parent, last);
  if (value === null) return property ? withoutProperty(text, parent, property) : text;
  const changes = property
    ? replacement(property, value)
    : insertion(text, parent, last, value, predecessors[key] ?? []);
  return applyChanges(text, changes);
}

function replaceRoot(text: string, value: unknown): string {
  const { offset, length } = rootOf(text);
  return applyChanges(text, [{ offset, length, text: JSON.stringify(value, null, 2) }]);
}

/**
 * Takes a property out of an object and leaves every other byte as it is, comments included.
 *
 * @param object and `property` are nodes of the text's tree, which `parseJsoncTree` gave
 */
export function withoutProperty(text: string, object: Node, property: Node): string {
  return applyChanges(text, removal(text, object, property));
}

function objectAt(text: string, path: readonly string[]): Node {
  const root = rootOf(text);
  const node = path.length === 0 ? root : findNodeAtLocation(root, [...path]);
  if (node?.type === 'object') return node;
  const what = path.length === 0 ? 'is no object' : `has no object "${path.join('.')}"`;
  throw cannotEdit(text, root.offset, what, 'Add "project": { "name": "…" }.');
}

function rootOf(text: string): Node {
  const tree = parseJsoncTree(text);
  if (tree.ok) return tree.root;
  throw cannotEdit(text, tree.fault.offset, tree.fault.message, tree.fault.hint);
}

function cannotEdit(text: string, offset: number, what: string, hint: string): RegistrarError {
  const { line, column } = positionAt(text, offset);
  return new RegistrarError({
    code: 'CONFIG_INVALID',
    message: `The config file, ${line}:${column}, ${what}.`,
    hint,
    details: { line, column },
  });
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

function applyChanges(text: string, changes: readonly TextChange[]): string {
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
