import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandIds, settingIds } from '../../../extension/contributions.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs, welcomeSays } from './drawn.ts';
import { answer, pick, questionSays } from './question.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const run = (id: string): Thenable<string | null> => vscode.commands.executeCommand<string | null>(id);

describe('a window without a PostgreSQL', () => {
  it('says that none is chosen, and starts none', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await welcomeSays('none is chosen yet');
    await statusBarIs('$(plug) Registrar: choose PostgreSQL');
    await welcomeSays('Use the Bundled One (22 MB)');
    await takePicture('no-postgres');
    assert.deepEqual(await ask<string[]>('toasts'), []);
  });

  it('offers the server of this machine as soon as there is one', async function () {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end('N'));
    });
    // Where a server has the port already, that one is found.
    server.on('error', () => undefined).listen(5432, 'localhost');
    await Promise.race([once(server, 'listening'), once(server, 'error')]);
    try {
      await vscode.commands.executeCommand('workbench.view.explorer');
      await vscode.commands.executeCommand('workbench.view.extension.registrar');
      await welcomeSays('Use localhost:5432 (found)');
      await takePicture('postgres-found');
    } finally {
      server.close();
    }
  });

  it('gets one by a guided question that tries the answer, and keeps the password where no file has it', async () => {
    const address = new URL(await ask<string>('address'));
    const password = decodeURIComponent(address.password);
    address.password = '';
    const asked = run(commandIds.setPostgres);
    await questionSays('The address of your PostgreSQL');
    await takePicture('set-postgres');
    await answer('postgresql://me@127.0.0.1:1');
    await questionSays('does not answer');
    await takePicture('set-postgres-refused');
    await answer(address.href);
    await questionSays('The password');
    await answer('wrong');
    await questionSays('password authentication failed');
    await takePicture('set-postgres-password');
    await answer(password);
    await questionSays('In VS Code only');
    await takePicture('set-postgres-keep');
    await pick('In VS Code only');
    assert.match((await asked) ?? '', /^Registrar now uses .*: PostgreSQL \d+/);
    await statusBarIs('$(database) shop');
    assert.equal(vscode.workspace.getConfiguration().get(settingIds.postgresUrl), address.href);
    const settings = await readFile(path.join(process.env['REGISTRAR_HOME'] ?? '', 'settings.json'), 'utf8');
    assert.ok(!settings.includes(password));
  });

  it('has the password again for the next daemon', async () => {
    await run(commandIds.restartDaemon);
    await statusBarIs('$(database) shop');
    assert.match((await run(commandIds.testConnection)) ?? '', / answers$/);
  });

  it('says when the setting names another server than the daemon serves, and goes back by an action', async () => {
    const configuration = vscode.workspace.getConfiguration();
    const other = 'postgresql://me@127.0.0.1:1/other';
    await configuration.update(settingIds.postgresUrl, other, vscode.ConfigurationTarget.Global);
    const rows = await rowsOnce('the other server', (drawn) => drawn[0] === 'shop  another server');
    assert.match(
      rows[1] ?? '',
      /^ {2}Nothing is done here\. {2}The daemon serves \S+, but the setting names 127\.0\.0\.1:1\/other\./,
    );
    await takePicture('another-server');
    await run(commandIds.useDaemonAddress);
    await statusBarIs('$(database) shop');
    assert.deepEqual(await ask<string[]>('toasts'), []);
  });

  it('takes the bundled one instead, and is told what stays behind', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    assert.equal(await run(commandIds.useBundled), 'Registrar now uses the bundled PostgreSQL');
    let text = '';
    const isRendered = async (): Promise<boolean> => (text = await ask<string>('rendered')).includes('left behind');
    await waitFor('what stays behind', isRendered, 30_000, () => text);
    assert.match(text, /pg_dump/);
    await takePicture('left-behind');
    assert.match((await run(commandIds.resolveAgain)) ?? '', /^shop: cb_proj_shop_[0-9a-f]{8} created$/);
    await rowsOnce('the bundled one', (rows) => rows.some((row) => row.includes('(bundled)')));
  });
});
