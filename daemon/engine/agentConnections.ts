import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findEntry, saysNothing, withEntry, withoutEntry } from '../connect/agentText.ts';
import { changed, editAgentFile, removeEmptyFolders } from '../connect/editAgentFile.ts';
import { tokenExposure } from '../connect/tokenExposure.ts';
import { connectionRecords } from '../stateFolder/connectionRecords.ts';
import { launcherPath } from '../lifecycle/launcher.ts';
import { openStateFolder } from '../wire/stateFolder.ts';
import type {
  AgentConnections,
  ConnectionPlan,
  ConnectionRecord,
  ConnectionRequest,
} from '../protocol/agentConnections.ts';
import { agentSnippet, stdioEntry } from '../protocol/agentEntry.ts';
import { agents, serverName, tokenVariable } from '../protocol/agents.ts';
import type { Agent, AgentSurroundings } from '../protocol/agents.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { isThere } from '../files/isThere.ts';

export interface AgentConnectionsOptions extends AgentSurroundings {
  stateFolder: string;
  /** The MCP endpoint's address and token. Throws DAEMON_UNREACHABLE when there is none. */
  endpoint: () => Promise<{ url: string; token: string }>;
  /** ISO 8601 in UTC. */
  now: () => string;
}

/** Entries for Registrar in the files of agents, remembered in the state folder. */
export function agentConnections(options: AgentConnectionsOptions): AgentConnections {
  const records = connectionRecords(join(options.stateFolder, 'connections'));
  return {
    fileOf: (request) => fileOf(request, options),
    list: () => records.list(),
    plan: (request) => planOf(request, options),
    write: (plan) => writeEntry(plan, records, options),
    remove: (file) => removeEntry(file, records),
  };
}

type Records = ReturnType<typeof connectionRecords>;

function fileOf(
  { agent: id, scope, directory }: Pick<ConnectionRequest, 'agent' | 'scope' | 'directory'>,
  surroundings: AgentSurroundings,
): string {
  const agent = agents[id];
  if (scope === 'user') return join(...agent.userFile(surroundings));
  if (agent.workspaceFile) return join(directory, ...agent.workspaceFile);
  throw invalid(`${agent.name} has no settings file in a workspace.`, `registrar connect ${id}`);
}

async function planOf(request: ConnectionRequest, options: AgentConnectionsOptions): Promise<ConnectionPlan> {
  const agent = agents[request.agent];
  const file = fileOf(request, options);
  if (request.transport === 'stdio') {
    const launcher = launcherPath(options.stateFolder, options.platform);
    const entry = stdioEntry(agent, launcher, request.scope);
    return {
      ...{ ...request, file, entry, snippet: agentSnippet(agent, entry), tokenVariable: null },
      command: agent.addCommand(entry, request.scope),
      launcher: { path: launcher, exists: await isThere(launcher) },
    };
  }
  const { url, token } = await options.endpoint();
  const reason = await tokenExposure(file, { home: options.home, env: options.environment });
  const entry = agent.httpEntry(url, reason === null ? token : null);
  if (!entry) throw noHttp(agent, reason);
  return {
    ...{ ...request, file, entry, snippet: agentSnippet(agent, entry), launcher: null },
    // It would show the token to everybody who lists the processes.
    command: null,
    tokenVariable: reason === null ? null : { name: tokenVariable, value: token, reason },
  };
}

async function writeEntry(
  plan: ConnectionPlan,
  records: Records,
  { stateFolder, now }: AgentConnectionsOptions,
): ReturnType<AgentConnections['write']> {
  const { file } = plan;
  const agent = agents[plan.agent];
  if (!agent.writable) {
    throw invalid(
      `Registrar does not edit the files of ${agent.name}.`,
      `registrar connect ${agent.id} shows what to put into them`,
    );
  }
  await openStateFolder(stateFolder);
  const earlier = await records.read(file);
  const done: { record: ConnectionRecord | null; replaced: boolean } = { record: null, replaced: false };
  try {
    const change = await editAgentFile(file, modeOfNew(plan), async (text) => {
      const there = text === null ? undefined : findEntry(agent, text);
      if (isDeepStrictEqual(there, plan.entry)) return 'unchanged';
      if (there !== undefined && !isDeepStrictEqual(there, earlier?.entry)) throw foreignEntry(file);
      const base = there === undefined ? text : withoutEntry(agent, text ?? '', earlier?.inserted ?? '');
      const insertion = withEntry(agent, base ?? '', plan.entry);
      done.replaced = there !== undefined;
      done.record = {
        ...recordOf(plan, insertion.inserted, done.replaced ? earlier : null, text === null),
        time: now(),
      };
      // Before the file, so that an existing entry is never forgotten.
      await records.write(done.record);
      return { text: insertion.text };
    });
    if (!change) return 'unchanged';
    if (done.record && change.kind === 'made') await records.write({ ...done.record, madeFolders: change.folders });
    return done.replaced ? 'replaced' : 'written';
  } catch (error) {
    if (done.record && earlier) await records.write(earlier);
    else if (done.record) await records.remove(file);
    throw error;
  }
}

async function removeEntry(file: string, records: Records): ReturnType<AgentConnections['remove']> {
  const record = await records.read(file);
  if (!record) return 'absent';
  const agent = agents[record.agent];
  const change = await editAgentFile(file, 0o600, (text) => {
    const there = text === null ? undefined : findEntry(agent, text);
    if (text === null || there === undefined) return 'unchanged';
    if (!isDeepStrictEqual(there, record.entry)) throw changedEntry(file);
    const rest = withoutEntry(agent, text, record.inserted);
    return { text: record.madeFile && saysNothing(agent, rest) ? null : rest };
  });
  if (change?.kind === 'removed') await removeEmptyFolders(record.madeFolders);
  await records.remove(file);
  return change ? 'removed' : 'absent';
}

/**
 * A file with a token, or in the home folder, is for its owner only; a workspace's file is for everyone who shares the
 * workspace.
 */
function modeOfNew({ scope, transport, tokenVariable: variable }: ConnectionPlan): number {
  return scope === 'workspace' && (transport === 'stdio' || variable) ? 0o666 : 0o600;
}

function recordOf(
  { agent, scope, file, transport, entry }: ConnectionPlan,
  inserted: string,
  replaced: ConnectionRecord | null,
  isNewFile: boolean,
): Omit<ConnectionRecord, 'time'> {
  const { madeFile = isNewFile, madeFolders = [] } = replaced ?? {};
  return { agent, scope, file, transport, entry, inserted, madeFile, madeFolders };
}

function foreignEntry(file: string): RegistrarError {
  const hint = `Rename or remove "${serverName}" there, then try again.`;
  return changed(file, `has an entry "${serverName}" that Registrar did not write, or that has changed since`, hint);
}

function changedEntry(file: string): RegistrarError {
  const hint = `Remove "${serverName}" there by hand.`;
  return changed(
    file,
    `has an entry "${serverName}" that has changed since Registrar wrote it. It was left as it is`,
    hint,
  );
}

function noHttp({ id, name }: Agent, reason: string | null): RegistrarError {
  const why =
    reason === null ? 'does not connect to servers over HTTP' : `would need the token in a file that ${reason}`;
  return invalid(`${name} ${why}.`, `Without --http, it starts Registrar itself: registrar connect ${id}`);
}

function invalid(message: string, hint: string): RegistrarError {
  return new RegistrarError({ code: 'INVALID_ARGUMENT', message, hint });
}
