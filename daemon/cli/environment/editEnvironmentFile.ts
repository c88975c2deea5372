import { RegistrarError } from '../../protocol/registrarError.ts';
import { fileQuoted, type Quoting } from './dotenvText.ts';
import { databaseUrlLike } from './databaseUrl.ts';
import { misreadKey } from './asProgramsRead.ts';

export interface EditedFile {
  bytes: Buffer;
  /** The keys that have the project's values now, in the file's order. */
  set: string[];
  /** Keys whose values no quoting can express; they are empty in the file. */
  leftOut: string[];
  /** Other keys that the file sets and that lead libpq elsewhere. */
  misleading: string[];
}

/**
 * Puts a project's variables into the text of a `.env` file: DATABASE_URL and the keys that a map names are added when they
 * are missing, other variables of the project are changed where they are. Nothing else changes, to the byte.
 *
 * @param before null when there is no file
 * @param map what keys of the file get the value of which variable
 * @throws RegistrarError INVALID_ARGUMENT for what is no such file, a URL in it that is no PostgreSQL's, or a file that
 *   programs would read otherwise than it is meant
 */
export function editEnvironmentFile(
  before: Buffer | null,
  environment: Readonly<Record<string, string>>,
  map: ReadonlyMap<string, string>,
): EditedFile {
  // One character per byte, so that unknown bytes stay as they are.
  const text = (before ?? Buffer.alloc(0)).toString('latin1');
  if (text.includes('\0')) throw noEnvironmentFile();
  const assignments = readAssignments(text);
  const variableOf = (key: string): string | undefined =>
    map.get(key) ?? (ownKeys.has(key) || Object.hasOwn(environment, key) ? key : undefined);
  const leftOut = new Set<string>();
  const written = new Map<string, string | null>();
  const valueFor = (key: string, variable: string, current: Assignment | null): string => {
    const value = quotedFor(key, variable, current);
    // Parts kept from the old URL may hold escapes that readers resolve, so the value cannot be predicted.
    written.set(key, value.includes('\\') && variable === 'DATABASE_URL' ? null : readable(unquoted(value)));
    return value;
  };
  const quotedFor = (key: string, variable: string, current: Assignment | null): string => {
    if (variable === 'DATABASE_URL') return urlFor(key, environment[variable] ?? '', current);
    const value = environment[variable] ?? '';
    const quoted = fileQuoted(binary(value), current?.quoting ?? 'single');
    if (quoted === null) leftOut.add(key);
    return quoted ?? "''";
  };
  let edited = '';
  let end = 0;
  const set = new Set<string>();
  for (const assignment of assignments) {
    const variable = variableOf(assignment.key);
    if (variable === undefined) continue;
    edited += text.slice(end, assignment.from) + valueFor(assignment.key, variable, assignment);
    end = assignment.to;
    set.add(assignment.key);
  }
  edited += text.slice(end);
  // If a map gives the URL another key, the file does not need DATABASE_URL.
  const needed = [...map.values()].includes('DATABASE_URL') ? [...map.keys()] : ['DATABASE_URL', ...map.keys()];
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  const prefix = assignments.length > 0 && assignments.every(({ isExported }) => isExported) ? 'export ' : '';
  for (const key of needed) {
    const variable = variableOf(key);
    if (set.has(key) || variable === undefined) continue;
    if (edited !== '' && !edited.endsWith('\n')) edited += newLine;
    edited += `${prefix}${key}=${valueFor(key, variable, null)}${newLine}`;
    set.add(key);
  }
  const misread = misreadKey(readable(text), readable(edited), written);
  if (misread !== null) throw readOtherwise(misread);
  return {
    bytes: Buffer.from(edited, 'latin1'),
    set: [...set],
    leftOut: [...leftOut],
    misleading: ['PGHOSTADDR', 'PGSERVICE'].filter(
      (name) => assignments.some(({ key }) => key === name) && !set.has(name),
    ),
  };
}

/** If a file has them, they get the project's values, or become empty if it has none. */
const ownKeys = new Set(['DATABASE_URL', 'PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD']);

interface Assignment {
  key: string;
  isExported: boolean;
  quoting: Quoting;
  /** Without its quotation marks. */
  value: string;
  /** The value with its quotation marks. */
  from: number;
  to: number;
}

/** As dotenv and shells read it: a quoted value may go over several lines, and what looks like a key in it is none. */
function readAssignments(text: string): Assignment[] {
  const found: Assignment[] = [];
  const line = /^(?:\u00ef\u00bb\u00bf)?[ \t]*(export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*|^.*$/gm;
  for (let match = line.exec(text); match; match = line.exec(text)) {
    const [all, exported, key] = match;
    if (key === undefined) {
      if (all === '') line.lastIndex += 1;
      continue;
    }
    const from = match.index + all.length;
    const value = quotedAt(text, from) ?? unquotedAt(text, from);
    found.push({ key, isExported: exported !== undefined, from, ...value });
    // Skips to the next line; a comment after the value stays as it is.
    const next = text.indexOf('\n', value.to);
    if (next === -1) break;
    line.lastIndex = next + 1;
  }
  return found;
}

type Value = Pick<Assignment, 'quoting' | 'value' | 'to'>;

function quotedAt(text: string, from: number): Value | null {
  const quotes = /'((?:\\'|[^'])*)'|"((?:\\[^]|[^"\\])*)"|`([^`]*)`/y;
  quotes.lastIndex = from;
  const match = quotes.exec(text);
  if (!match) return null;
  const to = from + match[0].length;
  // Text right after the quotes, which a shell joins to them, makes the whole one unquoted value.
  if (!/^[ \t]*(?:#.*)?(?:\r?\n|$)/.test(text.slice(to, to + 4096))) return null;
  const value = match[1] ?? match[2] ?? match[3] ?? '';
  return { quoting: match[2] === undefined ? 'single' : 'double', value, to };
}

function unquotedAt(text: string, from: number): Value {
  const end = /\r?\n|\r?$(?![^])/g;
  end.lastIndex = from;
  const line = text.slice(from, end.exec(text)?.index);
  const comment = line.search(/[ \t]#/);
  const value = (comment === -1 ? line : line.slice(0, comment)).trimEnd();
  return { quoting: 'none', value, to: from + value.length };
}

function urlFor(key: string, url: string, current: Assignment | null): string {
  const value = databaseUrlLike(url, current?.value ?? '', key);
  // Only what was kept from the old value may contain what single quotes cannot express; it then keeps its own quotes.
  if (current?.quoting === 'double' && /[$']/.test(value)) return `"${value}"`;
  // A backslash at the end would escape the quotation mark.
  return `'${value.replaceAll("'", '%27').replaceAll('\\', '%5C')}'`;
}

function unquoted(value: string): string {
  return /^(['"])([^]*)\1$/.exec(value)?.[2] ?? value;
}

function binary(value: string): string {
  return Buffer.from(value).toString('latin1');
}

/** The text as programs get it: in UTF-8, and without the mark at its beginning. */
function readable(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString()
    .replace(/^\ufeff/, '');
}

function noEnvironmentFile(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: 'The file contains bytes that do not belong in a .env file; nothing was written.',
    hint: 'Name a text file in UTF-8.',
  });
}

function readOtherwise(key: string): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `Programs would read ${key} in that file differently, because of an unclosed quotation mark or an odd line ending before it. Nothing was written.`,
    hint: 'Close the quotation mark, or use registrar exec, which needs no file.',
  });
}
