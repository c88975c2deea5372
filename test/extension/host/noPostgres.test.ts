import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ask } from './ask.ts';
import { statusBarIs, welcomeSays } from './drawn.ts';
import { takePicture } from './takePicture.ts';

describe('a window without a PostgreSQL', () => {
  it('says that none is chosen, and starts none', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await welcomeSays('none is chosen yet');
    await statusBarIs('$(plug) Registrar: choose PostgreSQL');
    await takePicture('no-postgres');
    assert.deepEqual(await ask<string[]>('toasts'), []);
  });
});
