import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import manifest from '../../../package.json' with { type: 'json' };
import { commandIds, viewId } from '../../../extension/contributions.ts';
import { ask, hasPage } from './ask.ts';
import { statusBarIs } from './drawn.ts';
import { note } from './note.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

describe('the extension as it is installed', () => {
  const extension = vscode.extensions.getExtension(`${manifest.publisher}.${manifest.name}`);
  const [shop, empty, pay] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(shop && empty && pay);
  const config = vscode.Uri.joinPath(shop.uri, '.codebase-mcp/config.json');

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  async function openFrom(file: string, folder: vscode.WorkspaceFolder): Promise<vscode.TextEditor | undefined> {
    await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, file));
    await vscode.commands.executeCommand(commandIds.openConfig);
    return vscode.window.activeTextEditor;
  }

  it('is the installed one', () => {
    assert.ok(extension?.extensionPath.startsWith(process.env.REGISTRAR_TEST_EXTENSIONS ?? '?'));
  });

  it('makes a folder’s project without a click', async () => {
    const written = vscode.Uri.joinPath(pay.uri, '.codebase-mcp/config.json');
    const hasId = async (): Promise<boolean> =>
      new TextDecoder().decode(await vscode.workspace.fs.readFile(written)).includes('"id"');
    await waitFor('the id in the config', hasId);
    if (!hasPage) return;
    await vscode.window.showTextDocument(vscode.Uri.joinPath(pay.uri, 'notes.txt'));
    await statusBarIs('$(database) pay');
  });

  it('registers the commands of its manifest and no others', async () => {
    await extension?.activate();
    const registered = (await vscode.commands.getCommands(true)).filter(
      // Those of the view are VS Code's own.
      (id) => id.startsWith('registrar.') && !id.startsWith(`${viewId}.`),
    );
    assert.deepEqual(registered.sort(), Object.values(commandIds).sort());
  });

  it('is not slow to activate', async () => {
    if (!hasPage) return;
    await vscode.commands.executeCommand('workbench.action.showRuntimeExtensions');
    let activations: string[] = [];
    const isListed = async (): Promise<boolean> => {
      activations = (await ask<string[]>('activations')).filter((text) => text.includes(manifest.displayName));
      return activations.length > 0;
    };
    await waitFor('the extension among those that run', isListed);
    note(activations.join(' ').replaceAll(/\s+/g, ' '));
  });

  it("opens the config of the active editor's folder from a file below it", async () => {
    const editor = await openFrom('src/deep/main.txt', shop);
    assert.equal(editor?.document.uri.toString(), config.toString());
  });

  it('opens nothing in a folder without a config', async () => {
    const editor = await openFrom('notes.txt', empty);
    assert.equal(editor?.document.uri.toString(), vscode.Uri.joinPath(empty.uri, 'notes.txt').toString());
  });

  it('treats the config as JSON with comments and shows where it breaks the schema', async () => {
    const editor = await openFrom('src/deep/main.txt', shop);
    assert.equal(editor?.document.languageId, 'jsonc');

    await waitFor('the problem in the config', () => vscode.languages.getDiagnostics(config).length > 0);
    const problems = vscode.languages.getDiagnostics(config);
    assert.deepEqual(
      problems.map(({ message, range }) => ({ message, text: editor.document.getText(range) })),
      [{ message: 'Incorrect type. Expected "boolean".', text: '"banana"' }],
    );
    await takePicture('open-config');
  });
});
