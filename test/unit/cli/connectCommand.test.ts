import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { agentConnections } from '../../../daemon/engine/agentConnections.ts';
import { agentIds } from '../../../daemon/protocol/agents.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';
import { cli } from './fakeCli.ts';
import type { FakeRun } from './fakeCli.ts';

const scratch = scratchFolder();
let count = 0;

/** Runs commands in a home folder of their own. */
function newHome(platform = 'linux'): { home: string; run: (...argv: string[]) => Promise<FakeRun> } {
  count += 1;
  const home = scratch.path(`home ${count}`);
  const connections = agentConnections({
    stateFolder: `${home}/state`,
    platform,
    home,
    environment: {},
    endpoint: async () => ({ url: 'http://127.0.0.1:4321/mcp', token: 'c0ffee' }),
    now: () => '2026-11-03T09:00:00.000Z',
  });
  const context = { home, cwd: `${home}/shop`, connections: () => connections };
  return { home, run: (...argv) => cli(['connect', ...argv], { context }) };
}

const json = ({ stdout }: FakeRun): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

describe('registrar connect', () => {
  it('lists the agents and where each is connected, without a daemon', async () => {
    const { home, run } = newHome();
    await run('codex', '--write');
    const listed = await run();
    assert.equal(listed.status, 0);
    assert.match(listed.stdout, /^ {2}vscode {10}VS Code {9}--write connects it$/m);
    assert.match(listed.stdout, /^ {2}codex {11}Codex {11}connected in ~\/\.codex\/config\.toml$/m);
    assert.match(listed.stdout, /^ {2}windsurf {8}Windsurf$/m);
    assert.match(listed.stdout, /\nnext: registrar connect AGENT\n$/);
    assert.deepEqual(listed.calls, []);
    const { agents } = json(await run('--json')) as { agents: { id: string; connectedIn: string[] }[] };
    assert.deepEqual(
      agents.map(({ id }) => id),
      agentIds,
    );
    assert.deepEqual(agents.find(({ id }) => id === 'codex')?.connectedIn, [`${home}/.codex/config.toml`]);
  });

  it('shows what to put where, ready to be copied', async () => {
    const { home, run } = newHome();
    const shown = await run('claude-code');
    assert.equal(
      shown.stdout,
      `Put this into ~/.claude.json:

{
  "mcpServers": {
    "registrar": {
      "type": "stdio",
      "command": "${home}/state/bin/registrar",
      "args": [
        "mcp"
      ]
    }
  }
}

or run:

  claude mcp add --scope user registrar -- '${home}/state/bin/registrar' mcp

  warning: ~/state/bin/registrar does not exist yet
  next: registrar serve
next: registrar connect claude-code --write does it for you
`,
    );
    await put(`${home}/state/bin/registrar`, '');
    const zed = await run('zed');
    assert.match(
      zed.stdout,
      /^Put this into ~\/\.config\/zed\/settings\.json:\n\n\{\n {2}"context_servers"[^]*\n\}\n$/,
    );
    assert.deepEqual(await readdir(home), ['state']);
  });

  it('shows every agent, over both ways that it has, as one JSON value', async () => {
    const { run } = newHome();
    for (const agent of agentIds) {
      const plan = json(await run(agent, '--json'));
      assert.deepEqual([plan['agent'], plan['transport'], plan['scope']], [agent, 'stdio', 'user']);
      const http = await run(agent, '--http', '--json');
      if (agent === 'claude-desktop') assert.equal(http.status, 2);
      else assert.match(JSON.stringify(json(http)['entry']), /Bearer c0ffee/);
    }
  });

  it('edits the file and undoes it, in the home folder and in a workspace', async () => {
    const { home, run } = newHome();
    const written = await run('cursor', '--write');
    assert.equal(written.status, 0);
    assert.match(written.stdout, /^Cursor: ~\/\.cursor\/mcp\.json now has the entry\.\n/);
    assert.match(
      written.stdout,
      /next: restart Cursor, or its MCP servers; undo with registrar connect cursor --remove\n$/,
    );
    assert.match((await run('cursor', '--write')).stdout, /already has the entry\.\n/);
    assert.match((await run('cursor', '--write', '--http')).stdout, /is up to date\.\n/);
    assert.match(
      (await run('cursor', '--remove')).stdout,
      /^Cursor: Registrar's entry was removed from ~\/\.cursor\/mcp\.json\.\n$/,
    );
    assert.match((await run('cursor', '--remove')).stdout, /^Cursor: .*mcp\.json contains nothing that --write added/);

    const workspace = await run('vscode', '--write', '--workspace', '--json');
    const file = `${home}/shop/.vscode/mcp.json`;
    assert.deepEqual(json(workspace), {
      agent: 'vscode',
      transport: 'stdio',
      scope: 'workspace',
      directory: `${home}/shop`,
      file,
      tokenVariable: null,
      launcher: { path: `${home}/state/bin/registrar`, exists: false },
      outcome: 'written',
    });
    assert.match(await readFile(file, 'utf8'), /\$\{workspaceFolder\}/);
    const removed = await run('vscode', '--remove', '--workspace', '--directory', `${home}/shop`, '--json');
    assert.deepEqual(json(removed), { agent: 'vscode', file, outcome: 'removed' });
    assert.deepEqual(await readdir(home), ['state']);
  });

  it('warns where an entry would not serve', async () => {
    const { home, run } = newHome();
    assert.match(
      (await run('windsurf')).stdout,
      /warning: Windsurf does not say in which folder it works\n {2}next: name the/,
    );
    assert.doesNotMatch((await run('cursor')).stdout, /does not say/);
    await put(`${home}/shop/.git/config`, '');
    const shared = await run('cursor', '--workspace');
    assert.match(shared.stdout, /warning: the entry contains a path on this machine, so others/);
    assert.ok(
      shared.stdout.endsWith(
        `next: registrar connect cursor --workspace --directory '${home}/shop' --write does it for you\n`,
      ),
    );
    const http = await run('codex', '--http', '--workspace', '--write');
    assert.match(
      http.stdout,
      /warning: the token is not written, because the file is in a repository that does not ignore it\n {2}next: start the agent with REGISTRAR_MCP_TOKEN=c0ffee\n/,
    );
    assert.match(
      await readFile(`${home}/shop/.codex/config.toml`, 'utf8'),
      /bearer_token_env_var = "REGISTRAR_MCP_TOKEN"/,
    );
  });

  it('gives agents over HTTP another token, and says whose entry has the former one', async () => {
    const { home, run } = newHome();
    await run('cursor', '--write', '--http');
    await run('claude-code', '--write');
    await run('vscode', '--write', '--http', '--workspace');
    const rotated = await run('--rotate-token');
    assert.equal(rotated.status, 0, rotated.stderr);
    assert.deepEqual(rotated.calls, [['rotateToken', null]]);
    assert.equal(
      rotated.stdout,
      `Agents over HTTP now need the new token; their connections have been closed.
VS Code’s own agents get it automatically.
  warning: Cursor still has the former token: ~/.cursor/mcp.json
  next: registrar connect cursor --http --write
  warning: VS Code still has the former token: ~/shop/.vscode/mcp.json
  next: registrar connect vscode --workspace --directory '${home}/shop' --http --write
`,
    );
    assert.deepEqual(json(await run('--rotate-token', '--json')), {
      url: 'http://127.0.0.1:4321/mcp',
      outdated: [
        { agent: 'cursor', scope: 'user', file: `${home}/.cursor/mcp.json` },
        { agent: 'vscode', scope: 'workspace', file: `${home}/shop/.vscode/mcp.json` },
      ],
    });
  });

  it('says which agents there are when it does not know one', async () => {
    const run = await cli(['connect', 'emacs']);
    assert.equal(run.status, 2);
    assert.match(run.stderr, /^INVALID_ARGUMENT: Registrar does not know an agent "emacs"\.\n/);
    for (const id of agentIds) assert.ok(run.stderr.includes(id));
  });

  it('refuses options that mean nothing together', async () => {
    for (const argv of [
      ['--write'],
      ['cursor', '--write', '--remove'],
      ['cursor', '--remove', '--http'],
      ['cursor', '--directory', '/x'],
      ['zed', '--workspace'],
      ['zed', '--write'],
      ['cursor', '--rotate-token'],
      ['--rotate-token', '--http'],
      [''],
    ]) {
      const run = await cli(['connect', ...argv]);
      assert.equal(run.status, 2, argv.join(' '));
      assert.match(run.stderr, /^INVALID_ARGUMENT: /);
    }
  });
});
