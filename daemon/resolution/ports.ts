import type { KeptClaim } from '../registry/model.ts';
import type { RegistryPorts, ConfigIdPort } from '../registry/ports.ts';
import type { TrustPort, Vouch } from './trust.ts';

export type ConfigSearch =
  | {
      kind: 'found';
      /** The config file, not resolved where it is a symbolic link itself. */
      path: string;
      /** The real path of the folder that holds `.codebase-mcp`. */
      folder: string;
      /** The directory's real path. */
      from: string;
      /** The main worktree's root, when the directory is in a worktree that uses its main worktree's config. */
      viaWorktreeOf: string | null;
      /** The worktree's root, where the config is its main worktree's. */
      walkedTo?: string;
    }
  | {
      kind: 'none';
      /** The directory's real path. */
      from: string;
      /** Where the walk ended: the last folder looked in; for `home` and `root` that folder, which is not looked in. */
      upTo: string;
      why: 'repository' | 'home' | 'root' | 'depth';
    };

/** What a config file says, in canonical spelling and with its defaults filled in, and whose it is. */
export interface WorkspaceConfig {
  path: string;
  /** The folder that holds `.codebase-mcp`. */
  folder: string;
  name: string;
  id: string | null;
  databaseName: string | null;
  autoSwitch: boolean;
  strictMode: boolean;
  dryRun: boolean;
  description: string | null;
  /** The user who owns the file; -1 on Windows. */
  uid: number;
}

/** The workspace's config file. Methods throw the CONFIG_… codes, NAME_INVALID, DATABASE_NAME_INVALID, DIRECTORY_INVALID. */
export interface ConfigPort {
  find(directory: string): Promise<ConfigSearch>;
  read(path: string, vouch: Vouch): Promise<WorkspaceConfig>;
  /** Writes an id into the file, as far as `registrar.config.writeId` lets it. */
  idWriter(path: string): ConfigIdPort;
}

/** A claim that a person made for one folder of this machine, with no file in it. */
export interface Binding {
  projectId: string;
  claim: KeptClaim;
}

export interface BindingsPort {
  /** The binding of a folder by its real path; null for none. */
  at(folder: string): Binding | null;
}

/** What the workflow server says. `cached` is true when no request was made for this answer. */
export type WorkflowAnswer =
  | { kind: 'project'; id: string; cached: boolean }
  | { kind: 'none'; reason: string; cached: boolean }
  | { kind: 'failed'; reason: string; cached: boolean };

export interface WorkflowPort {
  /** The active project; never throws, and answers within a limit. */
  activeProject(): Promise<WorkflowAnswer>;
}

export interface ResolutionPorts {
  registry: RegistryPorts;
  config: ConfigPort;
  bindings: BindingsPort;
  /** Null when no workflow server is configured. */
  workflow: WorkflowPort | null;
  /** Null while tier 4 is switched off. */
  defaultProject: { databaseName: string } | null;
  trust: TrustPort;
  host: string;
  /** Monotonic, in milliseconds. */
  clock(): number;
}
