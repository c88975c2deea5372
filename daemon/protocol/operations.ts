import type { ConnectionPlan, ConnectionRecord } from './agentConnections.ts';
import type { DescribeAnswer, QueryAnswer } from './agentSql.ts';
import type { Connection, Dropped, Forgotten, ListedEvents, SyncStatus, UnusedProjects } from './answers.ts';
import type { ConfigProblem } from './configProblems.ts';
import type { AddressChange, DaemonStatus, TriedAddress } from './control.ts';
import type { DriftReport, RepairResult } from './drift.ts';
import type { ListedProject, ProjectPage, Resolution, ServerLabel } from './model.ts';
import type { OperationFacts } from './operationModel.ts';

/** Which project is meant, and where. */
const question = {
  /** Absolute path that the caller works in; null when it has none. */
  directory: 'text|null?',
  /** Explicit reference: an id in any UUID spelling, or a name. */
  project: 'text|null?',
  /** Refuse any project but this one (id or name). */
  expect: 'text|null?',
  dryRun: 'flag?',
} as const;

/** A project by its id or name. */
const project = { project: 'text' } as const;

/** A call that destroys or replaces a database has to name it: `confirm` is the database's name. */
const confirmed = { ...project, confirm: 'text|null' } as const;

/** Which entry, in which agent's file; `directory` is the workspace folder, absolute. */
const connection = { agent: 'agent', transport: 'transport', scope: 'scope', directory: 'text' } as const;

const people = ['window', 'command'] as const;
const window = ['window'] as const;
const command = ['command'] as const;

/** An operation whose answer has this type, which only the compiler knows. */
const gives =
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it is what the caller says
  <Answer>() =>
    <const Facts extends OperationFacts>(facts: Facts): Facts & { readonly answer?: Answer } =>
      facts;

/**
 * All operations of the daemon, each written down once. The interfaces of `methods.ts`, the checks and handlers at the
 * pipe, what a client sends and repeats, the API that agents' tools get, the tools' annotations, and the reference are
 * derived from it. An operation throws its refusals as RegistrarError, except for those of a resolution, which are part
 * of the answer.
 */
export const operations = {
  server: gives<ServerLabel>()({
    does: 'Connects to PostgreSQL if necessary, and says which server it is.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: people,
  }),
  resolve: gives<Resolution>()({
    does: 'Finds the project of a folder, or the one that is named, and creates its database if it has none.',
    by: 'engine',
    params: question,
    effect: 'ensures',
    askedBy: people,
    tools: ['resolve_project', 'set_working_directory'],
    judgesAsker: true,
    with: 'steps',
  }),
  listProjects: gives<ProjectPage>()({
    does: 'Lists projects by name, a page at a time.',
    by: 'engine',
    params: {
      /** Part of a name, any case. */
      query: 'text|null?',
      /** 1 to 1000, 100 when absent. */
      limit: 'number?',
      cursor: 'text|null?',
    },
    effect: 'reads',
    askedBy: people,
    tools: ['list_projects'],
  }),
  unusedProjects: gives<UnusedProjects>()({
    does: 'Lists the projects that nobody has used for this long (ms), the longest unused first.',
    by: 'engine',
    params: { unusedMs: 'positive number', query: 'text|null?' },
    effect: 'reads',
    askedBy: command,
  }),
  listEvents: gives<ListedEvents>()({
    does: 'Lists who did what within this time (ms), to all projects or to one (by its id or any name it has had).',
    by: 'engine',
    params: { project: 'text|null?', sinceMs: 'positive number' },
    effect: 'reads',
    askedBy: command,
  }),
  showProject: gives<ListedProject>()({
    does: 'Shows one project.',
    by: 'engine',
    params: project,
    effect: 'reads',
    askedBy: command,
    tools: ['get_project'],
  }),
  createProject: gives<Resolution>()({
    does: 'Creates a project and its database, and binds a folder to it.',
    by: 'engine',
    params: {
      name: 'text',
      description: 'text|null?',
      /** The folder that gets the config file; none when absent. */
      directory: 'text|null?',
      dryRun: 'flag?',
      /** Binds the folder on this machine alone: no file is written. */
      local: 'flag?',
    },
    effect: 'changes',
    askedBy: people,
    tools: ['create_project'],
    judgesAsker: true,
    with: 'steps',
  }),
  // The second time, a project that was named by its old name is not found, or another one has taken that name.
  updateProject: gives<Resolution>()({
    does: 'Renames a project or changes its description; what is left out stays, and null removes the description.',
    by: 'engine',
    params: { ...project, name: 'text?', description: 'text|null?' },
    effect: 'changes',
    askedBy: people,
    tools: ['update_project'],
  }),
  adoptDatabase: gives<Resolution>()({
    does: 'Registers an existing database under a name; by default, under the one in its marker, or its own.',
    by: 'engine',
    params: { database: 'text', name: 'text|null?' },
    effect: 'changes',
    askedBy: people,
  }),
  forgetProject: gives<Forgotten>()({
    does: 'Removes a project from the registry; its database stays.',
    by: 'engine',
    params: project,
    effect: 'changes',
    replaces: true,
    askedBy: people,
    tools: ['forget_project'],
  }),
  dropProject: gives<Dropped>()({
    does: 'Destroys a project and its database.',
    by: 'engine',
    params: confirmed,
    effect: 'changes',
    replaces: true,
    askedBy: people,
  }),
  remakeProject: gives<Resolution>()({
    does: 'Creates a new, empty database for a project whose own is gone.',
    by: 'engine',
    params: confirmed,
    effect: 'changes',
    askedBy: people,
    with: 'steps',
  }),
  useProject: gives<Resolution>()({
    does: 'Binds a folder to an existing project, in its config file or on this machine only.',
    by: 'engine',
    params: {
      ...project,
      directory: 'text',
      /** Binds on this machine alone; no file changes. */
      local: 'flag?',
      /** The project's origin as a person typed it, if the folder has a different one. */
      confirm: 'text|null?',
    },
    effect: 'ensures',
    replaces: true,
    askedBy: people,
    tools: ['use_project'],
    judgesAsker: true,
    with: 'steps',
  }),
  // A second call would be refused, because the folder no longer has a binding.
  removeBinding: gives<Resolution>()({
    does: 'Removes a folder’s local binding, and resolves the folder again.',
    by: 'engine',
    params: { directory: 'text' },
    effect: 'changes',
    replaces: true,
    askedBy: people,
  }),
  connection: gives<Connection>()({
    does: 'Resolves, and returns what a program needs to connect to the project’s database.',
    by: 'engine',
    params: question,
    effect: 'ensures',
    askedBy: people,
    judgesAsker: true,
  }),
  describeDatabase: gives<DescribeAnswer>()({
    does: 'Resolves, and describes what the project’s database contains.',
    by: 'engine',
    params: question,
    effect: 'ensures',
    askedBy: command,
    tools: ['describe_database'],
    judgesAsker: true,
    with: 'signal',
  }),
  queryDatabase: gives<QueryAnswer>()({
    does: 'Resolves, and runs one statement that reads the project’s database, as a role that can do nothing else.',
    by: 'engine',
    params: {
      ...question,
      sql: 'text',
      /** Values of $1, $2, … */
      params: 'values?',
      /** Most rows to give; 100 when absent, 1 to 1000. */
      limit: 'number?',
    },
    effect: 'ensures',
    askedBy: command,
    tools: ['query_database'],
    judgesAsker: true,
    with: 'signal',
  }),
  syncStatus: gives<SyncStatus>()({
    does: 'Lists what is waiting for the registry.',
    by: 'engine',
    params: null,
    effect: 'reads',
    askedBy: command,
    tools: ['sync_status'],
  }),
  syncNow: gives<SyncStatus>()({
    does: 'Tries now to register what is waiting.',
    by: 'engine',
    params: null,
    effect: 'ensures',
    askedBy: people,
    tools: ['sync_now'],
  }),
  drift: gives<DriftReport>()({
    does: 'Compares registry, databases, config files and memory.',
    by: 'engine',
    params: null,
    effect: 'reads',
    askedBy: people,
    tools: ['check_drift'],
  }),
  // The plan changes as soon as a part of it has been applied.
  repair: gives<RepairResult>()({
    does: 'Applies the automatic actions of the plan that drift gave.',
    by: 'engine',
    params: { planId: 'text' },
    effect: 'changes',
    askedBy: people,
    tools: ['repair_drift'],
    with: 'steps',
  }),
  status: gives<DaemonStatus>()({
    does: 'Says what the daemon is and does.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: people,
    whileLeaving: true,
  }),
  setFolders: gives<null>()({
    does: 'Tells the daemon which folders this window has open.',
    by: 'daemon',
    params: { folders: 'folders' },
    effect: 'ensures',
    askedBy: window,
  }),
  look: gives<null>()({
    does: 'Refreshes what windows show of their folders; creates nothing.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  checkConfig: gives<ConfigProblem[]>()({
    does: 'Checks the text of a config file, without byte order mark, and says what is wrong with it.',
    by: 'daemon',
    params: { path: 'text', text: 'long text' },
    effect: 'reads',
    askedBy: window,
  }),
  // Only the first answer lists the projects that stay on the former server.
  changeAddress: gives<AddressChange>()({
    does: 'Switches to another PostgreSQL and saves that choice; the password is kept in memory only.',
    by: 'daemon',
    params: { postgres: 'postgres', password: 'text|null' },
    effect: 'changes',
    askedBy: people,
  }),
  tryAddress: gives<TriedAddress>()({
    does: 'Tries to connect to an address; null means the chosen one.',
    by: 'daemon',
    params: { url: 'text|null', password: 'text|null' },
    effect: 'reads',
    askedBy: window,
  }),
  // Repeated late, it would put an older password in front of a newer one.
  savePassword: gives<{ path: string }>()({
    does: 'Saves a password in libpq’s password file, and returns that file’s path.',
    by: 'daemon',
    params: { url: 'text', password: 'some text' },
    effect: 'changes',
    askedBy: window,
  }),
  rotateToken: gives<{ url: string | null }>()({
    does: 'Creates a new token, and closes the connections of agents over HTTP, which then need it.',
    by: 'daemon',
    params: null,
    effect: 'changes',
    replaces: true,
    askedBy: people,
  }),
  mcpAddress: gives<{ url: string; token: string }>()({
    does: 'Returns what an agent needs to connect over HTTP.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  connections: gives<ConnectionRecord[]>()({
    does: 'Lists Registrar’s entries in agents’ files.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  planConnection: gives<ConnectionPlan>()({
    does: 'Shows the entry that an agent’s file would get.',
    by: 'daemon',
    params: connection,
    effect: 'reads',
    askedBy: window,
  }),
  // Only the first answer says whether something was written.
  connectAgent: gives<'written' | 'replaced' | 'unchanged'>()({
    does: 'Adds Registrar’s entry to an agent’s file.',
    by: 'daemon',
    params: connection,
    effect: 'changes',
    askedBy: window,
  }),
  disconnectAgent: gives<'removed' | 'absent'>()({
    does: 'Removes Registrar’s entry from an agent’s file.',
    by: 'daemon',
    params: { file: 'text' },
    effect: 'changes',
    replaces: true,
    askedBy: window,
  }),
  drain: gives<null>()({
    does: 'Finishes running requests, refuses new ones, and shuts down; the bundled PostgreSQL keeps running for a successor.',
    by: 'daemon',
    params: { stopServer: 'flag', reason: 'text' },
    effect: 'changes',
    askedBy: people,
    whileLeaving: true,
  }),
};

/** What clients of version 0.1 ask for under another name, with parameters that the operation takes, too. */
export const formerNames = { renameProject: 'updateProject' } as const satisfies Record<
  string,
  keyof typeof operations
>;
