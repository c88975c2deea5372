import type { DescribeAnswer, QueryAnswer, QueryParams } from './agentSql.ts';
import type { DriftReport, RepairResult } from './drift.ts';
import type { ListedProject, ProjectPage, Resolution, ServerLabel, SyncState } from './model.ts';

export interface ResolveParams {
  /** Absolute path that the caller works in; null when it has none. */
  directory?: string | null;
  /** Explicit reference: an id in any UUID spelling, or a name. */
  project?: string | null;
  /** Refuse any project but this one (id or name). */
  expect?: string | null;
  dryRun?: boolean;
  /** Set within the daemon where an agent asks; no client can say it. */
  agent?: AgentAsker;
  /** Set within the daemon where a person asked for a new project in the place of a dropped one; no client can say it. */
  anew?: boolean;
}

/** An agent, as far as evidence for a claim goes. */
export interface AgentAsker {
  /** The real paths of the folders that it was started for: launch folder, header, the client's roots. */
  folders: () => Promise<readonly string[]>;
}

export interface UseParams {
  project: string;
  directory: string;
  /** Binds on this machine alone; no file changes. */
  local?: boolean;
  /** The project's origin as a person typed it, where the folder's is another. */
  confirm?: string | null;
  agent?: AgentAsker;
}

export interface ListParams {
  /** Part of a name, any case. */
  query?: string | null;
  /** 1 to 1000, 100 when absent. */
  limit?: number;
  cursor?: string | null;
}

/** A registered project that nobody has used for a while. */
export interface UnusedProject extends ListedProject {
  /** `user@machine`; null where nobody noted it. */
  creator: string | null;
  /** ISO 8601 in UTC, written at most once a day; null where no use was noted. */
  lastUsedAt: string | null;
  /** Of its database; null when it is gone, closed to this role, or sizes could not be read. */
  sizeBytes: number | null;
}

export interface UnusedProjects {
  projects: UnusedProject[];
  /** Why no sizes could be read; null when they were. */
  sizesMissing: string | null;
}

export interface CreateParams {
  name: string;
  description?: string | null;
  /** The folder that gets the config file; none when absent. */
  directory?: string | null;
  dryRun?: boolean;
  /** Binds the folder on this machine alone: no file is written. */
  local?: boolean;
  agent?: AgentAsker;
}

export interface UpdateParams {
  project: string;
  /** Stays when absent. */
  name?: string;
  /** Stays when absent; null takes it away. */
  description?: string | null;
}

export interface AdoptParams {
  database: string;
  /** The project's name; from the marker, or from the database's name when absent. */
  name?: string | null;
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

/** Hears each step when it begins, in words for people: what takes long is told while it is done. */
export type OnStep = (step: string) => void;

/** What every client may ask for. Refusals other than a resolution's own are thrown as RegistrarError. */
export interface RegistrarApi {
  server(): ServerLabel;
  resolve(params: ResolveParams, onStep?: OnStep): Promise<Resolution>;
  listProjects(params: ListParams): Promise<ProjectPage>;
  /** Projects that nobody has used for this long, ms; the longest unused first. */
  unusedProjects(params: { unusedMs: number; query?: string | null }): Promise<UnusedProjects>;
  showProject(params: { project: string }): Promise<ListedProject>;
  createProject(params: CreateParams, onStep?: OnStep): Promise<Resolution>;
  renameProject(params: { project: string; name: string }): Promise<Resolution>;
  updateProject(params: UpdateParams): Promise<Resolution>;
  adoptDatabase(params: AdoptParams): Promise<Resolution>;
  forgetProject(params: { project: string }): Promise<Forgotten>;
  /** Destroys a project and its database; `confirm` is the database's name. */
  dropProject(params: { project: string; confirm: string | null }): Promise<Dropped>;
  /** Makes a new, empty database for a project whose own is gone; `confirm` is the database's name. */
  remakeProject(params: { project: string; confirm: string | null }, onStep?: OnStep): Promise<Resolution>;
  /** Binds a folder to an existing project: writes its id and name into the folder's config file, or a local binding. */
  useProject(params: UseParams, onStep?: OnStep): Promise<Resolution>;
  /** Takes a folder's local binding back, and resolves it again. */
  removeBinding(params: { directory: string }): Promise<Resolution>;
  connection(params: ResolveParams): Promise<Connection>;
  /** What there is to read in the resolved project's database. */
  describeDatabase(params: ResolveParams, signal?: AbortSignal): Promise<DescribeAnswer>;
  /** One statement that reads, in the resolved project's database, as a role that can do nothing else. */
  queryDatabase(params: QueryParams, signal?: AbortSignal): Promise<QueryAnswer>;
  syncStatus(): Promise<SyncStatus>;
  /** Tries every pending project now. */
  syncNow(): Promise<SyncStatus>;
  drift(): Promise<DriftReport>;
  /** Applies the automatic actions of the plan that `drift` gave, or throws PLAN_STALE. */
  repair(params: { planId: string }, onStep?: OnStep): Promise<RepairResult>;
}
