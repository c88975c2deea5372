import type { WarningCode } from './codes.ts';
import type { ErrorReport } from './registrarError.ts';

/** A project as everyone outside the daemon sees it. Times are ISO 8601 in UTC, ids lower-case with hyphens. */
export interface Project {
  id: string;
  name: string;
  databaseName: string;
  description: string | null;
  createdAt: string;
  updatedAt: string;
  metadata: Record<string, unknown>;
}

export type AddressSource = 'bundled' | 'environment' | 'setting' | 'file' | 'argument';

/** Which PostgreSQL answered: `host:port` (or the socket folder) without user or password, and what chose it. */
export interface ServerLabel {
  address: string;
  source: AddressSource;
}

export type Tier = 1 | 2 | 3 | 4;
export type AttemptName = 'explicit' | 'config' | 'workflow' | 'default' | 'identity';
export type AttemptOutcome = 'matched' | 'missed' | 'skipped' | 'failed';

/** One tier (or the identity check, whose tier is null) that was tried, in order. */
export interface Attempt {
  tier: Tier | null;
  name: AttemptName;
  outcome: AttemptOutcome;
  reason: string;
  durationMs: number;
}

export interface Warning {
  code: WarningCode;
  message: string;
  hint: string;
}

/**
 * Whether the registry knows the project: `pending` is queued, `parked` waits for a person. `error` says why; for an
 * answer from memory, why the registry was not asked.
 */
export interface SyncState {
  state: 'synced' | 'pending' | 'parked';
  since?: string;
  error?: { code: string; message: string; nextAttemptAt?: string };
}

export interface Resolution {
  outcome: 'resolved' | 'unresolved' | 'refused';
  project: Project | null;
  server: ServerLabel | null;
  tier: Tier | null;
  created: boolean;
  /** True when the answer comes from memory because the registry could not be read. */
  stale: boolean;
  sync: SyncState | null;
  directory: string | null;
  configPath: string | null;
  trace: Attempt[];
  /** Dry run only: what would have been done, in order; null otherwise. */
  wouldDo: string[] | null;
  warnings: Warning[];
  error: ErrorReport | null;
}

/** A registry entry in a listing: the project and whether the registry knows it. */
export interface ListedProject extends Project {
  sync: SyncState;
}

export interface ProjectPage {
  projects: ListedProject[];
  /** Pass it back to read the next page; null on the last. */
  nextCursor: string | null;
}
