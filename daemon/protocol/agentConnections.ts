import type { AgentEntry, AgentId, ConnectionScope } from './agents.ts';

/** What `connect --write` added to an agent's file, recorded so that exactly that can be removed again. */
export interface ConnectionRecord {
  agent: AgentId;
  scope: ConnectionScope;
  /** Absolute path of the agent's file. */
  file: string;
  transport: 'stdio' | 'http';
  entry: AgentEntry;
  /** The text that was inserted; without it, the file is as it was before. */
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

/** What connecting does. */
export interface ConnectionPlan extends ConnectionRequest {
  /** Absolute path of the agent's file. */
  file: string;
  entry: AgentEntry;
  /** What goes into the file if it contains nothing else. */
  snippet: string;
  /** The agent's own command that does the same, word by word; null when it has none or would show the token. */
  command: string[] | null;
  /** Where the agent has to find the token, and why the file must not contain it; null if nothing has to be set. */
  tokenVariable: { name: string; value: string; reason: string } | null;
  /** What the entry starts; null for HTTP. */
  launcher: { path: string; exists: boolean } | null;
}

/** Entries for Registrar in the files of agents. */
export interface AgentConnections {
  /** Every entry that was written and has not been removed since. */
  list(): Promise<ConnectionRecord[]>;
  /**
   * @throws RegistrarError `INVALID_ARGUMENT` when the agent cannot be connected this way, `DAEMON_UNREACHABLE` when the
   *   endpoint is not known
   */
  plan(request: ConnectionRequest): Promise<ConnectionPlan>;
  /**
   * Writes the entry, and nothing else, into the file; replaces the one that an earlier call wrote.
   *
   * @throws RegistrarError `CONFIG_INVALID` when the file cannot be parsed, `CONFIG_UNREADABLE` when it cannot be read
   *   or written, `CONFIG_CHANGED` when it has an entry of this name that Registrar did not write, or keeps changing
   */
  write(plan: ConnectionPlan): Promise<'written' | 'replaced' | 'unchanged'>;
  /**
   * Removes what `write` added to a file.
   *
   * @returns `absent` when nothing of it is there
   * @throws RegistrarError as `write`; `CONFIG_CHANGED` when somebody changed the entry since
   */
  remove(file: string): Promise<'removed' | 'absent'>;
  /** The file of an agent. Throws INVALID_ARGUMENT when it has none for this scope. */
  fileOf(request: Pick<ConnectionRequest, 'agent' | 'scope' | 'directory'>): string;
}
