import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { tomlTable } from '../protocol/agentEntry.ts';
import { serverName } from '../protocol/agents.ts';
import type { AgentEntry } from '../protocol/agents.ts';
import type { EntryInsertion } from './entryInsertion.ts';
import { AgentTextFault } from './agentTextFault.ts';

type Table = Record<string, unknown>;

/** As `findEntry`, in TOML. */
export function findTomlEntry(text: string, serversKey: string): unknown {
  return serversOf(read(text), serversKey)[serverName];
}

/** As `withEntry`. A table of its own at the end leaves the meaning of everything before it as it is. */
export function withTomlEntry(text: string, serversKey: string, entry: AgentEntry): EntryInsertion {
  const before = read(text);
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const gap = text === '' ? '' : text.endsWith('\n') ? lineBreak : lineBreak + lineBreak;
  const inserted = `${gap}${tomlTable(serversKey, entry).replaceAll('\n', lineBreak)}${lineBreak}`;
  const wanted = { ...before, [serversKey]: { ...serversOf(before, serversKey), [serverName]: entry } };
  if (!says(text + inserted, wanted)) {
    const hint = `Write the servers as tables of their own, [${serversKey}.NAME].`;
    throw new AgentTextFault(` writes "${serversKey}" in a way that Registrar cannot add to`, hint);
  }
  return { text: text + inserted, inserted };
}

/** As `withoutEntry`, for an entry whose surroundings have changed. */
export function withoutTomlEntry(text: string, serversKey: string): string {
  const before = read(text);
  const { [serverName]: entry, ...others } = serversOf(before, serversKey);
  if (entry === undefined) return text;
  const { [serversKey]: _servers, ...rest } = before;
  const edited = withoutTable(text, serversKey);
  const fits = says(edited, { ...rest, [serversKey]: others });
  if (!fits && !(Object.keys(others).length === 0 && says(edited, rest))) {
    const hint = `Remove ${serversKey}.${serverName} by hand.`;
    throw new AgentTextFault(` has its entry "${serverName}" in a form that Registrar cannot remove`, hint);
  }
  return edited;
}

/** Cuts the lines from the table's header, and those of its own subtables, to what belongs to the next. */
function withoutTable(text: string, serversKey: string): string {
  const lines = text.split(/(?<=\n)/);
  const header = new RegExp(
    String.raw`^\s*\[\s*${serversKey}\s*\.\s*(?:${serverName}|"${serverName}"|'${serverName}')\s*[\].]`,
  );
  const start = lines.findIndex((line) => header.test(line));
  if (start === -1) return text;
  let end = start + 1;
  for (let index = end; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*\[/.test(line) && !header.test(line)) break;
    // Comments and empty lines count only when more of the table follows: before the next header they are about that.
    if (/^\s*[^#\s]/.test(line)) end = index + 1;
  }
  const isGap = start > 0 && (lines[start - 1] ?? '').trim() === '';
  return [...lines.slice(0, isGap ? start - 1 : start), ...lines.slice(end)].join('');
}

function says(text: string, wanted: Table): boolean {
  try {
    return isDeepStrictEqual(read(text), structuredClone(wanted));
  } catch (error) {
    if (error instanceof AgentTextFault) return false;
    throw error;
  }
}

function serversOf(table: Table, serversKey: string): Table {
  const servers = table[serversKey] ?? {};
  if (typeof servers === 'object' && !Array.isArray(servers) && !(servers instanceof Date)) return servers as Table;
  throw new AgentTextFault(` has something other than a table as "${serversKey}"`, 'Make it a table.');
}

function read(text: string): Table {
  try {
    // Cloned because the parser's tables have no prototype, which would make them differ from any other.
    return structuredClone<Table>(parse(text, { integersAsBigInt: 'asNeeded' }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message repeats lines of the file, in which there may be secrets.
    const reason = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '';
    throw new AgentTextFault(`, ${error.line}:${error.column}, is not TOML: ${reason}`, 'Correct the TOML here.');
  }
}
