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

/** What is destroyed or replaced has to be named: `confirm` is the database's name. */
const confirmed = { ...project, confirm: 'text|null' } as const;

/** Which entry, in which agent's file; `directory` is the workspace folder, absolute. */
const connection = { agent: 'agent', transport: 'transport', scope: 'scope', directory: 'text' } as const;

const people = ['window', 'command'] as const;
const window = ['window'] as const;
const command = ['command'] as const;

/** An operation whose answer is of this type, which only the compiler knows. */
const gives =
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it is what the caller says
  <Answer>() =>
    <const Facts extends OperationFacts>(facts: Facts): Facts & { readonly answer?: Answer } =>
      facts;

/**
 * Everything that can be asked of the daemon, each written down once. From this come the interfaces of `methods.ts`, what
 * the pipe checks and serves, what a client sends and what it asks again when an answer was lost, the API that agents' tools
 * get, what agents are told of the tools, and the reference. Whatever an operation refuses is thrown as RegistrarError,
 * but for refusals of a resolution, which are part of it.
 */
export const operations = {
  server: gives<ServerLabel>()({
    does: 'Opens PostgreSQL if need be, and says which it is.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: people,
  }),
  resolve: gives<Resolution>()({
    does: 'Finds the project of a folder, or the one that is named, and makes its database when it has none.',
    by: 'engine',
    params: question,
    effect: 'settles',
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
    does: 'Lists who did what within this time (ms), to all projects or to one (by its id or any name that it had).',
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
    does: 'Makes a project and its database, and binds a folder to it.',
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
  // A project that was named by its old name is not found a second time, or another one has taken that name.
  updateProject: gives<Resolution>()({
    does: 'Gives a project another name or description; what is left out stays, and a null description is taken away.',
    by: 'engine',
    params: { ...project, name: 'text?', description: 'text|null?' },
    effect: 'changes',
    askedBy: people,
    tools: ['update_project'],
  }),
  adoptDatabase: gives<Resolution>()({
    does: 'Registers a database that is there, under a name, or the one of its marker or its own when that is absent.',
    by: 'engine',
    params: { database: 'text', name: 'text|null?' },
    effect: 'changes',
    askedBy: people,
  }),
  forgetProject: gives<Forgotten>()({
    does: 'Takes a project out of the registry; its database stays.',
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
    does: 'Makes a new, empty database for a project whose own is gone.',
    by: 'engine',
    params: confirmed,
    effect: 'changes',
    askedBy: people,
    with: 'steps',
  }),
  useProject: gives<Resolution>()({
    does: 'Binds a folder to an existing project, by its config file or on this machine alone.',
    by: 'engine',
    params: {
      ...project,
      directory: 'text',
      /** Binds on this machine alone; no file changes. */
      local: 'flag?',
      /** The project's origin as a person typed it, where the folder's is another. */
      confirm: 'text|null?',
    },
    effect: 'settles',
    replaces: true,
    askedBy: people,
    tools: ['use_project'],
    judgesAsker: true,
    with: 'steps',
  }),
  // Asked again, it would refuse: the folder has no binding any more.
  removeBinding: gives<Resolution>()({
    does: 'Takes a folder’s local binding back, and resolves it again.',
    by: 'engine',
    params: { directory: 'text' },
    effect: 'changes',
    replaces: true,
    askedBy: people,
  }),
  connection: gives<Connection>()({
    does: 'Resolves, and gives what a program needs to connect to the project’s database.',
    by: 'engine',
    params: question,
    effect: 'settles',
    askedBy: people,
    judgesAsker: true,
  }),
  describeDatabase: gives<DescribeAnswer>()({
    does: 'Resolves, and says what there is to read in the project’s database.',
    by: 'engine',
    params: question,
    effect: 'settles',
    askedBy: command,
    tools: ['describe_database'],
    judgesAsker: true,
    with: 'signal',
  }),
  queryDatabase: gives<QueryAnswer>()({
    does: 'Resolves, and runs one statement that reads in the project’s database, as a role that can do nothing else.',
    by: 'engine',
    params: {
      ...question,
      sql: 'text',
      /** Values of $1, $2, … */
      params: 'values?',
      /** Most rows to give; 100 when absent, 1 to 1000. */
      limit: 'number?',
    },
    effect: 'settles',
    askedBy: command,
    tools: ['query_database'],
    judgesAsker: true,
    with: 'signal',
  }),
  syncStatus: gives<SyncStatus>()({
    does: 'Says what waits for the registry.',
    by: 'engine',
    params: null,
    effect: 'reads',
    askedBy: command,
    tools: ['sync_status'],
  }),
  syncNow: gives<SyncStatus>()({
    does: 'Tries to register now what waits.',
    by: 'engine',
    params: null,
    effect: 'settles',
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
  // The plan is another as soon as some of it was applied.
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
    does: 'Says which folders this window has open now.',
    by: 'daemon',
    params: { folders: 'folders' },
    effect: 'settles',
    askedBy: window,
  }),
  look: gives<null>()({
    does: 'Refreshes what windows show of their folders; makes nothing.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  checkConfig: gives<ConfigProblem[]>()({
    does: 'Says what is wrong with a config file whose text, without byte order mark, would be this.',
    by: 'daemon',
    params: { path: 'text', text: 'long text' },
    effect: 'reads',
    askedBy: window,
  }),
  // Only the first answer says which projects the former server keeps.
  changeAddress: gives<AddressChange>()({
    does: 'Serves another PostgreSQL from now on, and keeps that choice; the password is kept in memory only.',
    by: 'daemon',
    params: { postgres: 'postgres', password: 'text|null' },
    effect: 'changes',
    askedBy: people,
  }),
  tryAddress: gives<TriedAddress>()({
    does: 'Connects to an address once, the chosen one when it is null.',
    by: 'daemon',
    params: { url: 'text|null', password: 'text|null' },
    effect: 'reads',
    askedBy: window,
  }),
  // Repeated late, it would put an older password in front of a newer one.
  savePassword: gives<{ path: string }>()({
    does: 'Puts a password into libpq’s password file, and gives that file’s path.',
    by: 'daemon',
    params: { url: 'text', password: 'some text' },
    effect: 'changes',
    askedBy: window,
  }),
  rotateToken: gives<{ url: string | null }>()({
    does: 'Makes another token; agents over HTTP are sent away, and come again with it.',
    by: 'daemon',
    params: null,
    effect: 'changes',
    replaces: true,
    askedBy: people,
  }),
  mcpAddress: gives<{ url: string; token: string }>()({
    does: 'Gives what an agent over HTTP needs.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  connections: gives<ConnectionRecord[]>()({
    does: 'Lists Registrar’s entries in the files of agents.',
    by: 'daemon',
    params: null,
    effect: 'reads',
    askedBy: window,
  }),
  planConnection: gives<ConnectionPlan>()({
    does: 'Says what an agent’s file would get.',
    by: 'daemon',
    params: connection,
    effect: 'reads',
    askedBy: window,
  }),
  // Only the first answer says whether something was written.
  connectAgent: gives<'written' | 'replaced' | 'unchanged'>()({
    does: 'Puts an entry into an agent’s file.',
    by: 'daemon',
    params: connection,
    effect: 'changes',
    askedBy: window,
  }),
  disconnectAgent: gives<'removed' | 'absent'>()({
    does: 'Takes an entry out of an agent’s file.',
    by: 'daemon',
    params: { file: 'text' },
    effect: 'changes',
    replaces: true,
    askedBy: window,
  }),
  drain: gives<null>()({
    does: 'Finishes what runs, refuses the new, leaves; the bundled PostgreSQL keeps running for a successor.',
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
