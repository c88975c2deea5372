/** What `settings.json` in the state folder holds. The keys of options are those of the VS Code settings. */
export interface Settings {
  /** The chosen PostgreSQL: the bundled one, a URL without password, or null when none was chosen. */
  postgres: { kind: 'bundled' } | { kind: 'url'; url: string } | null;
  /** Real paths of folders whose config files count, whoever owns them. */
  trustedFolders: string[];
  /** Path of an SQL file that every project database gets, or null. */
  'registrar.postgres.projectSchema': string | null;
  'registrar.postgres.ownerRole': string | null;
  'registrar.workflow.url': string | null;
  'registrar.defaultProject.enabled': boolean;
  'registrar.config.writeId': 'always' | 'untracked' | 'never';
  /** Minutes without window, agent or work after which the daemon ends. */
  'registrar.daemon.idleMinutes': number;
  /** Whether agents are served over HTTP; over stdio they always are. */
  'registrar.mcp.enabled': boolean;
  'registrar.mcp.tools': AgentTools;
}

/** The options that a window may send: what a person set in VS Code applies to everybody. */
export type WindowSettings = Partial<Omit<Settings, 'postgres' | 'trustedFolders'>>;

/** Which tools agents see: those for work in a project, or also those that manage projects. */
export type AgentTools = 'standard' | 'all';
