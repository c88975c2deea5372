import type { ListedProject, Resolution, SyncState } from './model.ts';

/** A registered project that nobody has used for a while. */
export interface UnusedProject extends ListedProject {
  /** `user@machine`; null if nobody recorded it. */
  creator: string | null;
  /** ISO 8601 in UTC, written at most once a day; null if no use was recorded. */
  lastUsedAt: string | null;
  /** Of its database; null when it is gone, closed to this role, or sizes could not be read. */
  sizeBytes: number | null;
}

export interface UnusedProjects {
  projects: UnusedProject[];
  /** Why no sizes could be read; null if they were. */
  sizesMissing: string | null;
}

/** What somebody did to a project, as the registry keeps it. */
export interface ListedEvent {
  /** ISO 8601 in UTC. */
  at: string;
  /** `created`, `dropped`, `handed_over` …; a newer version may write others. */
  operation: string;
  /** The role that logged in to the server, as the server says. */
  actor: string;
  /** `user@host` and the machine's name, as that machine said. */
  by: string | null;
  host: string;
  project: { id: string; name: string };
  databaseName: string;
  details: Record<string, unknown>;
}

export interface ListedEvents {
  /** The newest first. */
  events: ListedEvent[];
  /** Whether there are more than these. */
  truncated: boolean;
  /** Why the registry keeps no events, or this role may not read them; null if all is well. */
  missing: string | null;
}

export interface Forgotten {
  project: ListedProject;
  /** Where its data still is. */
  databaseName: string;
}

export interface Dropped {
  project: ListedProject;
  /** What was destroyed. */
  databaseName: string;
}

/** A resolution with what a program needs to connect to the project's database. `environment` is null unless resolved. */
export interface Connection {
  resolution: Resolution;
  /** PGHOST, PGPORT, PGUSER, PGDATABASE, DATABASE_URL …, the password included when it is known. */
  environment: Record<string, string> | null;
}

export interface QueuedProject {
  id: string;
  name: string;
  databaseName: string;
  since: string;
  attempts: number;
  nextAttemptAt: string | null;
  error: NonNullable<SyncState['error']>;
}

/** Deliveries of this daemon, counted since it started. */
export interface SyncFigures {
  delivered: number;
  failed: number;
  /** By SQLSTATE or error code. */
  failuresByCode: Record<string, number>;
  /** Attempts after an entry's first. */
  retries: number;
  /** 0 to 1; null when nothing was tried within the last hour. */
  successRateLastHour: number | null;
  lastSuccessAt: string | null;
  lastError: { code: string; message: string; at: string } | null;
}

export interface SyncStatus extends SyncFigures {
  pending: QueuedProject[];
  parked: QueuedProject[];
  oldestPendingAgeMs: number | null;
}
