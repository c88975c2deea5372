import type { Project, SyncState } from '../protocol/model.ts';

/** A folder on one machine. Paths are real paths: no symlinks, no trailing slash. */
export interface Folder {
  host: string;
  path: string;
}

/** What tells one file or folder from another at the same path: decimal numbers as the file system gives them. */
export interface FileIdentity {
  device: string;
  inode: string;
  /** Nanoseconds since 1970; 0 where the file system does not keep it. */
  birth: string;
}

/** What git's files say about a folder in a working tree. */
export interface FolderGit {
  /** Every equal spelling of the address of the one remote that counts, normalised, sorted, each once; empty when none counts. */
  origins: string[];
  /** The folder's path inside its working tree, with `/`; empty at the top. */
  pathInRepository: string;
  /** Real path of the working tree's root. */
  root: string;
  /** The git directory that all worktrees share. */
  repository: { path: string } & FileIdentity;
  /** Set for a linked worktree whose pointers were verified both ways; `main`: the main checkout's root, null for a bare repository. */
  worktree: { main: string | null; name: string } | null;
}

/** What version 0.1 keeps in a row of where a folder comes from. */
export interface GitEvidence {
  /** Of every remote, normalised, sorted, each once; without user names, passwords or tokens. */
  origins: string[];
  /** The folder's path inside its working tree, with `/`; empty at the top. */
  pathInRepository: string;
}

export type RowState = 'provisioning' | 'ready' | 'dropping';

/** What Registrar keeps under `metadata.registrar` of a row; a row that codebase-mcp wrote has none of it. */
export interface RegistrarMetadata {
  state?: RowState;
  /** The folder that the project was created in or first claimed by. */
  folder?: Folder;
  git?: GitEvidence;
  /** Ids that the project had before it was re-keyed; it is still found by them. */
  formerIds?: string[];
  /** The name that each folder's config last claimed, by `folderKey`. */
  claims?: Record<string, Claimed>;
  /** `user@host` of whoever created it. */
  creator?: string;
  /** Written at most once a day. */
  lastUsedAt?: string;
  /** True for a row that was made again from its marker, which knows nothing of folders: its name alone proves nothing. */
  rebuilt?: boolean;
  /** True while a database that was dropped behind our back is made again: whoever completes it says that its data is gone. */
  recreating?: boolean;
  /** True when the database name came from the config and not from the project's name and id. */
  databaseNameChosen?: boolean;
}

export interface Claimed {
  name: string;
  at: string;
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
}

/** What the catalog says about one database name. */
export interface DatabaseSighting {
  /** `interrupted`: a DROP DATABASE was cut short (datconnlimit = -2); it cannot be connected to and must be dropped. */
  presence: 'present' | 'absent' | 'interrupted';
  comment: string | null;
}

/** A database of the server, whether or not a row names it. */
export interface NamedDatabase extends DatabaseSighting {
  databaseName: string;
}

/** A project and the physical database that its row names, seen in one statement. */
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
