import * as vscode from 'vscode';
import type { ConnectionPlan, ConnectionRecord, ConnectionRequest } from '../../daemon/protocol/agentConnections.ts';
import { agents, type Agent } from '../../daemon/protocol/agents.ts';
import { offersMcp } from '../settings.ts';
import { connectionDocument } from '../views/connectionDocument.ts';
import { shortPath } from '../views/words.ts';
import type { Command, CommandContext } from './commandContext.ts';

/** Shows an agent's entry, then writes it into the agent's file or copies it, as the user chooses. */
export const connectAgent: Command = async (context) => {
  const { link, documents, home } = context;
  const records = await link.call('connections', undefined);
  const agent = await chooseAgent(records, home);
  if (!agent) return null;
  if (isConnectedHere(agent)) return 'VS Code’s own agents already have Registrar';
  const request: ConnectionRequest = { agent: agent.id, transport: 'stdio', scope: 'user', directory: home };
  const plan = await link.call('planConnection', request);
  const file = shortPath(plan.file, home);
  await documents.show(`Connect ${agent.name}`, connectionDocument(plan, home));
  const isThere = records.some((record) => record.file === plan.file);
  const deed = agent.writable ? await chooseDeed(agent, file, isThere) : 'copy';
  return deed === null ? null : deeds[deed](context, agent, plan, file);
};

/** The address for agents that Registrar does not know. */
export const copyMcpAddress: Command = async ({ link }) => {
  const { url } = await link.call('mcpAddress', undefined);
  await vscode.env.clipboard.writeText(url);
  return `Copied ${url}. It needs the token that “registrar connect AGENT --http” shows`;
};

/**
 * Creates a new token, for example because somebody may have seen the old one. The terminal updates the entries that it
 * wrote.
 */
export const rotateAgentToken: Command = async ({ link, home }) => {
  await link.call('rotateToken', undefined);
  const records = await link.call('connections', undefined);
  const outdated = records.filter(({ transport }) => transport === 'http').map(({ file }) => shortPath(file, home));
  const done = 'Agents over HTTP now need the new token; VS Code’s own agents have it';
  if (outdated.length === 0) return done;
  return `${done}. The former one is still in ${outdated.join(', ')}: registrar connect AGENT --http --write`;
};

type Deed = 'write' | 'remove' | 'copy';

const deeds: Record<
  Deed,
  (context: CommandContext, agent: Agent, plan: ConnectionPlan, file: string) => Promise<string>
> = {
  async write({ link }, { name }, { agent, transport, scope, directory }, file) {
    const outcome = await link.call('connectAgent', { agent, transport, scope, directory });
    return outcome === 'unchanged'
      ? `${name}: ${file} already has the entry`
      : `${name}: ${file} now has the entry; restart ${name}, or its MCP servers`;
  },
  async remove({ link }, { name }, plan, file) {
    const outcome = await link.call('disconnectAgent', { file: plan.file });
    return outcome === 'removed'
      ? `${name}: entry removed from ${file}`
      : `${name}: ${file} contains no entry of Registrar’s`;
  },
  async copy(_context, { name }, { snippet }, file) {
    await vscode.env.clipboard.writeText(snippet);
    return `Copied; put it into ${file}, then restart ${name}`;
  },
};

async function chooseAgent(records: readonly ConnectionRecord[], home: string): Promise<Agent | null> {
  const items = Object.values(agents).map((agent) => {
    const files = records.filter(({ agent: id }) => id === agent.id).map(({ file }) => shortPath(file, home));
    const connected = isConnectedHere(agent)
      ? ['by this extension']
      : files.length > 0
        ? [`in ${files.join(', ')}`]
        : [];
    return { label: agent.name, description: connected.map((where) => `connected ${where}`).join(), agent };
  });
  const picked = await vscode.window.showQuickPick(items, { title: 'Connect an Agent', placeHolder: 'Which agent?' });
  return picked?.agent ?? null;
}

/** The extension offers the endpoint to VS Code itself. */
function isConnectedHere({ id }: Agent): boolean {
  return id === 'vscode' && offersMcp();
}

async function chooseDeed({ name }: Agent, file: string, isThere: boolean): Promise<Deed | null> {
  const write = { label: '$(edit) Write it', detail: `Adds the entry to ${file}; Connect an Agent can remove it.` };
  const again = { label: '$(edit) Write it again', detail: `Replaces the entry in ${file}.` };
  const remove = {
    label: '$(trash) Remove it',
    detail: `Removes the entry from ${file}, which is then as it was before.`,
  };
  const copy = { label: '$(copy) Copy it', detail: `Copies the entry, for you to paste into ${file}.` };
  const items = [
    ...(isThere ? [{ ...remove, deed: 'remove' as const }] : []),
    { ...(isThere ? again : write), deed: 'write' as const },
    { ...copy, deed: 'copy' as const },
  ];
  const title = `Connect ${name}`;
  // What is to be written stands in the document beside it, which takes the focus when it opens.
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'What to do?', ignoreFocusOut: true });
  return picked?.deed ?? null;
}
