import type { AgentConnections } from '../protocol/agentConnections.ts';
import type { AddressChange, DaemonStatus } from '../protocol/control.ts';
import type { RegistrarApi } from '../protocol/methods.ts';
import type { ServerLabel } from '../protocol/model.ts';
import type { ErrorReport } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';

/** What the commands need of a standard stream; `process.stdout` and `process.stderr` are such. */
export interface TextOutput {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** What connecting to a PostgreSQL address revealed. */
export interface PostgresFacts {
  /** Such as `15.3`. */
  version: string;
  role: string;
  mayCreateDatabases: boolean;
  /** The registry database that the address names. */
  registry: string;
}

/** Which PostgreSQL this terminal uses, its address without password; `chosen` is null if none was chosen. */
export interface ChosenPostgres {
  chosen: 'bundled' | 'url' | 'environment' | null;
  address: string | null;
  /** What the running daemon serves; null if none runs, or if it has opened none. */
  daemon: ServerLabel | null;
}

/** A daemon that is this process. */
export interface OwnDaemon {
  pid: number;
  /** Settles when it has ended, for whatever reason. */
  ended: Promise<void>;
  end(): Promise<void>;
}

/** The daemon as the commands about it see it. */
export interface DaemonControl {
  /** Null if none runs; starts none. Throws DAEMON_UNREACHABLE if one should answer but does not. */
  status(): Promise<DaemonStatus | null>;
  /** False if none ran. */
  stop(): Promise<boolean>;
  /** Starts one in the background, unless one runs. */
  start(databaseUrl: string | null): Promise<DaemonStatus>;
  /**
   * Creates a new token for agents over HTTP and closes the connections that used the former one; starts a daemon if
   * necessary.
   */
  rotateToken(databaseUrl: string | null): Promise<{ url: string | null }>;
  /** Becomes the daemon; null when another process is. */
  become(databaseUrl: string | null): Promise<OwnDaemon | null>;
  /** The lines of its log; with `follow` also those to come, until the signal. */
  log(follow: boolean, signal: AbortSignal): AsyncIterable<string>;
}

/** What Registrar keeps on this machine besides its program. */
export interface FoundHere {
  stateFolder: string;
  /** Names in the state folder. */
  entries: string[];
  /** The folder of the bundled PostgreSQL's data; null when there is none. */
  bundledData: string | null;
  agents: { agent: string; file: string }[];
}

export interface Uninstall {
  found(): Promise<FoundHere>;
  /**
   * Removes it all, the bundled PostgreSQL whoever is connected to it; no daemon may run. Throws PROVISION_FAILED, with
   * nothing removed, when that server does not stop.
   *
   * @returns the agents' entries that could not be removed, and what is left in the state folder because it was not
   *   ours
   */
  remove(): Promise<{ failures: ErrorReport[]; left: string[] }>;
}

/** Everything outside the commands that they use. */
export interface CliContext {
  /** Without the names of the runtime and of the script. */
  argv: readonly string[];
  stdin: NodeJS.ReadableStream & { isTTY?: boolean | undefined };
  stdout: TextOutput;
  stderr: TextOutput;
  cwd: string;
  home: string;
  environment: Record<string, string | undefined>;
  version: string;
  settings: {
    read(): Promise<Settings>;
    update(change: (settings: Settings) => Settings): Promise<Settings>;
  };
  /**
   * Attaches to the daemon, which is started when none runs. Progress is for people, one line each.
   *
   * @throws RegistrarError POSTGRES_NOT_CHOSEN, CREDENTIALS_REQUIRED, ADDRESS_MISMATCH, DAEMON_UNREACHABLE, …
   */
  open(options: {
    databaseUrl: string | null;
    bundledUnlessChosen: boolean;
    /** Without a running daemon this process is it until `close`. */
    ownDaemon: boolean;
    onProgress: (message: string) => void;
  }): Promise<RegistrarApi & { close(): Promise<void> }>;
  daemon: DaemonControl;
  /** Carries messages between an agent on the standard streams and the daemon, until the agent ends. */
  forwardAgent(directory: string | null): Promise<void>;
  /** Registrar's entries in the files of agents. */
  connections(): AgentConnections;
  /** Connects once, to check the address. CREDENTIALS_REQUIRED if the server requires another password. */
  tryPostgres(url: string, password: string | null): Promise<PostgresFacts>;
  /**
   * Saves the choice of a PostgreSQL, through the daemon if one runs, which then serves it.
   *
   * @returns what the daemon made of it; null when none runs
   */
  choosePostgres(postgres: NonNullable<Settings['postgres']>, password: string | null): Promise<AddressChange | null>;
  /** Puts the password where libpq looks for it; gives the path of that file. */
  savePassword(url: string, password: string): Promise<string>;
  uninstall(): Uninstall;
  describePostgres(): Promise<ChosenPostgres>;
  /** Creates the sample workspace; returns its absolute path. */
  sampleWorkspace(): Promise<string>;
  /**
   * Writes a file that contains a password, completely or not at all. Only the user can read a new one.
   *
   * @param edit makes the new bytes; null stands for no file
   * @throws RegistrarError INVALID_ARGUMENT when git tracks it, or it cannot be written; it is then as it was
   */
  writeEnvironmentFile(
    path: string,
    edit: (before: Buffer | null) => Buffer,
  ): Promise<'created' | 'changed' | 'unchanged'>;
  /**
   * Runs a command on this terminal; gives its exit status (128 + n when signal n ended it), or never returns because this
   * process became the command. Signals are the command's meanwhile. Throws CommandNotRun when it cannot be found or run.
   */
  run(command: string, args: readonly string[], environment: Record<string, string | undefined>): Promise<number>;
  /** Settles when the user wants the process to end. After this call, that no longer ends it at once. */
  untilStopped(): Promise<void>;
}
