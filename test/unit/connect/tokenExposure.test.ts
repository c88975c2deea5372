import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { AgentConnections, ConnectionPlan, ConnectionRequest } from '../../../daemon/protocol/agentConnections.ts';
import { put, scratchFolder } from '../config/scratchFolder.ts';
import { newHome, refusal, request, token } from './connectFixture.ts';

const scratch = scratchFolder();

const git = async (folder: string, ...args: string[]): Promise<void> => {
  await promisify(execFile)('git', args, { cwd: folder });
};

/** Makes a repository in which what the user ignores everywhere does not count. */
async function newRepository(folder: string): Promise<void> {
  await git(folder, 'init', '--quiet');
  await git(folder, 'config', 'core.excludesFile', '');
}

describe('the token of the endpoint', () => {
  const http = (more: Partial<ConnectionRequest> = {}): ConnectionRequest =>
    request('cursor', { transport: 'http', ...more });

  async function assertNotWritten(connections: AgentConnections, plan: ConnectionPlan, reason: RegExp): Promise<void> {
    assert.equal(plan.tokenVariable?.value, token);
    assert.match(plan.tokenVariable.reason, reason);
    await connections.write(plan);
    const text = await readFile(plan.file, 'utf8');
    assert.ok(text.includes('${env:REGISTRAR_MCP_TOKEN}') && !text.includes(token));
  }

  it('is written into a file that only the user can read', async () => {
    const { connections } = newHome(scratch);
    const plan = await connections.plan(http());
    assert.equal(plan.tokenVariable, null);
    await connections.write(plan);
    assert.ok((await readFile(plan.file, 'utf8')).includes(token));
    assert.equal((await stat(plan.file)).mode & 0o777, 0o600);
  });

  it('is not written into a file that other users can read', async () => {
    const { connections, at } = newHome(scratch);
    await put(at('.cursor', 'mcp.json'), '{}');
    await chmod(at('.cursor', 'mcp.json'), 0o644);
    await assertNotWritten(connections, await connections.plan(http()), /^can be read by other users$/);
  });

  it('is not written into a file that git tracks or could take, in a folder below or behind a link, too', async () => {
    const { connections, at } = newHome(scratch);
    await mkdir(at('shop', 'deep'), { recursive: true });
    await newRepository(at('shop'));
    const below = http({ scope: 'workspace', directory: at('shop', 'deep') });
    await assertNotWritten(connections, await connections.plan(below), /repository that does not ignore it/);
    await git(at('shop'), 'add', '.');
    await put(at('shop', '.gitignore'), '.cursor\n');
    // Tracked as it is, ignoring it changes nothing.
    assert.notEqual((await connections.plan(below)).tokenVariable, null);

    await symlink(at('shop', 'deep', '.cursor'), at('.cursor'));
    assert.notEqual((await connections.plan(http())).tokenVariable, null);
  });

  it('is written into a file that git ignores', async () => {
    const { connections, at } = newHome(scratch);
    await put(at('shop', '.gitignore'), '.cursor\n');
    await newRepository(at('shop'));
    const plan = await connections.plan(http({ scope: 'workspace', directory: at('shop') }));
    assert.equal(plan.tokenVariable, null);
    await connections.write(plan);
    assert.equal((await stat(plan.file)).mode & 0o777, 0o600);
  });

  it('is not written where a repository cannot be asked', async () => {
    const { connections, at } = newHome(scratch);
    await put(at('shop', '.git'), 'gitdir: /nowhere');
    const plan = await connections.plan(http({ scope: 'workspace', directory: at('shop') }));
    assert.notEqual(plan.tokenVariable, null);
  });

  it('is refused to an agent that cannot refer to it', async () => {
    const { connections, at, home } = newHome(scratch);
    await mkdir(at('.config', 'zed'), { recursive: true });
    await newRepository(home);
    const { code, message } = await refusal(connections.plan(request('zed', { transport: 'http' })));
    assert.equal(code, 'INVALID_ARGUMENT');
    assert.match(message, /^Zed would need the token in a file that is in a repository/);
  });
});
