import type { Command } from 'commander';
import type { ConnectionRequest } from '../../protocol/agentConnections.ts';
import { agentIds, agents } from '../../protocol/agents.ts';
import type { AgentId } from '../../protocol/agents.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { agentsText, planText, removedText, rotatedText, writtenText } from '../connectText.ts';

interface ConnectOptions {
  write?: true;
  remove?: true;
  http?: true;
  workspace?: true;
  directory?: string;
  rotateToken?: true;
}

/** `connect`: shows or writes an agent's entry for Registrar. */
export function addConnectCommand(program: Command, session: CliSession): void {
  program
    .command('connect')
    .description('connect an agent: show its entry for Registrar, or write it into its settings')
    .argument('[agent]', `one of ${agentIds.join(', ')}; default: list all agents`, saying)
    .option('--write', 'write the entry into its file, changing nothing else (VS Code, Claude Code, Cursor, Codex)')
    .option('--remove', 'remove what --write added')
    .option('--http', 'connect over HTTP with a token, instead of through a process that the agent starts')
    .option('--workspace', "use the workspace's own file, instead of your file for all workspaces")
    .option('--directory <dir>', 'the workspace (default: the current folder); with --workspace', saying)
    .option(
      '--rotate-token',
      'create a new token for agents over HTTP, for example because somebody may have seen the old one',
    )
    .addHelpText('after', '\nExample:\n  $ registrar connect cursor\n  $ registrar connect cursor --write')
    .action(async (given: string | undefined, options: ConnectOptions) => {
      checkOptions(given, options);
      if (options.rotateToken) await rotateToken(session);
      else if (given === undefined) await list(session);
      else await connect(session, agentOf(given), options);
    });
}

async function list({ context, output }: CliSession): Promise<void> {
  const records = await context.connections().list();
  const answer = Object.values(agents).map(({ id, name, writable }) => ({
    id,
    name,
    writable,
    connectedIn: records.filter(({ agent }) => agent === id).map(({ file }) => file),
  }));
  output.answer({ agents: answer }, (view) => agentsText(records, view));
}

async function rotateToken(session: CliSession): Promise<void> {
  const { context, output } = session;
  const { url } = await context.daemon.rotateToken(session.checkedDatabaseUrl());
  const records = await context.connections().list();
  const outdated = records
    .filter(({ transport }) => transport === 'http')
    .map(({ agent, scope, file }) => ({ agent, scope, file }));
  output.answer({ url, outdated }, (view) => rotatedText(outdated, view));
}

async function connect(session: CliSession, id: AgentId, options: ConnectOptions): Promise<void> {
  const { context, output } = session;
  const connections = context.connections();
  const request: ConnectionRequest = {
    agent: id,
    transport: options.http ? 'http' : 'stdio',
    scope: options.workspace ? 'workspace' : 'user',
    directory: session.directory(options.directory),
  };
  if (options.remove) {
    const file = connections.fileOf(request);
    const outcome = await connections.remove(file);
    output.answer({ agent: id, file, outcome }, (view) => removedText(agents[id], file, outcome, view));
    return;
  }
  const plan = await connections.plan(request);
  if (!options.write) {
    output.answer(plan, (view) => planText(plan, view));
    return;
  }
  const outcome = await connections.write(plan);
  // Without the entry, which may contain the token: nobody has to copy what is already written.
  const { entry: _entry, snippet: _snippet, command: _command, ...answer } = plan;
  output.answer({ ...answer, outcome }, (view) => writtenText(plan, outcome, view));
}

function checkOptions(given: string | undefined, options: ConnectOptions): void {
  const { write, remove, http, workspace, directory, rotateToken: rotates } = options;
  if (rotates && (given ?? write ?? remove ?? http ?? workspace) !== undefined) {
    throw invalid('--rotate-token applies to all agents. Use it alone.');
  }
  if (given === undefined && (write ?? remove ?? http ?? workspace)) throw invalid('No agent was named.');
  if (write && remove) throw invalid('--write and --remove contradict each other.');
  if (remove && http) throw invalid('--remove removes whatever --write added. Leave out --http.');
  if (directory !== undefined && !workspace) throw invalid('--directory names the workspace. It needs --workspace.');
}

function agentOf(given: string): AgentId {
  const known = agentIds.find((id) => id === given);
  if (known === undefined) throw invalid(`Registrar does not know an agent "${given}".`);
  return known;
}

function invalid(message: string): RegistrarError {
  const hint = `registrar connect AGENT, with one of ${agentIds.join(', ')}`;
  return new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint });
}
