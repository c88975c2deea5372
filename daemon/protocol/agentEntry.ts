import { serverName } from './agents.ts';
import type { Agent, AgentEntry, AgentTransport, ConnectionScope } from './agents.ts';

/** What an agent's file says of Registrar; null when the agent cannot be connected this way. */
export function agentEntry(agent: Agent, transport: AgentTransport, scope: ConnectionScope): AgentEntry | null {
  if (transport.kind === 'http') return agent.httpEntry(transport.url, transport.token);
  const folder = agent.folderVariable(scope);
  const args = folder === null ? ['mcp'] : ['mcp', '--directory', folder];
  const entry = { command: transport.launcher, args };
  // Both tell by it what kind of server it is.
  return agent.id === 'vscode' || agent.id === 'claude-code' ? { type: 'stdio', ...entry } : entry;
}

/** What goes into the agent's file, as far as nothing else is in it; without a line break at the end. */
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
