import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as vscode from 'vscode';
import { commandIds, settingIds } from '../../../extension/contributions.ts';
import { createLink } from '../../../extension/createLink.ts';
import { McpProvider } from '../../../extension/mcpProvider.ts';
import type { Passwords } from '../../../extension/passwords.ts';
import { ProjectStore } from '../../../extension/projectStore.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { ask } from './ask.ts';
import { rowsOnce } from './drawn.ts';
import { pick } from './question.ts';
import { set } from './settings.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
const extension = vscode.extensions.getExtension(`${manifest.publisher}.${manifest.name}`);
const run = (id: string): Thenable<string | null> => vscode.commands.executeCommand<string | null>(id);

describe('agents of a window', () => {
  after(() => set('chat.disableAIFeatures', true));

  it('stand in the tree with its folder when they are VS Code’s own', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await set('chat.disableAIFeatures', false);
    // VS Code reads what extensions offer some time after it has switched its agents on.
    const isShown = async (): Promise<boolean> => {
      await vscode.commands.executeCommand('workbench.mcp.startServer', '*', { autoTrustChanges: true });
      return (await ask<string[]>('rows')).some((row) => /^ {4}\S.*\/shop {3}(now|\d+ s ago)$/.test(row));
    };
    await waitFor('VS Code’s own agent', isShown);
    await takePicture('agents');
  });

  it('get the endpoint, token and folder when a server is started, and nothing while the setting is off', async () => {
    assert.ok(extension);
    const store = new ProjectStore();
    const passwords = { of: () => Promise.resolve(null) } as unknown as Passwords;
    const link = createLink({ extension } as vscode.ExtensionContext, store, passwords);
    const provider = new McpProvider(store, link, manifest.version);
    store.update({ folders: [{ name: 'shop', path: folder }], isTrusted: true });
    const [offered] = provider.provideMcpServerDefinitions();
    assert.ok(offered);
    assert.equal(JSON.stringify(offered).includes('Bearer'), false);
    const { uri, headers } = await provider.resolveMcpServerDefinition(offered);
    const client = new Client({ name: 'tester', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(uri.toString()), { requestInit: { headers } }));
    const answer = await client.callTool({ name: 'resolve_project', arguments: {} });
    const { project, directory } = answer.structuredContent as { project: { name: string }; directory: string };
    assert.equal(project.name, 'shop');
    assert.equal(directory, folder);
    await rowsOnce('the other agent', (rows) => rows.some((row) => /^ {4}tester {2}.*\/shop/.test(row)));
    await client.close();

    let changes = 0;
    provider.onDidChangeMcpServerDefinitions(() => (changes += 1));
    await link.call('rotateToken', undefined);
    await waitFor('the offer with another token', () => changes > 0);
    const [rotated] = provider.provideMcpServerDefinitions();
    assert.notEqual(rotated?.version, offered.version);
    const { headers: later } = await provider.resolveMcpServerDefinition(rotated ?? offered);
    assert.match(later['Authorization'] ?? '', /^Bearer [0-9a-f]{64}$/);
    assert.notEqual(later['Authorization'], headers['Authorization']);

    changes = 0;
    await set(settingIds.mcpEnabled, false);
    await waitFor('the change', () => changes > 0);
    assert.deepEqual(provider.provideMcpServerDefinitions(), []);
    await set(settingIds.mcpEnabled, undefined);
    provider.dispose();
    link.close();
    store.dispose();
  });

  it('are connected after somebody has seen what is written, and disconnected again', async () => {
    const file = path.join(process.env.CLAUDE_CONFIG_DIR ?? '?', '.claude.json');
    const choose = async (deed: string): Promise<string | null> => {
      const asked = run(commandIds.connectAgent);
      await waitFor('the agents', async () => (await ask<string>('quickInput')).includes('Gemini CLI'));
      if (deed.startsWith('Write')) await takePicture('connect-an-agent');
      await pick('Claude Code');
      await waitFor(deed, async () => (await ask<string>('quickInput')).includes(deed));
      await waitFor('what is written', async () => (await ask<string>('rendered')).includes('mcpServers'));
      await takePicture(deed.startsWith('Write') ? 'connect-claude-code' : 'disconnect-claude-code');
      await pick(deed);
      return asked;
    };
    assert.match(
      (await choose('Write it')) ?? '',
      /^Claude Code: .*\.claude\.json now has the entry; restart Claude Code/,
    );
    const written = JSON.parse(await readFile(file, 'utf8')) as { mcpServers: { registrar: { args: string[] } } };
    assert.deepEqual(written.mcpServers.registrar.args, ['mcp']);
    assert.match((await choose('Remove it')) ?? '', /^Claude Code: entry removed from .*\.claude\.json$/);
    assert.equal(existsSync(file), false);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('over HTTP get another token, and people hear which entries have the former one', async () => {
    const endpoint = path.join(process.env.REGISTRAR_HOME ?? '?', 'endpoint.json');
    const tokenOf = async (): Promise<string> =>
      (JSON.parse(await readFile(endpoint, 'utf8')) as { token: string }).token;
    const before = await tokenOf();
    assert.equal(
      await run(commandIds.rotateAgentToken),
      'Agents over HTTP now need the new token; VS Code’s own agents have it',
    );
    assert.notEqual(await tokenOf(), before);
  });

  it('that Registrar does not know are told its address', async () => {
    assert.match((await run(commandIds.copyMcpAddress)) ?? '', /^Copied http:.*\. It needs the token that /);
    assert.match(await vscode.env.clipboard.readText(), /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  });
});
