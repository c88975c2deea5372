/** Every id that the manifest contributes, once; a test compares this table with package.json. */

export const commandIds = {
  initialize: 'registrar.initialize',
  useExisting: 'registrar.useExisting',
  resolveAgain: 'registrar.resolveAgain',
  explain: 'registrar.explain',
  openConfig: 'registrar.openConfig',
  syncNow: 'registrar.syncNow',
  checkDrift: 'registrar.checkDrift',
  repairDrift: 'registrar.repairDrift',
  createProject: 'registrar.createProject',
  renameProject: 'registrar.renameProject',
  adoptDatabase: 'registrar.adoptDatabase',
  forgetProject: 'registrar.forgetProject',
  dropDatabase: 'registrar.dropDatabase',
  openPsql: 'registrar.openPsql',
  copyConnectionString: 'registrar.copyConnectionString',
  testConnection: 'registrar.testConnection',
  restartDaemon: 'registrar.restartDaemon',
  showLog: 'registrar.showLog',
  filterProjects: 'registrar.filterProjects',
  clearFilter: 'registrar.clearFilter',
  setPostgres: 'registrar.setPostgres',
  useBundled: 'registrar.useBundled',
  connectAgent: 'registrar.connectAgent',
  copyMcpAddress: 'registrar.copyMcpAddress',
  rotateAgentToken: 'registrar.rotateAgentToken',
  // Only on rows of the tree: the same actions in the words of the situation.
  manageTrust: 'registrar.manageTrust',
  tryNow: 'registrar.tryNow',
  useThatProject: 'registrar.useThatProject',
  startAnew: 'registrar.startAnew',
  remakeDatabase: 'registrar.remakeDatabase',
  shareDatabase: 'registrar.shareDatabase',
  removeBinding: 'registrar.removeBinding',
  copyStatement: 'registrar.copyStatement',
  chooseAnotherName: 'registrar.chooseAnotherName',
  renameThis: 'registrar.renameThis',
  giveUp: 'registrar.giveUp',
  loadMore: 'registrar.loadMore',
  useLocalPostgres: 'registrar.useLocalPostgres',
  enterPassword: 'registrar.enterPassword',
  useDaemonAddress: 'registrar.useDaemonAddress',
  useThisAddress: 'registrar.useThisAddress',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

export const containerId = 'registrar';
export const viewId = 'registrar.projects';
export const mcpProviderId = 'registrar.mcp';
export const walkthroughId = 'start';

export const settingIds = {
  postgresUrl: 'registrar.postgres.url',
  projectSchema: 'registrar.postgres.projectSchema',
  ownerRole: 'registrar.postgres.ownerRole',
  workflowUrl: 'registrar.workflow.url',
  defaultProject: 'registrar.defaultProject.enabled',
  writeId: 'registrar.config.writeId',
  idleMinutes: 'registrar.daemon.idleMinutes',
  mcpTools: 'registrar.mcp.tools',
  mcpEnabled: 'registrar.mcp.enabled',
  terminalEnvironment: 'registrar.terminal.environment',
} as const;

/** Context keys that `when` clauses of the manifest ask for. */
export const contextKeys = {
  /** A `Welcome`: which one, if any, stands in the view. */
  welcome: 'registrar.welcome',
  /** Whether the daemon can be asked for this window. */
  isReady: 'registrar.isReady',
  /** Whether the folder of the active editor, or the first, has a project. */
  hasProject: 'registrar.hasProject',
  /** Whether an agent has asked the daemon. */
  hasAgent: 'registrar.hasAgent',
  /** Whether the list of all projects is narrowed. */
  isFiltered: 'registrar.isFiltered',
  /** Whether psql was found. */
  hasPsql: 'registrar.hasPsql',
  /** Whether a PostgreSQL was found at localhost:5432 while none is chosen. */
  hasLocalPostgres: 'registrar.hasLocalPostgres',
  /** Whether this machine goes, and what is on it. */
  isContainer: 'registrar.isContainer',
} as const;
