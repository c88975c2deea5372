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
  connectAgent: 'registrar.connectAgent',
  copyMcpAddress: 'registrar.copyMcpAddress',
  // On rows of the tree only: the same deeds in the words of the situation.
  manageTrust: 'registrar.manageTrust',
  tryNow: 'registrar.tryNow',
  useThatProject: 'registrar.useThatProject',
  shareDatabase: 'registrar.shareDatabase',
  chooseAnotherName: 'registrar.chooseAnotherName',
  renameThis: 'registrar.renameThis',
  giveUp: 'registrar.giveUp',
  loadMore: 'registrar.loadMore',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

export const containerId = 'registrar';
export const viewId = 'registrar.projects';
export const mcpProviderId = 'registrar.mcp';
export const walkthroughId = 'start';

export const settingIds = {
  postgresUrl: 'registrar.postgres.url',
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
} as const;
