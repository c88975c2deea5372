import { basename, dirname } from 'node:path';
import { findNodeAtLocation } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';
import type { ErrorCode } from '../protocol/codes.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named, visible } from '../protocol/visibleText.ts';
import { parseId } from '../registry/ids.ts';
import { checkDatabaseName, checkName, databaseNameFor } from '../protocol/names.ts';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import { configSchema, configVersion } from './configSchema.ts';
import type { ConfigFile } from './configSchema.ts';
import { decodeText, withoutByteOrderMark } from '../files/decodeText.ts';
import { findDuplicateKey, parseJsoncTree, positionAt, valueOf } from '../files/jsoncTree.ts';

/** What a config file says, before its owner is known. */
export type ParsedConfig = Omit<WorkspaceConfig, 'uid'>;

/** Where a config file is wrong, as `details` of the error. */
export interface ConfigFault {
  path: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units, not counting a byte order mark. */
  column: number;
  /** The dotted key of the value at fault, where it is one. */
  key?: string;
  /** The value to put there instead; null proposes to remove the key. Absent when nothing sensible can be proposed. */
  proposal?: unknown;
  /** True for what the JSON schema says, too. */
  isInSchema: boolean;
}

/** Larger files are refused without being read: 1 MiB. */
export const maxConfigBytes = 1_048_576;

/**
 * Parses a config file: JSON with comments and trailing commas, UTF-8 with or without byte order mark, any line ends.
 *
 * @param path its absolute path, for messages and for the folder
 * @throws RegistrarError `NAME_INVALID` or `DATABASE_NAME_INVALID` for the two names, `CONFIG_INVALID` for all else,
 *   with `path:line:column` in the message and a `ConfigFault` as details
 */
export function parseConfig(bytes: Uint8Array, path: string): ParsedConfig {
  if (bytes.length > maxConfigBytes) throw configTooLarge(path, bytes.length);
  const decoded = decodeText(bytes);
  const text = withoutByteOrderMark(decoded.text);
  const document = { path, text };
  if (decoded.fault) throw faultAt(document, 'CONFIG_INVALID', text.length, decoded.fault.message, decoded.fault.hint);

  const tree = parseJsoncTree(text);
  if (!tree.ok) throw faultAt(document, 'CONFIG_INVALID', tree.fault.offset, tree.fault.message, tree.fault.hint);
  refuseDuplicates(document, tree.root);
  const file = checkShape(document, tree.root);

  const id = checkedId(document, tree.root, file);
  checkNames(document, tree.root, file, id);
  return {
    path,
    folder: folderOf(path),
    name: file.project.name,
    id,
    databaseName: file.project.database_name ?? null,
    autoSwitch: file.auto_switch ?? true,
    strictMode: file.strict_mode ?? false,
    dryRun: file.dry_run ?? false,
    description: file.description ?? null,
  };
}

/** The folder whose config file this is. */
export function folderOf(path: string): string {
  return dirname(dirname(path));
}

/** The error for a file of more than `maxConfigBytes`, for whoever can tell before reading it. */
export function configTooLarge(path: string, size: number): RegistrarError {
  const message = `has ${size} bytes; at most ${maxConfigBytes} are allowed`;
  return faultAt({ path, text: '' }, 'CONFIG_INVALID', 0, message, 'Make the config file smaller.');
}

interface ConfigDocument {
  path: string;
  text: string;
}

function faultAt(
  document: ConfigDocument,
  code: ErrorCode,
  offset: number,
  message: string,
  hint: string,
  about: Partial<Pick<ConfigFault, 'key' | 'proposal' | 'isInSchema'>> = {},
): RegistrarError {
  const { path } = document;
  const { line, column } = positionAt(document.text, offset);
  return new RegistrarError({
    code,
    message: `${named(path)}:${line}:${column} ${message}`,
    hint,
    details: { path, line, column, isInSchema: true, ...about } satisfies ConfigFault,
  });
}

/**
 * In JSON, the last of two equal keys counts; other readers take the first. So the keys that decide may not appear
 * twice.
 */
function refuseDuplicates(document: ConfigDocument, root: Node): void {
  const project = findNodeAtLocation(root, ['project']);
  const duplicate =
    findDuplicateKey(root, Object.keys(configSchema.shape)) ??
    (project ? findDuplicateKey(project, Object.keys(configSchema.shape.project.shape)) : null);
  if (!duplicate) return;
  const key = String(duplicate.children?.[0]?.value);
  const hint = 'Remove one of the two.';
  throw faultAt(document, 'CONFIG_INVALID', duplicate.offset, `has the key "${key}" twice`, hint);
}

function checkShape(document: ConfigDocument, root: Node): ConfigFile {
  const value = valueOf(root);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  const key = path.join('.');
  const node = findNodeAtLocation(root, path);
  const offset = (node ?? findNodeAtLocation(root, path.slice(0, -1)) ?? root).offset;
  const found = node ? `, not ${abridged(document.text.slice(node.offset, node.offset + node.length))}` : '';
  const subject = key === '' ? 'the config file' : key;
  const message = node ? `${subject} ${issue?.message ?? 'is not valid'}${found}` : `${subject} is missing`;
  const proposal = proposalFor(key, node ? valueOf(node) : undefined, document.path);
  throw faultAt(document, 'CONFIG_INVALID', offset, message, hintFor(subject, proposal), {
    // Only what the schema cannot express is checked here.
    isInSchema: issue?.code !== 'custom',
    ...(key === '' ? {} : { key }),
    ...(proposal === undefined ? {} : { proposal }),
  });
}

function proposalFor(key: string, found: unknown, path: string): unknown {
  const folderName = basename(folderOf(path));
  const check = checkName(folderName);
  const name = check.ok ? folderName : check.proposal;
  switch (key) {
    case '':
      return { version: configVersion, project: { name } };
    case 'project':
      return { name };
    case 'project.name':
      return name;
    case 'version':
      return configVersion;
    case 'auto_switch':
    case 'strict_mode':
    case 'dry_run':
      if (typeof found === 'string' && /^(?:true|yes|on|1)$/i.test(found)) return true;
      if (typeof found === 'string' && /^(?:false|no|off|0)$/i.test(found)) return false;
      return null;
    default:
      return null;
  }
}

function hintFor(subject: string, proposal: unknown): string {
  if (proposal === null) return `Correct ${subject}, or remove it.`;
  return subject === 'version'
    ? `Write ${JSON.stringify(proposal)}; if a newer Project Registrar wrote this file, update this one.`
    : `Write ${JSON.stringify(proposal)}.`;
}

/** The id of the default project, which no folder has. */
const nilId = '00000000-0000-0000-0000-000000000000';

function checkedId(document: ConfigDocument, root: Node, file: ConfigFile): string | null {
  const written = file.project.id;
  if (written === undefined) return null;
  const id = parseId(written);
  if (id !== null && id !== nilId) return id;
  const offset = (findNodeAtLocation(root, ['project', 'id']) ?? root).offset;
  const message =
    written === ''
      ? 'project.id is empty'
      : `project.id ${abridged(JSON.stringify(written))} is ${id === nilId ? 'the nil UUID, which no folder’s project can have' : 'not a UUID'}`;
  const hint = 'Remove project.id: Registrar then finds the project by its name, and writes its id here.';
  throw faultAt(document, 'CONFIG_INVALID', offset, message, hint, {
    key: 'project.id',
    proposal: null,
    isInSchema: false,
  });
}

function checkNames(document: ConfigDocument, root: Node, file: ConfigFile, id: string | null): void {
  const { name, database_name: databaseName } = file.project;
  const offsetOf = (key: string): number => (findNodeAtLocation(root, ['project', key]) ?? root).offset;

  const nameCheck = checkName(name);
  if (!nameCheck.ok) {
    const { reason, proposal } = nameCheck;
    const message = `project.name ${abridged(JSON.stringify(name))} ${reason}`;
    const about = { key: 'project.name', proposal, isInSchema: false };
    throw faultAt(document, 'NAME_INVALID', offsetOf('name'), message, `Use "${proposal}", for example.`, about);
  }
  if (databaseName === undefined) return;
  const databaseCheck = checkDatabaseName(databaseName);
  if (!databaseCheck.ok) {
    const proposal = id === null ? null : databaseNameFor(name, id);
    const message = `project.database_name ${abridged(JSON.stringify(databaseName))} ${databaseCheck.reason}`;
    const hint =
      proposal === null
        ? 'Remove project.database_name. The project then gets a database of its own.'
        : `Use "${proposal}", or remove project.database_name.`;
    const about = { key: 'project.database_name', proposal, isInSchema: false };
    throw faultAt(document, 'DATABASE_NAME_INVALID', offsetOf('database_name'), message, hint, about);
  }
}

function abridged(text: string): string {
  const line = visible(text.replace(/\s+/g, ' '));
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
