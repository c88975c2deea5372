import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { takePicture } from './takePicture.ts';

describe('a folder that is not trusted', () => {
  it('is shown as restricted; no daemon is started for it', async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await statusBarIs('$(shield) restricted');
    await rowsOnce(
      'the folder',
      (drawn) => drawn[0] === 'shop  restricted' && drawn[1]?.startsWith('  Nothing is created or written.') === true,
    );
    await takePicture('restricted');
    assert.equal((await readdir(process.env.REGISTRAR_HOME ?? '')).includes('endpoint.json'), false);
  });
});
