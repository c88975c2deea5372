import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { settingIds } from '../../../extension/contributions.ts';
import { set } from './settings.ts';
import { waitFor } from './waitFor.ts';

/** The environment of a terminal that is opened now. */
async function environmentOfTerminal(): Promise<string> {
  const file = path.join(process.env.REGISTRAR_HOME ?? '?', 'terminal.txt');
  await rm(file, { force: true });
  const closed = new Promise<void>((resolve) => {
    const listening = vscode.window.onDidCloseTerminal((terminal) => {
      if (terminal.name !== 'environment') return;
      listening.dispose();
      resolve();
    });
  });
  const shellArgs = ['-c', `env > '${file}'`];
  vscode.window.createTerminal({ name: 'environment', shellPath: '/bin/sh', shellArgs });
  await closed;
  return readFile(file, 'utf8');
}

/** Which variables a terminal gets is told to the part of VS Code that opens it, which says nothing of it. */
async function terminalOnce(what: string, isSo: (environment: string) => boolean): Promise<string> {
  let environment = '';
  const look = async (): Promise<boolean> => isSo((environment = await environmentOfTerminal()));
  await waitFor(what, look, 30_000, () => environment);
  return environment;
}

describe('new terminals', () => {
  it('are in the project’s database while the setting says so', async () => {
    assert.doesNotMatch(await environmentOfTerminal(), /^PGDATABASE=/m);
    await set(settingIds.terminalEnvironment, true);
    const filled = await terminalOnce('the variables', (text) => /^PGDATABASE=/m.test(text));
    assert.match(filled, /^PGDATABASE=cb_proj_shop_[0-9a-f]{8}$/m);
    assert.match(filled, /^DATABASE_URL=postgresql:\/\/.*cb_proj_shop_[0-9a-f]{8}/m);
    await set(settingIds.terminalEnvironment, undefined);
    await terminalOnce('no variables', (text) => !/^(PGDATABASE|DATABASE_URL)=/m.test(text));
  });
});
