import type { AgentEntry, AgentId, ConnectionScope } from './agents.ts';

/** What `connect --write` put into an agent's file, kept so that exactly that can be taken out again. */
export interface ConnectionRecord {
  agent: AgentId;
  scope: ConnectionScope;
  /** Absolute path of the agent's file. */
  file: string;
  transport: 'stdio' | 'http';
  entry: AgentEntry;
  /** The piece of text that was put in; without it the file is as it was. */
  inserted: string;
  /** Whether the file was made for it. */
  madeFile: boolean;
  /** The folders that were made for it, innermost first. */
  madeFolders: string[];
  /** ISO 8601 in UTC. */
  time: string;
}

/** Which entry, in which file. */
export interface ConnectionRequest {
  agent: AgentId;
  transport: 'stdio' | 'http';
  scope: ConnectionScope;
  /** The workspace folder, absolute. */
  directory: string;
}

/** What connecting comes down to. */
export interface ConnectionPlan extends ConnectionRequest {
  /** Absolute path of the agent's file. */
  file: string;
  entry: AgentEntry;
  /** What goes into the file, as far as nothing else is in it. */
  snippet: string;
  /** The agent's own command that does the same, word by word; null when it has none or would show the token. */
  command: string[] | null;
  /** Where the agent has to find the token, and why the file must not hold it; null when nothing is to be set. */
  tokenVariable: { name: string; value: string; reason: string } | null;
  /** What the entry starts; null for HTTP. */
  launcher: { path: string; exists: boolean } | null;
}

/** Entries for Registrar in the files of agents. */
export interface AgentConnections {
  /** Everything that was written and not removed since. */
  list(): Promise<ConnectionRecord[]>;
  /**
   * @throws RegistrarError `INVALID_ARGUMENT` when the agent cannot be connected this way, `DAEMON_UNREACHABLE` when the
   *   endpoint is not known
   */
  plan(request: ConnectionRequest): Promise<ConnectionPlan>;
  /**
   * Puts the entry into the file and nothing else; in the place of the one that an earlier call put there.
   *
   * @throws RegistrarError `CONFIG_INVALID` when the file cannot be parsed, `CONFIG_UNREADABLE` when it cannot be read or
   *   written, `CONFIG_CHANGED` when it has an entry of this name that Registrar did not write, or does not hold still
   */
  write(plan: ConnectionPlan): Promise<'written' | 'replaced' | 'unchanged'>;
  /**
   * Takes out again what `write` put into a file.
   *
   * @returns `absent` when nothing of it is there
   * @throws RegistrarError as `write`; `CONFIG_CHANGED` when somebody changed the entry since
   */
  remove(file: string): Promise<'removed' | 'absent'>;
  /** The file of an agent. Throws INVALID_ARGUMENT when it has none for this scope. */
  fileOf(request: Pick<ConnectionRequest, 'agent' | 'scope' | 'directory'>): string;
}
