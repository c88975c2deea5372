import type { AgentLimits } from '../postgres/agentSql/agentSession.ts';
import type { PostgresAddress } from '../postgres/address/address.ts';
import type { ChangeWatchOptions } from '../postgres/registry/registryChanges.ts';
import type { Limits } from '../postgres/registry/registryDatabase.ts';
import type { LastingWrites } from '../protocol/agentSql.ts';
import type { DatabaseFacts, EventsTrouble } from '../protocol/control.ts';
import type { RegistrarApi } from '../protocol/methods.ts';
import type { AddressSource, Resolution } from '../protocol/model.ts';
import type { Settings } from '../protocol/settings.ts';
import type { WorkspaceConfig } from '../resolution/ports.ts';
import type { WindowFolder } from '../resolution/trust.ts';

export interface EngineOptions {
  address: PostgresAddress;
  source: AddressSource;
  stateFolder: string;
  home: string;
  settings: Settings;
  log: EngineLog;
  limits?: Limits;
  agentLimits?: AgentLimits;
  /** This machine's name in what rows record of folders; the operating system's when absent. */
  host?: string;
  /** Folders that windows have open. */
  windows?: () => readonly WindowFolder[];
  /** Folders that `registrar trust` listed, real paths; those of the settings when absent. */
  trustedFolders?: () => Promise<readonly string[]>;
  /** Called when a delivery changed what `syncStatus` says. */
  onSync?: () => void;
  /** Called when somebody may have changed the registry, and when the server went or came back; needs `watches`. */
  onRegistryChange?: () => void;
  /**
   * Notices what other daemons change, so that memory is up to date when the server goes down: for a long-lived engine.
   */
  watches?: boolean;
  /** How it listens and polls; the defaults of `ChangeWatch` when absent. */
  watchTimes?: Pick<ChangeWatchOptions, 'pollMs' | 'echoMs'>;
  /** How long the workflow server may take, ms; 1 s when absent. */
  workflowTimeoutMs?: number;
  /** Lets time pass (ms) between two looks for an id that another daemon may write into a config; real time when absent. */
  pause?: (ms: number) => Promise<void>;
}

/** One structured line of the log; the fields are those of the log's documentation. */
export interface EngineLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface Engine extends RegistrarApi {
  /** As a dry run of `resolve`, for what windows show. Nobody requested it, so nothing is logged. */
  look(directory: string): Promise<Resolution>;
  /** The same for the folder of a config file, as if the file had this content. */
  lookWith(config: WorkspaceConfig): Promise<Resolution>;
  /** Whether `onRegistryChange` is called at once; a server or pooler may not allow that. */
  isListening(): boolean;
  databaseFacts(databaseName: string): Promise<DatabaseFacts>;
  countProjects(): Promise<number>;
  /** Connections of the registry's pool. */
  pool(): { open: number; idle: number; waiting: number };
  /** Where agents' SQL may do what a rollback does not undo. */
  lastingWrites(): LastingWrites[];
  /** Why the registry records no events, checked again. Throws if the server has trouble. */
  eventsTrouble(): Promise<EventsTrouble | null>;
  /** Every project of this registry, including those that wait for it. */
  projectsHere(): Promise<ProjectHere[]>;
  /** Stops the sync loop, writes what is known and closes every connection. */
  close(): Promise<void>;
}

/** A project of this registry, with its database's comment. */
export interface ProjectHere {
  name: string;
  databaseName: string;
  /** True when only this machine's outbox knows it. */
  pending: boolean;
  comment: string | null;
}
