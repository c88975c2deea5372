import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs, welcomeSays } from './drawn.ts';
import { press } from './question.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

describe('a folder without a config', () => {
  it('is told so, and nothing is made', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await welcomeSays('No project here, so agents get no database.');
    await statusBarIs(null);
    await takePicture('no-project');
  });

  it('gets its project by a click and Enter', async () => {
    await ask('click', '.welcome-view-content a.monaco-button:has-text("Initialize")');
    await waitFor('the question', async () => (await ask<string>('quickInput')).includes('name'));
    await takePicture('initialize');
    await press('Enter');
    await statusBarIs('$(database) shop');
    const rows = await rowsOnce('the project', (drawn) => (drawn[0] ?? '').endsWith(' ready'));
    assert.match(rows[0] ?? '', /^shop {2}cb_proj_shop_/);
  });
});
