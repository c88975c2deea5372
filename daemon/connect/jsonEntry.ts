import type { Node } from 'jsonc-parser';
import { withoutByteOrderMark } from '../files/decodeText.ts';
import { propertyOf, withoutProperty } from '../files/jsoncEdit.ts';
import { findDuplicateKey, parseJsoncTree, positionAt, valueOf } from '../files/jsoncTree.ts';
import { commentsOnLine, indentationAt, lastLineBreak, lineEndsAt, skipBlanks } from '../files/trivia.ts';
import { serverName } from '../protocol/agents.ts';
import type { AgentEntry } from '../protocol/agents.ts';
import type { EntryInsertion } from './entryInsertion.ts';
import { AgentTextFault } from './agentTextFault.ts';

/** As `findEntry`, in JSON with comments. */
export function findJsonEntry(text: string, serversKey: string): unknown {
  const { servers } = parse(withoutByteOrderMark(text), serversKey);
  const entry = servers && propertyOf(servers, serverName)?.children?.[1];
  return entry ? valueOf(entry) : undefined;
}

/** As `withEntry`. The entry comes first, because behind the last one there may be comments about that. */
export function withJsonEntry(text: string, serversKey: string, entry: AgentEntry): EntryInsertion {
  const body = withoutByteOrderMark(text);
  const mark = text.slice(0, text.length - body.length);
  const { root, servers } = parse(body, serversKey);
  const { offset, content } = root
    ? servers
      ? firstProperty(body, servers, serverName, entry)
      : firstProperty(body, root, serversKey, { [serverName]: entry })
    : { offset: body.length, content: `${JSON.stringify({ [serversKey]: { [serverName]: entry } }, null, 2)}\n` };
  return { text: mark + body.slice(0, offset) + content + body.slice(offset), inserted: content };
}

/** As `withoutEntry`, for an entry whose surroundings have changed. */
export function withoutJsonEntry(text: string, serversKey: string): string {
  const body = withoutByteOrderMark(text);
  const { servers } = parse(body, serversKey);
  const property = servers && propertyOf(servers, serverName);
  if (!property) return text;
  return text.slice(0, text.length - body.length) + withoutProperty(body, servers, property);
}

interface ParsedText {
  /** Null when there is nothing in the text. */
  root: Node | null;
  servers: Node | null;
}

function parse(body: string, serversKey: string): ParsedText {
  if (body.trim() === '') return { root: null, servers: null };
  const tree = parseJsoncTree(body);
  if (!tree.ok) throw fault(body, tree.fault.offset, tree.fault.message, tree.fault.hint);
  const { root } = tree;
  if (root.type !== 'object') throw fault(body, root.offset, 'holds no JSON object', 'Write {} into it.');
  const servers = propertyOf(root, serversKey)?.children?.[1] ?? null;
  if (servers && servers.type !== 'object') {
    throw fault(body, servers.offset, `has something other than an object as "${serversKey}"`, 'Write {} there.');
  }
  const duplicate = findDuplicateKey(root, [serversKey]) ?? (servers ? findDuplicateKey(servers, [serverName]) : null);
  if (duplicate) {
    const key = String(duplicate.children?.[0]?.value);
    throw fault(body, duplicate.offset, `has "${key}" twice`, 'Remove one of the two.');
  }
  return { root, servers };
}

function fault(body: string, offset: number, message: string, hint: string): AgentTextFault {
  const { line, column } = positionAt(body, offset);
  return new AgentTextFault(`, ${line}:${column}, ${message}`, hint);
}

/** The text that makes a property the first of an object, written as its surroundings are. */
function firstProperty(
  text: string,
  object: Node,
  key: string,
  value: Record<string, unknown>,
): { offset: number; content: string } {
  const first = object.children?.[0];
  const afterBrace = object.offset + 1;
  const comments = commentsOnLine(text, afterBrace).end;
  const opensLine = lineEndsAt(text, skipBlanks(text, comments));
  if (first && !opensLine) {
    // The first one stands beside the brace, so this one does, too.
    const blanks = text.slice(afterBrace, skipBlanks(text, afterBrace));
    return { offset: afterBrace, content: `${blanks}${JSON.stringify(key)}: ${JSON.stringify(value)},` };
  }
  const lineBreak = lastLineBreak(text, 0, text.length) ?? '\n';
  const outer = indentationAt(text, object.offset);
  const own = first ? indentationAt(text, first.offset) : '';
  const unit = own.length > outer.length && own.startsWith(outer) ? own.slice(outer.length) : indentUnit(text);
  const indentation = first && own !== '' ? own : outer + unit;
  const lines = JSON.stringify(value, null, unit)
    .split('\n')
    .join(lineBreak + indentation);
  const content = `${lineBreak}${indentation}${JSON.stringify(key)}: ${lines}`;
  if (first) return { offset: comments, content: `${content},` };
  return opensLine ? { offset: comments, content } : { offset: afterBrace, content: content + lineBreak + outer };
}

/** One step of indentation, as the text's first indented line has it. */
function indentUnit(text: string): string {
  return /[\r\n]([ \t]+)[^ \t\r\n]/.exec(text)?.[1] ?? '  ';
}
