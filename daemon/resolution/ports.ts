import type { RegistryPorts, ConfigIdPort } from '../registry/ports.ts';
import type { TrustPort } from './trust.ts';

export type ConfigSearch =
  | { kind: 'found'; path: string; folder: string; viaWorktreeOf: string | null }
  | { kind: 'none'; from: string; upTo: string; why: 'repository' | 'home' | 'root' | 'depth' };

export interface WorkspaceConfig {
  path: string;
  folder: string;
  name: string;
  id: string | null;
  databaseName: string | null;
  autoSwitch: boolean;
  strictMode: boolean;
  dryRun: boolean;
  description: string | null;
  uid: number;
}

/** The workspace's config file. Methods throw the CONFIG_… codes, NAME_INVALID, DATABASE_NAME_INVALID, DIRECTORY_INVALID. */
export interface ConfigPort {
  find(directory: string): Promise<ConfigSearch>;
  read(path: string): Promise<WorkspaceConfig>;
  /** Writes an id into the file, as far as `registrar.config.writeId` lets it. */
  idWriter(path: string): ConfigIdPort;
}

export type WorkflowAnswer =
  | { kind: 'project'; id: string; cached: boolean }
  | { kind: 'none'; reason: string; cached: boolean }
  | { kind: 'failed'; reason: string; cached: boolean };

export interface WorkflowPort {
  activeProject(): Promise<WorkflowAnswer>;
}

export interface ResolutionPorts {
  registry: RegistryPorts;
  config: ConfigPort;
  /** Null when no workflow server is configured. */
  workflow: WorkflowPort | null;
  /** Null while tier 4 is switched off. */
  defaultProject: { databaseName: string } | null;
  trust: TrustPort;
  host: string;
  /** Monotonic, in milliseconds. */
  clock(): number;
}
