import { findNodeAtLocation } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';
import type { TextChange } from '../protocol/configProblems.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { withoutByteOrderMark } from '../files/decodeText.ts';
import { applyChanges, propertyOf, withoutProperty, withProperty } from '../files/jsoncEdit.ts';
import { parseJsoncTree, positionAt } from '../files/jsoncTree.ts';

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

/** A new key goes after the first of these that exists, otherwise to the end. */
const predecessors: Record<string, readonly string[]> = {
  'project.id': ['name'],
  'project.database_name': ['id', 'name'],
};

/**
 * Sets or removes keys of `project` and leaves every other byte of the file as it is: comments, order, spaces, line ends,
 * byte order mark, trailing commas. A value that is already there in any spelling is left alone.
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
  return withProperty(text, parent, last, value, predecessors[key]);
}

function replaceRoot(text: string, value: unknown): string {
  const { offset, length } = rootOf(text);
  return applyChanges(text, [{ offset, length, text: JSON.stringify(value, null, 2) }]);
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
