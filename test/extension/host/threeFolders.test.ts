import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandIds } from '../../../extension/contributions.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const [shop, copy, pay] = vscode.workspace.workspaceFolders ?? [];
const run = (id: string): Thenable<string | null> => vscode.commands.executeCommand<string | null>(id);

async function workIn(folder: vscode.WorkspaceFolder | undefined): Promise<void> {
  assert.ok(folder);
  await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, 'notes.txt'));
}

describe('three folders', () => {
  it('are each resolved by themselves, and the status bar follows the editor', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await workIn(shop);
    await statusBarIs('$(database) shop');
    await workIn(copy);
    await statusBarIs('$(error) shop: conflict');
    await workIn(pay);
    await statusBarIs(null);
    const rows = await rowsOnce('three folders', (drawn) => drawn.some((row) => row === 'pay  no project'));
    assert.ok(rows.some((row) => /^shop {2}copy · also claimed by .*\/shop$/.test(row)));
    assert.ok(rows.includes('  Nothing was created.'));
    assert.equal(await ask<string>('badge'), '1');
    await takePicture('three-folders');
  });

  it('offer what helps on the row that says what is wrong', async () => {
    const offers = async (row: string, actions: string[]): Promise<void> => {
      let offered: string[] = [];
      const look = async (): Promise<boolean> => {
        await ask('hover', `.monaco-list-row:has-text("${row}")`);
        offered = await ask<string[]>('actions');
        return offered.join() === actions.join();
      };
      await waitFor(`what helps on the row ${row}`, look, 30_000, () => offered);
    };
    await offers('Nothing was created.', ['Share Its Database', 'Choose Another Name']);
    await takePicture('conflict-actions');
    await offers('Agents get no database here.', ['Initialize Workspace Project', 'Use Existing Project']);
  });

  it('settle a conflict by sharing the database', async () => {
    await workIn(copy);
    const asked = run(commandIds.useExisting);
    await waitFor('the list of projects', async () => (await ask<string>('quickInput')).includes('cb_proj_shop'));
    await ask('press', 'Enter');
    assert.match((await asked) ?? '', /^shop: cb_proj_shop_[0-9a-f]{8} ready$/);
    await statusBarIs('$(database) shop');
  });

  it('get a project that is not registered yet while the registry takes none, and registered by itself later', async () => {
    await ask(
      'sql',
      'create function refuse() returns trigger language plpgsql as $$ begin raise exception $x$registry disk full$x$; end $$',
    );
    await ask('sql', 'create trigger refuse before insert on projects for each row execute function refuse()');
    await workIn(pay);
    const asked = run(commandIds.initialize);
    await waitFor('the question', async () => (await ask<string>('quickInput')).includes('name'));
    await ask('press', 'Enter');
    assert.match((await asked) ?? '', /^pay: cb_proj_pay_[0-9a-f]{8} created$/);
    await statusBarIs('$(database) $(sync) pay');
    await rowsOnce('the pending project', (rows) => rows.includes('pay  ready, not registered yet'));
    await takePicture('not-registered-yet');
    await ask('sql', 'drop trigger refuse on projects');
    assert.equal(await run(commandIds.syncNow), 'Everything is registered');
    await statusBarIs('$(database) pay');
    assert.deepEqual(await ask<string[]>('toasts'), []);
  });
});
