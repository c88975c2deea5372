/** Registrar's name among an agent's MCP servers. */
export const serverName = 'registrar';

/** The environment variable from which an agent takes the token where its file must not hold it. */
export const tokenVariable = 'REGISTRAR_MCP_TOKEN';

export const agentIds = [
  'vscode',
  'claude-code',
  'cursor',
  'codex',
  'claude-desktop',
  'windsurf',
  'zed',
  'gemini-cli',
] as const;

export type AgentId = (typeof agentIds)[number];

/** Whether an entry applies wherever the user works, or in one workspace folder. */
export type ConnectionScope = 'user' | 'workspace';

/** One server as an agent's file describes it. */
export type AgentEntry = Record<string, string | string[] | Record<string, string>>;

/** Where a user's agents keep their files. */
export interface AgentSurroundings {
  platform: string;
  /** Absolute. */
  home: string;
  environment: Record<string, string | undefined>;
}

export interface Agent {
  id: AgentId;
  /** For people. */
  name: string;
  format: 'json' | 'toml';
  /** Key of the object, or the table, that holds the servers by their names. */
  serversKey: string;
  /** Whether `registrar connect --write` edits its files. */
  writable: boolean;
  /** The parts of the path of the user's own file. */
  userFile(surroundings: AgentSurroundings): string[];
  /** The parts of the file's path in a workspace folder; null when there is none, or it is not edited by hand. */
  workspaceFile: string[] | null;
  /** Whether its servers can find out the user's folder without being told in the conversation. */
  tellsFolder: boolean;
  /** The placeholder for the workspace folder in a server's arguments; null if there is none. */
  folderVariable(scope: ConnectionScope): string | null;
  /**
   * The entry for the endpoint; null when there can be none. Without a token it refers to `tokenVariable`, which not
   * every agent understands.
   */
  httpEntry(url: string, token: string | null): AgentEntry | null;
  /** Its own command that adds a server, word by word; null when it has none for this scope. */
  addCommand(entry: AgentEntry, scope: ConnectionScope): string[] | null;
}

const vscode: Agent = {
  id: 'vscode',
  name: 'VS Code',
  format: 'json',
  serversKey: 'servers',
  writable: true,
  userFile: (surroundings) => [...applicationFolder(surroundings), 'Code', 'User', 'mcp.json'],
  workspaceFile: ['.vscode', 'mcp.json'],
  tellsFolder: true,
  // In the user's file the variable keeps the server from starting (microsoft/vscode issues 245905, 264535); VS Code
  // names the folders when it is asked for its roots instead.
  folderVariable: (scope) => (scope === 'workspace' ? '${workspaceFolder}' : null),
  // code.visualstudio.com/docs/reference/variables-reference
  httpEntry: (url, token) => ({ type: 'http', url, headers: bearer(token ?? `\${env:${tokenVariable}}`) }),
  addCommand: (entry, scope) =>
    scope === 'user' ? ['code', '--add-mcp', JSON.stringify({ name: serverName, ...entry })] : null,
};

const claudeCode: Agent = {
  id: 'claude-code',
  name: 'Claude Code',
  format: 'json',
  serversKey: 'mcpServers',
  writable: true,
  userFile: ({ home, environment }) => [...(given(environment['CLAUDE_CONFIG_DIR']) ?? [home]), '.claude.json'],
  workspaceFile: ['.mcp.json'],
  tellsFolder: true,
  // It puts CLAUDE_PROJECT_DIR into the server's environment (code.claude.com/docs/en/mcp), but has it not in its own,
  // so that it could not be interpolated here.
  folderVariable: () => null,
  httpEntry: (url, token) => ({ type: 'http', url, headers: bearer(token ?? `\${${tokenVariable}}`) }),
  addCommand: ({ command, args }, scope) => [
    ...['claude', 'mcp', 'add', '--scope', scope === 'user' ? 'user' : 'project', serverName, '--'],
    ...[command, args].flat().map(String),
  ],
};

const cursor: Agent = {
  id: 'cursor',
  name: 'Cursor',
  format: 'json',
  serversKey: 'mcpServers',
  writable: true,
  userFile: ({ home }) => [home, '.cursor', 'mcp.json'],
  workspaceFile: ['.cursor', 'mcp.json'],
  tellsFolder: true,
  // It starts the servers of the user's file in the home folder, but interpolates here (cursor.com/docs/context/mcp).
  folderVariable: () => '${workspaceFolder}',
  httpEntry: (url, token) => ({ url, headers: bearer(token ?? `\${env:${tokenVariable}}`) }),
  addCommand: () => null,
};

const codex: Agent = {
  id: 'codex',
  name: 'Codex',
  format: 'toml',
  serversKey: 'mcp_servers',
  writable: true,
  userFile: ({ home, environment }) => [...(given(environment['CODEX_HOME']) ?? [home, '.codex']), 'config.toml'],
  // Read in folders that the user trusts (developers.openai.com/codex/mcp).
  workspaceFile: ['.codex', 'config.toml'],
  tellsFolder: true,
  folderVariable: () => null,
  // It refuses a token as plain value, but sends headers as they are.
  httpEntry: (url, token) =>
    token === null ? { url, bearer_token_env_var: tokenVariable } : { url, http_headers: bearer(token) },
  addCommand: ({ command, args }, scope) =>
    scope === 'user' ? ['codex', 'mcp', 'add', serverName, '--', ...[command, args].flat().map(String)] : null,
};

const claudeDesktop: Agent = {
  id: 'claude-desktop',
  name: 'Claude Desktop',
  format: 'json',
  serversKey: 'mcpServers',
  writable: false,
  userFile: (surroundings) => [...applicationFolder(surroundings), 'Claude', 'claude_desktop_config.json'],
  workspaceFile: null,
  // It works in no folder.
  tellsFolder: false,
  folderVariable: () => null,
  // Its file takes local servers only; remote ones are added as connectors and must be on the internet.
  httpEntry: () => null,
  addCommand: () => null,
};

const windsurf: Agent = {
  id: 'windsurf',
  name: 'Windsurf',
  format: 'json',
  serversKey: 'mcpServers',
  writable: false,
  userFile: ({ home }) => [home, '.codeium', 'windsurf', 'mcp_config.json'],
  workspaceFile: null,
  // It interpolates environment variables only (docs.windsurf.com/windsurf/cascade/mcp).
  tellsFolder: false,
  folderVariable: () => null,
  httpEntry: (url, token) => ({ serverUrl: url, headers: bearer(token ?? `\${env:${tokenVariable}}`) }),
  addCommand: () => null,
};

const zed: Agent = {
  id: 'zed',
  name: 'Zed',
  format: 'json',
  serversKey: 'context_servers',
  writable: false,
  userFile: (surroundings) =>
    surroundings.platform === 'win32'
      ? [...applicationFolder(surroundings), 'Zed', 'settings.json']
      : [surroundings.home, '.config', 'zed', 'settings.json'],
  workspaceFile: null,
  tellsFolder: true,
  folderVariable: () => null,
  // zed.dev/docs/ai/mcp
  httpEntry: (url, token) => (token === null ? null : { url, headers: bearer(token) }),
  addCommand: () => null,
};

const geminiCli: Agent = {
  id: 'gemini-cli',
  name: 'Gemini CLI',
  format: 'json',
  serversKey: 'mcpServers',
  writable: false,
  userFile: ({ home }) => [home, '.gemini', 'settings.json'],
  workspaceFile: null,
  tellsFolder: true,
  folderVariable: () => null,
  // `url` would mean server-sent events (geminicli.com/docs/tools/mcp-server).
  httpEntry: (url, token) => ({ httpUrl: url, headers: bearer(token ?? `$${tokenVariable}`) }),
  addCommand: ({ command, args }) => [
    ...['gemini', 'mcp', 'add', '--scope', 'user', serverName],
    ...[command, args].flat().map(String),
  ],
};

/** The agents that Registrar knows how to connect, in the order in which they are shown. */
export const agents: Record<AgentId, Agent> = {
  vscode,
  'claude-code': claudeCode,
  cursor,
  codex,
  'claude-desktop': claudeDesktop,
  windsurf,
  zed,
  'gemini-cli': geminiCli,
};

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** Where applications keep what is the user's. */
function applicationFolder({ platform, home, environment }: AgentSurroundings): string[] {
  if (platform === 'darwin') return [home, 'Library', 'Application Support'];
  if (platform === 'win32') return given(environment['APPDATA']) ?? [home, 'AppData', 'Roaming'];
  return given(environment['XDG_CONFIG_HOME']) ?? [home, '.config'];
}

function given(folder: string | undefined): string[] | null {
  return folder === undefined || folder === '' ? null : [folder];
}
