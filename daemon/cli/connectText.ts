import { dirname } from 'node:path';
import type { ConnectionPlan, ConnectionRecord } from '../protocol/agentConnections.ts';
import { agents } from '../protocol/agents.ts';
import type { Agent } from '../protocol/agents.ts';
import { commandText, optionWords } from '../protocol/commandText.ts';
import { shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';

/** All agents, and where each is connected. */
export function agentsText(records: readonly ConnectionRecord[], { home, paint }: TextView): string {
  const lines = Object.values(agents).map(({ id, name, writable }) => {
    const files = records.filter(({ agent }) => agent === id).map(({ file }) => shown(file, home));
    const state = files.length > 0 ? `connected in ${files.join(', ')}` : writable ? '--write connects it' : '';
    return `  ${id.padEnd(16)}${name.padEnd(16)}${paint('dim', state)}`.trimEnd();
  });
  return [...lines, `${paint('cyan', 'next:')} registrar connect AGENT`].join('\n');
}

/** What to add to which file. Nothing in it is shortened, because people copy it. */
export function planText(plan: ConnectionPlan, view: TextView): string {
  const { file, snippet, command } = plan;
  const { home, paint } = view;
  const agent = agents[plan.agent];
  const lines = [`Put this into ${shown(file, home)}:`, '', ...snippet.split('\n').map(copied), ''];
  if (command) lines.push('or run:', '', `  ${commandText(command)}`, '');
  lines.push(...warnings(plan, view));
  const http = plan.transport === 'http' ? ' --http' : '';
  if (agent.writable) lines.push(`${paint('cyan', 'next:')} ${commandLine(plan)}${http} --write does it for you`);
  return lines.join('\n').trimEnd();
}

/** What `--write` did. */
export function writtenText(
  plan: ConnectionPlan,
  outcome: 'written' | 'replaced' | 'unchanged',
  view: TextView,
): string {
  const { home, paint } = view;
  const { name } = agents[plan.agent];
  const what =
    outcome === 'unchanged' ? 'already has the entry' : outcome === 'replaced' ? 'is up to date' : 'now has the entry';
  return [
    `${name}: ${shown(plan.file, home)} ${what}.`,
    ...warnings(plan, view),
    `${paint('cyan', 'next:')} restart ${name}, or its MCP servers; undo with ${commandLine(plan)} --remove`,
  ].join('\n');
}

/** What `--remove` did. */
export function removedText(agent: Agent, file: string, outcome: 'removed' | 'absent', { home }: TextView): string {
  return outcome === 'removed'
    ? `${agent.name}: Registrar's entry was removed from ${shown(file, home)}.`
    : `${agent.name}: ${shown(file, home)} contains nothing that --write added.`;
}

/** What a new token means for the entries that `--write` added. */
export function rotatedText(
  outdated: readonly Pick<ConnectionRecord, 'agent' | 'scope' | 'file'>[],
  { home, paint }: TextView,
): string {
  return [
    'Agents over HTTP now need the new token; their connections have been closed.',
    'VS Code’s own agents get it automatically.',
    ...outdated.flatMap(({ agent, scope, file }) => {
      const plan = { agent, scope, directory: workspaceOf(agents[agent], file) };
      return [
        `  ${paint('yellow', 'warning:')} ${agents[agent].name} still has the former token: ${shown(file, home)}`,
        `  ${paint('cyan', 'next:')} ${commandLine(plan)} --http --write`,
      ];
    }),
  ].join('\n');
}

/** The workspace folder that an agent's file is in. */
function workspaceOf({ workspaceFile }: Agent, file: string): string {
  return (workspaceFile ?? []).reduce((path) => dirname(path), file);
}

function warnings({ agent, scope, launcher, tokenVariable }: ConnectionPlan, { home, paint }: TextView): string[] {
  const lines: string[] = [];
  const warn = (what: string, next: string): void => {
    lines.push(`  ${paint('yellow', 'warning:')} ${what}`, `  ${paint('cyan', 'next:')} ${next}`);
  };
  if (launcher && !launcher.exists) warn(`${shown(launcher.path, home)} does not exist yet`, 'registrar serve');
  if (launcher && scope === 'workspace') {
    warn(
      'the entry contains a path on this machine, so others who share the file cannot use it',
      'leave out --workspace',
    );
  }
  const { name: agentName, tellsFolder } = agents[agent];
  if (!tellsFolder) warn(`${agentName} does not say in which folder it works`, 'name the folder in your prompt');
  if (tokenVariable) {
    const { name, value, reason } = tokenVariable;
    warn(`the token is not written, because the file ${shown(reason, home)}`, `start the agent with ${name}=${value}`);
  }
  return lines;
}

/** The command for the same file. */
function commandLine({ agent, scope, directory }: Pick<ConnectionPlan, 'agent' | 'scope' | 'directory'>): string {
  const workspace = scope === 'workspace' ? ['--workspace', ...optionWords({ directory })] : [];
  return commandText(['registrar', 'connect', agent, ...workspace]);
}

function copied(text: string): string {
  return shown(text, '');
}
