import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandIds } from '../../../extension/contributions.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const configPath = path.join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', '.codebase-mcp', 'config.json');

describe('a folder that is not trusted', () => {
  it('is shown as restricted; no daemon is started for it', async () => {
    const untouched = await readFile(configPath, 'utf8');
    assert.equal(vscode.workspace.isTrusted, false);
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await statusBarIs('$(shield) restricted');
    await rowsOnce(
      'the folder',
      (drawn) => drawn[0] === 'shop  restricted' && drawn[1]?.startsWith('  Nothing is created or written.') === true,
    );
    await takePicture('restricted');
    assert.equal((await readdir(process.env.REGISTRAR_HOME ?? '')).includes('endpoint.json'), false);
    assert.equal(await readFile(configPath, 'utf8'), untouched);
  });

  it('has its project as soon as it is trusted', async () => {
    await vscode.commands.executeCommand(commandIds.manageTrust);
    await takePicture('manage-trust');
    await ask('click', '.workspace-trust-editor .trusted a.monaco-button:has-text("Trust")');
    await waitFor('the trust', () => vscode.workspace.isTrusted);
    await statusBarIs('$(database) shop');
    await rowsOnce('the project', (drawn) => (drawn[0] ?? '').endsWith(' ready'));
  });
});
