import assert from 'node:assert/strict';
import { findEntry } from '../../../daemon/connect/agentText.ts';
import { agentSnippet, stdioEntry } from '../../../daemon/protocol/agentEntry.ts';
import { agentIds, agents } from '../../../daemon/protocol/agents.ts';
import type { AgentEntry, AgentId, ConnectionScope } from '../../../daemon/protocol/agents.ts';

const launcher = '/home/a/it is mine/bin/registrar';
const url = 'http://127.0.0.1:4321/mcp';
const headers = { Authorization: 'Bearer c0ffee' };

/** What each agent's own documentation says that such an entry looks like. */
const expected: Record<AgentId, { stdio: AgentEntry; http: AgentEntry | null; reference: AgentEntry | null }> = {
  vscode: {
    stdio: { type: 'stdio', command: launcher, args: ['mcp'] },
    http: { type: 'http', url, headers },
    reference: { type: 'http', url, headers: { Authorization: 'Bearer ${env:REGISTRAR_MCP_TOKEN}' } },
  },
  'claude-code': {
    stdio: { type: 'stdio', command: launcher, args: ['mcp'] },
    http: { type: 'http', url, headers },
    reference: { type: 'http', url, headers: { Authorization: 'Bearer ${REGISTRAR_MCP_TOKEN}' } },
  },
  cursor: {
    stdio: { command: launcher, args: ['mcp', '--directory', '${workspaceFolder}'] },
    http: { url, headers },
    reference: { url, headers: { Authorization: 'Bearer ${env:REGISTRAR_MCP_TOKEN}' } },
  },
  codex: {
    stdio: { command: launcher, args: ['mcp'] },
    http: { url, http_headers: headers },
    reference: { url, bearer_token_env_var: 'REGISTRAR_MCP_TOKEN' },
  },
  'claude-desktop': { stdio: { command: launcher, args: ['mcp'] }, http: null, reference: null },
  windsurf: {
    stdio: { command: launcher, args: ['mcp'] },
    http: { serverUrl: url, headers },
    reference: { serverUrl: url, headers: { Authorization: 'Bearer ${env:REGISTRAR_MCP_TOKEN}' } },
  },
  zed: { stdio: { command: launcher, args: ['mcp'] }, http: { url, headers }, reference: null },
  'gemini-cli': {
    stdio: { command: launcher, args: ['mcp'] },
    http: { httpUrl: url, headers },
    reference: { httpUrl: url, headers: { Authorization: 'Bearer $REGISTRAR_MCP_TOKEN' } },
  },
};

const commands: Partial<Record<AgentId, string[]>> = {
  vscode: ['code', '--add-mcp', JSON.stringify({ name: 'registrar', type: 'stdio', command: launcher, args: ['mcp'] })],
  'claude-code': ['claude', 'mcp', 'add', '--scope', 'user', 'registrar', '--', launcher, 'mcp'],
  codex: ['codex', 'mcp', 'add', 'registrar', '--', launcher, 'mcp'],
  'gemini-cli': ['gemini', 'mcp', 'add', '--scope', 'user', 'registrar', launcher, 'mcp'],
};

const files: Record<AgentId, { linux: string; darwin: string; win32: string; workspace: string | null }> = {
  vscode: {
    linux: '~/.config/Code/User/mcp.json',
    darwin: '~/Library/Application Support/Code/User/mcp.json',
    win32: '~/AppData/Roaming/Code/User/mcp.json',
    workspace: '.vscode/mcp.json',
  },
  'claude-code': same('~/.claude.json', '.mcp.json'),
  cursor: same('~/.cursor/mcp.json', '.cursor/mcp.json'),
  codex: same('~/.codex/config.toml', '.codex/config.toml'),
  'claude-desktop': {
    linux: '~/.config/Claude/claude_desktop_config.json',
    darwin: '~/Library/Application Support/Claude/claude_desktop_config.json',
    win32: '~/AppData/Roaming/Claude/claude_desktop_config.json',
    workspace: null,
  },
  windsurf: same('~/.codeium/windsurf/mcp_config.json', null),
  zed: {
    linux: '~/.config/zed/settings.json',
    darwin: '~/.config/zed/settings.json',
    win32: '~/AppData/Roaming/Zed/settings.json',
    workspace: null,
  },
  'gemini-cli': same('~/.gemini/settings.json', null),
};

function same(path: string, workspace: string | null): (typeof files)[AgentId] {
  return { linux: path, darwin: path, win32: path, workspace };
}

describe('the table of agents', () => {
  for (const id of agentIds) {
    const agent = agents[id];

    it(`${agent.name}: an entry for a process, one with the token, and one that refers to it`, () => {
      const { stdio, http, reference } = expected[id];
      assert.equal(agent.id, id);
      assert.deepEqual(stdioEntry(agent, launcher, 'user'), stdio);
      assert.deepEqual(agent.httpEntry(url, 'c0ffee'), http);
      assert.deepEqual(agent.httpEntry(url, null), reference);
      assert.deepEqual(agent.addCommand(stdio, 'user'), commands[id] ?? null);
    });

    it(`${agent.name}: the snippet is a file that says just the entry`, () => {
      for (const entry of Object.values(expected[id])) {
        if (entry) assert.deepEqual(findEntry(agent, agentSnippet(agent, entry)), entry);
      }
    });

    it(`${agent.name}: its files on each platform`, () => {
      for (const platform of ['linux', 'darwin', 'win32'] as const) {
        const parts = agent.userFile({ platform, home: '~', environment: {} });
        assert.equal(parts.join('/'), files[id][platform]);
      }
      assert.equal(agent.workspaceFile?.join('/') ?? null, files[id].workspace);
      assert.ok(!agent.writable || agent.workspaceFile);
    });
  }

  it('passes the workspace folder where the agent puts it in', () => {
    const args = (id: AgentId, scope: ConnectionScope): unknown => stdioEntry(agents[id], launcher, scope)['args'];
    const passed = ['mcp', '--directory', '${workspaceFolder}'];
    assert.deepEqual([args('vscode', 'user'), args('vscode', 'workspace')], [['mcp'], passed]);
    assert.deepEqual([args('cursor', 'user'), args('cursor', 'workspace')], [passed, passed]);
  });

  it('offers an agent’s own command only where it does the same', () => {
    const { stdio } = expected['claude-code'];
    assert.deepEqual(agents['claude-code'].addCommand(stdio, 'workspace')?.slice(3, 5), ['--scope', 'project']);
    assert.equal(agents.vscode.addCommand(stdio, 'workspace'), null);
    assert.equal(agents.codex.addCommand(stdio, 'workspace'), null);
  });

  it('follows the folders that an agent’s environment names', () => {
    const file = (id: AgentId, environment: Record<string, string>, platform = 'linux'): string =>
      agents[id].userFile({ platform, home: '/home/a', environment }).join('/');
    assert.equal(file('codex', { CODEX_HOME: '/x' }), '/x/config.toml');
    assert.equal(file('claude-code', { CLAUDE_CONFIG_DIR: '/x' }), '/x/.claude.json');
    assert.equal(file('vscode', { XDG_CONFIG_HOME: '/x' }), '/x/Code/User/mcp.json');
    assert.equal(file('vscode', { APPDATA: 'C:/x' }, 'win32'), 'C:/x/Code/User/mcp.json');
    assert.equal(file('codex', { CODEX_HOME: '' }), '/home/a/.codex/config.toml');
  });
});
