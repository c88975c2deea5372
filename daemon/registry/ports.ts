import type { ErrorReport } from '../protocol/registrarError.ts';
import type {
  DatabaseSighting,
  FileIdentity,
  Folder,
  FolderGit,
  KeptClaim,
  MarkedDatabase,
  OwnedDatabase,
  RegistrarMetadata,
  RegistryEvent,
  RegistryRow,
  Sighting,
} from './model.ts';

export interface LookKeys {
  id: string | null;
  name: string | null;
}

/**
 * The outcome of reading the registry. `unreadable`: the server answers, but its `projects` table cannot be read or
 * created.
 */
export type Look = { kind: 'seen'; sightings: Sighting[] } | { kind: 'unreadable'; failure: ErrorReport };

/** `database-taken`: id and name are free, another row has the database name. */
export type Reserved =
  { kind: 'reserved' } | { kind: 'lost' } | { kind: 'database-taken' } | { kind: 'unwritable'; failure: ErrorReport };

/** `lost`: the row is not as it was observed; `taken`: another row has the new id, name or database name. */
export type Changed = 'done' | 'lost' | 'taken';

/** What to do with a row that was held. `lost`: its database was not as observed, and nothing was done. */
export type Held = 'keep' | 'delete' | 'lost';

/** What a conditional update sets; what it leaves out stays. `registrar` is merged into `metadata.registrar`. */
export interface RowChange {
  id?: string;
  name?: string;
  databaseName?: string;
  description?: string | null;
  registrar?: RegistrarMetadata;
  /** What the registry's event calls it, where the change alone does not say. */
  event?: 'used';
}

/** The comment to set on the row's database in the same transaction. */
export interface CommentChange {
  databaseName: string;
  /** The comment that the decision was made on: any other but `comment` itself stays, and the change is lost. */
  seen: string | null;
  comment: string;
}

/**
 * The registry table. Every method throws REGISTRY_UNREACHABLE or CREDENTIALS_REQUIRED when no server answers within its
 * limit, and REGISTRY_FORBIDDEN naming the missing privilege when the role may not do it.
 */
export interface RegistryPort {
  /**
   * Rows with this id or name, with their databases and markers, in one statement. `patient`: waits for a slow server
   * as long as a write may take, because memory could not answer instead.
   */
  look(keys: LookKeys, patient: boolean): Promise<Look>;
  /** The row that had this id before it was re-keyed. */
  lookFormerId(id: string): Promise<Sighting | null>;
  /** The rows with these ids. */
  lookIds(ids: readonly string[]): Promise<Sighting[]>;
  /** Rows whose id begins with these 8 hex digits, at most two. */
  lookIdPrefix(prefix: string): Promise<Sighting[]>;
  /** The row that names this database. */
  lookDatabaseOwner(databaseName: string): Promise<Sighting | null>;
  /** What made, adopted or dropped projects with this id or name, the newest first; nothing where no events are kept. */
  lookEvents(keys: LookKeys): Promise<RegistryEvent[]>;
  /** Inserts a row in state `provisioning`; on any conflict inserts nothing. */
  reserve(row: RegistryRow): Promise<Reserved>;
  /** Compare-and-set against the observed id, name, database name, state and folder, with the comment in one transaction. */
  change(observed: RegistryRow, change: RowChange, comment: CommentChange | null): Promise<Changed>;
  /** Inserts a row for a database that exists, with its comment, in one transaction. */
  insert(row: RegistryRow, comment: CommentChange): Promise<Changed>;
  /** Deletes the row as it was observed, with the comment (null when its database is gone), in one transaction. */
  remove(observed: RegistryRow, comment: CommentChange | null): Promise<Changed>;
  /**
   * Runs `work` while the row is locked as it was observed: nobody else can change or delete it meanwhile, mark its
   * database for it, or reserve its id or name. `delete` deletes the row afterwards. If `work` throws, the row stays as
   * it was.
   *
   * @param details what the event of a deletion says besides
   */
  whileHeld(
    observed: RegistryRow,
    work: (database: DatabaseSighting) => Promise<Held>,
    details?: object,
  ): Promise<Changed>;
  /** Rows by name, those after `after`, whose name contains `query`; at most `limit`. */
  list(page: ListKeys): Promise<Sighting[]>;
}

export interface ListKeys {
  query: string | null;
  after: string | null;
  limit: number;
}

/** Why a database cannot be dropped at present, as the end of a sentence, and what helps. */
export interface DropObstacle {
  what: string;
  hint: string;
}

export interface Abilities {
  role: string;
  /** The role that owns what it makes. */
  owner: string;
  mayCreateDatabases: boolean;
  /** A standby, or a server or role set to read only. */
  readOnly: boolean;
}

export interface ProjectSchema {
  sql: string;
  /** SHA-256 of `sql`. */
  version: string;
}

/** The server's databases, whatever the registry table says. Throws as `RegistryPort` does. */
export interface CatalogPort {
  /** The name of the registry that markers carry: the registry's database. */
  readonly registry: string;
  /** `host:port` for messages. */
  readonly label: string;
  abilities(): Promise<Abilities>;
  lookDatabase(databaseName: string): Promise<OwnedDatabase>;
  /**
   * Databases of this registry whose marker has this id or this name, forgotten ones included; only those whose owner is
   * believed, or who owns the row's databases by what the row says.
   */
  findMarked(keys: LookKeys, row?: RegistryRow): Promise<MarkedDatabase[]>;
  /** Throws PROVISION_FAILED. */
  createDatabase(databaseName: string): Promise<'created' | 'exists'>;
  /** Completes a DROP DATABASE that was cut short; does nothing to any other database. */
  finishDrop(databaseName: string): Promise<void>;
  /** Why the server would refuse to drop a database; null if it would not, or if the database is gone. */
  dropObstacle(databaseName: string): Promise<DropObstacle | null>;
  /** Bytes and tables of a database; null if it does not answer in time. */
  facts(databaseName: string): Promise<{ bytes: number; tables: number } | null>;
  /**
   * Destroys a database and ends every session in it, one daemon at a time. Does nothing when it is gone by then, or when
   * `isMeant` says of its comment that another one has its name. Throws PROVISION_FAILED.
   */
  dropDatabase(databaseName: string, isMeant: (comment: string | null) => boolean): Promise<void>;
  hasUserRelations(databaseName: string): Promise<boolean>;
  /** Runs `work`, short and without the server, while nobody else on this server does so for the same registry and name. */
  oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** What every project database gets, as its file is now; null when none is set. Throws PROVISION_FAILED when it cannot be read. */
  projectSchema(): Promise<ProjectSchema | null>;
  /**
   * Applies a schema, as the database's owner where this role may, and sets the comment in one transaction; a second runner
   * does nothing. `lost`: the database has another comment than was seen. Throws PROVISION_FAILED, and DATABASE_FOREIGN where
   * the row's database is a stranger's.
   */
  applySchema(schema: ProjectSchema, change: CommentChange, row: RegistryRow): Promise<'done' | 'lost'>;
  /** Sets a database's comment. `lost`: the database is gone, or has another comment than was seen. */
  comment(change: CommentChange): Promise<'done' | 'lost' | 'forbidden'>;
}

/** The durable queue of projects that the registry does not know yet. */
export interface OutboxPort {
  find(keys: LookKeys): RegistryRow[];
  rows(): RegistryRow[];
  sightingOf(row: RegistryRow, database: DatabaseSighting): Sighting;
  /** On disk before it returns. `lost`: an entry with this id or name already exists. Throws if the disk refuses. */
  add(row: RegistryRow, failure: ErrorReport): Promise<'added' | 'lost'>;
  change(observed: RegistryRow, change: RowChange): Promise<Changed>;
  remove(id: string): Promise<void>;
}

/** Projects that this daemon has resolved before; asked only when the registry cannot be read. */
export interface MemoryPort {
  recall(keys: LookKeys, folder: Folder | null): { row: RegistryRow; at: string } | null;
  remember(row: RegistryRow, folder: Folder | null): void;
  forget(id: string): void;
}

/** The file system, as far as evidence needs it. Paths are real paths. */
export interface FolderPort {
  exists(path: string): Promise<boolean>;
  /** What git's files say; null outside a repository. */
  git(path: string): Promise<FolderGit | null>;
  /** Which folder is at a path, and its nearest `.git`. */
  identify(path: string): Promise<FolderIdentity>;
  /**
   * Whether a folder is there. `gone` only where its parent can be read and is on the device that the folder was on;
   * `unknown` where a disk may not be mounted.
   *
   * @param device of the folder when it was last seen; null where nobody noted it
   */
  presence(path: string, device: string | null): Promise<'there' | 'gone' | 'unknown'>;
  /** Whether no other folder of the checkout has a config with this name; false if that cannot be known. */
  isOnlyConfigNamed(root: string, folder: string, name: string): Promise<boolean>;
}

export interface FolderIdentity {
  identity: FileIdentity | null;
  dotGit: FileIdentity | null;
  /** Changes when the repository's config is written; null where `.git` is no folder. */
  configStamp: string | null;
}

/** The claims of this host's folders, kept in the state folder. */
export interface ClaimsPort {
  /** Those to a project with one of these ids. */
  of(projectIds: readonly string[]): readonly KeptClaim[];
  /** Saves a claim in place of this folder's earlier one; on disk before it returns. Throws if the disk refuses. */
  keep(projectId: string, claim: KeptClaim): Promise<void>;
}

/**
 * Writes an id into the config file that makes the claim. `other`: the file has this other id by now; `not-meant`: a
 * setting forbids it.
 */
export type IdWritten =
  { kind: 'written' } | { kind: 'other'; id: string } | { kind: 'failed'; reason: string } | { kind: 'not-meant' };

export interface ConfigIdPort {
  /** The id that the file has now. Throws the CONFIG_… codes. */
  readId(): Promise<string | null>;
  writeId(id: string): Promise<IdWritten>;
}

/** Where new ids, times and names of people come from. */
export interface OriginPort {
  newId(): string;
  /** ISO 8601 in UTC. */
  now(): string;
  /** The machine's name. */
  host: string;
  /** A random id of this machine and state folder, since names change with the network. */
  hostId: string;
  /** `user@host`. */
  creator: string;
  /** SHA-256 as 64 hex digits. */
  hash(text: string): string;
  pause(ms: number): Promise<void>;
}

/** Events of the registry that belong to no change of a row. Nobody waits for them, and they never fail. */
export interface EventsPort {
  /** A folder's claim was refused. Recorded once a day for each project and folder, without identifying the folder. */
  refused(row: RegistryRow, folder: string): void;
  /** A project that the registry never had was ended; resolves when that is written, or will be tried again. */
  ended(operation: 'forgotten' | 'dropped', row: RegistryRow, details?: object): Promise<void>;
}

export interface RegistryPorts {
  events: EventsPort;
  registry: RegistryPort;
  catalog: CatalogPort;
  outbox: OutboxPort;
  memory: MemoryPort;
  folders: FolderPort;
  claims: ClaimsPort;
  origin: OriginPort;
  /** Registry and catalog for a dry run: a registry that does not exist is not created, and has no rows. */
  lookingOnly: Pick<RegistryPorts, 'registry' | 'catalog'>;
  /** Ids whose use could not be recorded since this daemon started; kept here, because the rules have no state. */
  unnoted: Set<string>;
}
