import { serverName } from './agents.ts';
import type { Agent, AgentEntry, ConnectionScope } from './agents.ts';

/** The entry for a process that the agent starts. */
export function stdioEntry(agent: Agent, launcher: string, scope: ConnectionScope): AgentEntry {
  const folder = agent.folderVariable(scope);
  const entry = { command: launcher, args: folder === null ? ['mcp'] : ['mcp', '--directory', folder] };
  // Tells both agents what kind of server it is.
  return agent.id === 'vscode' || agent.id === 'claude-code' ? { type: 'stdio', ...entry } : entry;
}

/** What goes into the agent's file if it contains nothing else; without a line break at the end. */
export function agentSnippet(agent: Agent, entry: AgentEntry): string {
  if (agent.format === 'toml') return tomlTable(agent.serversKey, entry);
  return JSON.stringify({ [agent.serversKey]: { [serverName]: entry } }, null, 2);
}

/** The entry as a table of its own; without a line break at the end. */
export function tomlTable(serversKey: string, entry: AgentEntry): string {
  const lines = Object.entries(entry).map(([key, value]) => `${key} = ${tomlValue(value)}`);
  return [`[${serversKey}.${serverName}]`, ...lines].join('\n');
}

/** JSON's strings are TOML's basic strings, but for the control character DEL. */
function tomlValue(value: AgentEntry[string]): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', String.raw`\u007f`);
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key} = ${tomlValue(inner)}`)
    .join(', ')} }`;
}
