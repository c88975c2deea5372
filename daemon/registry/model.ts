import type { Project, SyncState } from '../protocol/model.ts';

/** A folder on one machine. Paths are real paths: no symlinks, no trailing slash. */
export interface Folder {
  host: string;
  path: string;
}

/** One file or folder whatever its path is, as decimal numbers: device, inode, and time of birth in ns since 1970. */
export interface FileIdentity {
  device: string;
  inode: string;
  birth: string;
}

/** What git's files say about where a folder comes from: the same on every clone, however each spells the address. */
export interface FolderGit {
  /** Every equal spelling of the address of the one remote that counts, normalised, sorted; empty when none counts. */
  origins: string[];
  /** The folder's path inside its working tree, with `/`; empty at the top. */
  pathInRepository: string;
  /** The working tree's root, a real path. */
  root: string;
  /** The git folder that all worktrees share. */
  repository: { path: string } & FileIdentity;
  /** Set for a linked worktree whose pointers were verified both ways; `main` is null where the repository is bare. */
  worktree: { main: string | null; name: string } | null;
}

/** What version 0.1 keeps of git, and what is still written for it: the addresses of all remotes. */
export interface GitEvidence {
  origins: string[];
  pathInRepository: string;
}

/** An origin that belongs to a project, and where in the repository the project's folder is. */
export interface KeptOrigin {
  origin: string;
  path: string;
  /** The id of the host on which an address that is a local path means something; absent for all others. */
  hostId?: string;
}

/** A folder on one machine, as it was when it claimed: its path, and which folder and `.git` stood there. */
export interface KeptFolder {
  hostId: string;
  /** The machine's name then, for people, and for daemons of another state folder on the same machine. */
  host: string;
  path: string;
  identity: FileIdentity | null;
  /** The folder's nearest `.git`; null where there was none. */
  dotGit: FileIdentity | null;
  /** The origins that supported the claim, the first first; empty where the folder had none. */
  origins: string[];
  /** Changes with the repository's config; kept in the state folder only, so that a new origin there is noticed. */
  configStamp?: string;
}

/** A folder that claimed a project, and the name that its config last claimed. */
export interface KeptClaim extends KeptFolder {
  name: string;
  /** ISO 8601. */
  at: string;
}

/** What a row keeps to tell its own folders from strangers. */
export interface RowEvidence {
  /** At most 32: the first, and those that were added last. */
  origins: KeptOrigin[];
  /** The folder that the project was made in or first claimed by; null for none. */
  folder: KeptFolder | null;
  /** Folders that a person bound with `use`; never pushed out. */
  claims: KeptClaim[];
  /** Of a row that was made again from its marker: hashes of its origins with their paths. */
  hashes?: string[];
}

export type RowState = 'provisioning' | 'ready' | 'dropping';

/** What Registrar keeps under `metadata.registrar` of a row; a row that codebase-mcp wrote has none of it. */
export interface RegistrarMetadata {
  state?: RowState;
  /** The folder that the project was created in or first claimed by. */
  folder?: Folder;
  git?: GitEvidence;
  /** Absent on rows that version 0.1 or codebase-mcp wrote. */
  evidence?: RowEvidence;
  /** Ids that the project had before it was re-keyed; it is still found by them. */
  formerIds?: string[];
  /** The name that each folder's config last claimed, by `folderKey`, as version 0.1 reads and rewrites it. */
  claims?: Record<string, Claimed>;
  /** `user@host` of whoever created it. */
  creator?: string;
  /** Written at most once a day. */
  lastUsedAt?: string;
  /** True for a row that was made again from its marker, which knows nothing of folders: its name alone proves nothing. */
  rebuilt?: boolean;
  /**
   * True while a database that somebody dropped without Registrar is being made again: whoever completes it says that
   * the data is gone.
   */
  recreating?: boolean;
  /** True when the database name came from the config and not from the project's name and id. */
  databaseNameChosen?: boolean;
  /** The role that owns the database that was made for this row. */
  madeAs?: string;
  /** The role that owned the database when a person adopted it: believed from then on, whichever member's daemon asks. */
  adoptedOwner?: string;
}

export interface Claimed {
  name: string;
  at: string;
}

/** What somebody did to a project, as the registry keeps it. */
export interface RegistryEvent {
  /** ISO 8601 in UTC. */
  at: string;
  /** The role that logged in to the server. */
  actor: string;
  /** The machine's name. */
  host: string;
  /** `user@host` of whoever did it, as that machine said; null where it said nothing. */
  by: string | null;
  operation: string;
  projectId: string;
  name: string;
  databaseName: string;
  /** Of the database that was dropped; null if nobody could measure it. */
  bytes: number | null;
  tables: number | null;
  /** What the row kept at that moment, its evidence above all. */
  registrar: RegistrarMetadata;
}

/** A row of the registry, or an outbox entry on its way to become one. */
export interface RegistryRow extends Project {
  registrar: RegistrarMetadata;
}

/** The identity marker of a database: `COMMENT ON DATABASE` as JSON under the key `registrar`. */
export interface Marker {
  registry: string;
  projectId: string;
  name: string;
  createdAt: string;
  schemaVersion: string | null;
  forgottenAt: string | null;
  /** Hashes of the project's origins with their paths, from which a registry that is lost gets its evidence back. */
  evidence?: string[];
  /** A hash of the folder that the project was made in, by which that folder knows it while no row lists it. */
  folder?: string;
}

/** What the catalog says about one database name. */
export interface DatabaseSighting {
  /** `interrupted`: a DROP DATABASE was cut short (datconnlimit = -2); it cannot be connected to and must be dropped. */
  presence: 'present' | 'absent' | 'interrupted';
  comment: string | null;
}

/** The same, with who may have written the comment. */
export interface OwnedDatabase extends DatabaseSighting {
  /** The owner's role; null for what is not there. */
  owner: string | null;
  /** Whether that role may speak for projects: ours, the team's, the registry's, or a superuser. */
  isOwnerBelieved: boolean;
}

/** A database of the server, whether or not a row names it. */
export interface NamedDatabase extends OwnedDatabase {
  databaseName: string;
}

/** A sighting: a project and the physical database that its row names, as one statement saw them. */
export interface Sighting {
  row: RegistryRow;
  database: DatabaseSighting;
  /** How far the registry knows the row; an outbox entry is `pending` or `parked`. */
  sync: SyncState;
}

export interface MarkedDatabase {
  databaseName: string;
  marker: Marker;
}

/** What a workspace's config file claims, and the evidence that its folder gives. */
export interface Claim {
  name: string;
  id: string | null;
  /** An override of the database's name, from `project.database_name`. */
  databaseName: string | null;
  description: string | null;
  /** Null when no folder claims it: a project made by name alone. */
  folder: Folder | null;
}

/** The key of a folder in `claims`: unique per machine and path. */
export function folderKey(folder: Folder): string {
  return `${folder.host}:${folder.path}`;
}

/** A row as everyone outside sees it: without the fields that only the rules use. */
export function projectOf(row: RegistryRow): Project {
  return {
    id: row.id,
    name: row.name,
    databaseName: row.databaseName,
    description: row.description,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    metadata: row.metadata,
  };
}
