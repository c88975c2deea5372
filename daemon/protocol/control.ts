import type { LastingWrites } from './agentSql.ts';
import type { SyncStatus } from './answers.ts';
import type { Resolution, ServerLabel } from './model.ts';
import type { ErrorReport } from './registrarError.ts';
import type { AgentTools, WindowSettings } from './settings.ts';

/** Increases with every change that breaks clients of the previous version. */
export const protocolVersion = 1;
/** The oldest clients that this daemon still serves. */
export const oldestProtocol = 1;

/** `endpoint.json` of the state folder: where the daemon is, and the secret that only its user can read. */
export interface Endpoint {
  /** The MCP address; null while there is none. */
  url: string | null;
  pid: number;
  /** ISO 8601 in UTC. */
  started: string;
  version: string;
  protocol: number;
  /** 64 hex digits; the same after a restart. */
  token: string;
  /** Path of the unix socket or name of the pipe. */
  pipe: string;
}

/** First message of a client. Each side proves that it knows the token before it says or believes anything else. */
export interface HelloParams {
  /** 32 to 128 characters, never used twice. */
  nonce: string;
}

export interface HelloResult {
  nonce: string;
  /** HMAC-SHA256, in hex, of `daemon:<client's nonce>:<daemon's nonce>` under the token. */
  proof: string;
  version: string;
  protocol: number;
  oldestProtocol: number;
}

export type ClientKind = 'window' | 'command' | 'forwarder';

export interface ClientFolder {
  /** Absolute. */
  path: string;
  trusted: boolean;
}

/** What a client's environment says about PostgreSQL. Sent only after both proofs. */
export interface GivenAddress {
  /** Null when they name no server, but perhaps a password. */
  url: string | null;
  source: 'argument' | 'environment' | 'setting';
  /** The PG… variables that apply with it. */
  variables: Record<string, string>;
}

export interface InitializeParams {
  /** HMAC-SHA256, in hex, of `client:<daemon's nonce>:<client's nonce>` under the token. */
  proof: string;
  kind: ClientKind;
  version: string;
  protocol: number;
  pid: number;
  folders: ClientFolder[];
  address: GivenAddress;
  /** Saved in the settings before the answer, so that they apply to the next request. */
  settings?: WindowSettings;
}

/** One attached client. */
export interface AttachedClient {
  kind: ClientKind;
  version: string;
  pid: number;
  folders: ClientFolder[];
  /** ISO 8601 in UTC. */
  since: string;
}

export interface DaemonStatus {
  version: string;
  protocol: number;
  pid: number;
  started: string;
  uptimeMs: number;
  stateFolder: string;
  /** Null while no PostgreSQL is open; `error` then says why, if it was tried. */
  server: ServerLabel | null;
  error: ErrorReport | null;
  clients: AttachedClient[];
  /** Where agents reach it over HTTP; null while they are not served there. */
  mcpUrl: string | null;
  /** Agents and the directories that they are bound to. */
  agents: { name: string; directory: string | null; lastSeenAt: string }[];
  sync: SyncStatus | null;
  /** Connections of the registry's pool. */
  pool: { open: number; idle: number; waiting: number } | null;
  /** Databases in which agents may do what a rollback does not undo; absent from a version 0.1 daemon. */
  lastingWrites?: LastingWrites[];
  /** Why the registry records no events; null if it does, absent if it could not be asked. */
  events?: EventsTrouble | null;
  /** Bytes of resident memory. */
  memoryBytes: number;
  idleExitAfterMs: number;
}

/** Why a registry records no events, as the end of a sentence, and what helps. */
export interface EventsTrouble {
  reason: string;
  hint: string;
}

/** What a person glances at. */
export interface DatabaseFacts {
  bytes: number;
  tables: number;
}

/** A folder of a window, and what it resolves to. */
export interface FolderState extends ClientFolder {
  /** Null until it was refreshed, and while no PostgreSQL can be asked. */
  resolution: Resolution | null;
  /** Of the resolved project's database; null until it was measured. */
  database: DatabaseFacts | null;
}

/** What windows draw: always the latest state, never a queue of earlier ones. */
export interface Snapshot {
  /** Increases with every change while this daemon runs. */
  revision: number;
  daemon: { version: string; pid: number; started: string };
  server: ServerLabel | null;
  error: ErrorReport | null;
  /** Those of this window. */
  folders: FolderState[];
  /** How many the registry has; null while they could not be counted. */
  projects: number | null;
  sync: SyncStatus | null;
  agents: DaemonStatus['agents'];
  /** Where agents reach the daemon over HTTP, and which tools they see there; null while they are not served. */
  mcp: {
    url: string;
    tools: AgentTools;
    /** How often this daemon changed the token. */
    rotations: number;
  } | null;
}

/** What connecting to an address once revealed. */
export interface TriedAddress {
  /** The address without password, which may be kept. */
  url: string;
  /** `host:port`, for people. */
  address: string;
  /** The password from the address; null if it had none. */
  password: string | null;
  version: string;
  role: string;
  mayCreateDatabases: boolean;
}

/** A project that another address does not have, with the shell line that moves it. */
export interface LeftBehind {
  name: string;
  databaseName: string;
  /** True when only this machine's outbox knows it; its entry waits for the old address. */
  pending: boolean;
  command: string;
}

export interface AddressChange {
  server: ServerLabel | null;
  error: ErrorReport | null;
  leftBehind: LeftBehind[];
}

/** What a daemon that is shutting down tells attached clients, and new ones as the data of its error. */
export interface Leaving {
  /** A newer version takes its place: older clients wait for that one and start no daemon meanwhile. */
  hasSuccessor: boolean;
}

/** Names on the wire. */
export const wire = {
  hello: 'registrar/hello',
  initialize: 'registrar/initialize',
  ping: 'registrar/ping',
  /** A daemon begins to shut down. */
  leaving: 'registrar/leaving',
  /** The last message of a daemon that shuts down gracefully: it has not begun anything that it has not answered. */
  left: 'registrar/left',
  /** A request from the daemon to a window. The window answers null, and then gets the next snapshot. */
  snapshot: 'registrar/snapshot',
  progress: 'registrar/progress',
  /** After its answer, the connection carries an agent's messages, one JSON document per line. */
  agentStream: 'registrar/agentStream',
  /** An operation's. */
  method: (name: string): string => `registrar/${name}`,
} as const;

/** JSON-RPC error codes. */
export const wireErrors = {
  /** A RegistrarError; its report is the error's data. */
  registrar: -32050,
  /** The daemon is shutting down: nothing was done, ask the next one. Its data is `Leaving`. */
  draining: -32051,
  /** A proof is wrong, or something came before it. */
  unauthorized: -32052,
} as const;

/** Neither side sends or accepts a longer message, bytes. */
export const maxMessageBytes = 16 * 1024 * 1024;
