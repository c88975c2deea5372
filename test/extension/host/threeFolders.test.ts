import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandIds } from '../../../extension/contributions.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { offeredFixes, problemsOnce } from './problems.ts';
import { answer, pick, press, questionSays } from './question.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const [shop, copy, pay] = vscode.workspace.workspaceFolders ?? [];
const run = (id: string): Thenable<string | null> => vscode.commands.executeCommand<string | null>(id);

const refusal = 'shop is git.example/acme/shop; this folder is git.example/eve/shop. Nothing was read or made.';

function configOf({ uri }: vscode.WorkspaceFolder): vscode.Uri {
  return vscode.Uri.joinPath(uri, '.codebase-mcp/config.json');
}

async function readConfig(folder: vscode.WorkspaceFolder | undefined): Promise<string> {
  assert.ok(folder);
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(configOf(folder)));
}

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
    assert.ok(rows.includes('shop  copy · belongs to another repository'));
    assert.ok(rows.includes(`  ${refusal}`));
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
    await offers('shop is git.example/acme/shop', ['Choose Another Name', 'Share Its Database…']);
    await takePicture('conflict-actions');
    await offers('Agents get no database here.', ['Initialize Workspace Project', 'Use Existing Project']);
  });

  it('show a conflict in the config of the one that lost, with the ways out of it', async () => {
    assert.ok(copy);
    const document = await vscode.workspace.openTextDocument(
      vscode.Uri.joinPath(copy.uri, '.codebase-mcp/config.json'),
    );
    await vscode.window.showTextDocument(document);
    const [problem] = await problemsOnce('the conflict', document, (problems) => problems.length === 1);
    assert.deepEqual([problem?.code, problem?.text], ['PROJECT_CONFLICT', '"shop"']);
    assert.deepEqual(await offeredFixes(document), [
      'Share the database of project "shop"',
      'Choose another name: "shop-copy"',
    ]);
    // With the cursor at it, as F8 puts it there.
    await vscode.commands.executeCommand('editor.action.marker.next');
    await vscode.commands.executeCommand('editor.action.quickFix');
    await waitFor('the fixes', async () => (await ask<string>('quickFixes')).includes('Choose another name'));
    await takePicture('conflict-in-config');
    // The first fix binds the folder, which asks; it is left as it was.
    const before = document.getText();
    await ask('press', 'Enter');
    await questionSays('"shop" belongs to git.example/acme/shop; this folder is git.example/eve/shop');
    await press('Escape');
    assert.equal(document.getText(), before);
    await statusBarIs('$(error) shop: conflict');
  });

  it('share a database only when its origin is typed, and change nothing before', async () => {
    const config = await readConfig(copy);
    await workIn(copy);
    const begin = async (): Promise<{ done: Thenable<string | null> }> => {
      const done = run(commandIds.useExisting);
      await pick('cb_proj_shop');
      await questionSays('type the origin of that project’s repository');
      return { done };
    };
    const left = await begin();
    await takePicture('conflict-origin');
    await answer('git.example/eve/shop');
    await questionSays('That is not the project’s origin, which is git.example/acme/shop. Nothing was done.');
    await takePicture('conflict-wrong-origin');
    await press('Escape');
    assert.equal(await left.done, null);
    assert.equal(await readConfig(copy), config);
    await statusBarIs('$(error) shop: conflict');
    const shared = await begin();
    await answer('https://git.example/acme/shop.git');
    assert.match((await shared.done) ?? '', /^shop: cb_proj_shop_[0-9a-f]{8} ready$/);
    await statusBarIs('$(database) shop');
  });

  it('get a database of their own under another name, and no file changes', async () => {
    const folders = vscode.workspace.workspaceFolders ?? [];
    assert.ok(pay);
    const zip = { uri: vscode.Uri.joinPath(pay.uri, '..', 'zip') } as vscode.WorkspaceFolder;
    const text = '{ "version": "1.0", "project": { "name": "shop" } }';
    await vscode.workspace.fs.writeFile(configOf(zip), new TextEncoder().encode(text));
    vscode.workspace.updateWorkspaceFolders(folders.length, 0, { uri: zip.uri });
    const row = 'shop is git.example/acme/shop; this folder has no origin';
    await rowsOnce('the conflict', (rows) => rows.some((drawn) => drawn.includes(row)));
    const selector = `.monaco-list-row:has-text("${row}")`;
    await ask('hover', selector);
    await ask('click', `${selector} .action-label[aria-label="Choose Another Name"]`);
    await questionSays('No file changes');
    await answer('shop');
    await questionSays('The name "shop" is taken');
    await takePicture('conflict-name-taken');
    await answer('shop-zip');
    await rowsOnce('its own', (rows) =>
      rows.some((drawn) => /^shop-zip {2}zip · cb_proj_shop_zip_\w+ · ready$/.test(drawn)),
    );
    assert.equal(await readConfig(zip), text);
    vscode.workspace.updateWorkspaceFolders(folders.length, 1);
    await rowsOnce('three folders', (rows) => !rows.some((drawn) => drawn.startsWith('shop-zip')));
  });

  it('get a project that is not registered yet while the registry takes none, and registered by itself later', async () => {
    await ask(
      'sql',
      'create function refuse() returns trigger language plpgsql as $$ begin raise exception $x$registry disk full$x$; end $$',
    );
    await ask('sql', 'create trigger refuse before insert on projects for each row execute function refuse()');
    await workIn(pay);
    const asked = run(commandIds.initialize);
    await questionSays('name');
    await press('Enter');
    assert.match((await asked) ?? '', /^pay: cb_proj_pay_[0-9a-f]{8} created$/);
    await statusBarIs('$(database) $(sync) pay');
    await rowsOnce('the pending project', (rows) => rows.includes('pay  ready, not registered yet'));
    await takePicture('not-registered-yet');
    await ask('sql', 'drop trigger refuse on projects');
    assert.equal(await run(commandIds.syncNow), 'Everything is registered');
    await statusBarIs('$(database) pay');
    assert.deepEqual(await ask<string[]>('toasts'), []);
  });

  it('come and go while the window is open, each with its project', async () => {
    assert.ok(pay);
    const folders = vscode.workspace.workspaceFolders ?? [];
    const more = vscode.Uri.joinPath(pay.uri, '..', 'more');
    const config = vscode.Uri.joinPath(more, '.codebase-mcp/config.json');
    const text = '{ "version": "1.0", "project": { "name": "more" } }';
    await vscode.workspace.fs.writeFile(config, new TextEncoder().encode(text));
    vscode.workspace.updateWorkspaceFolders(folders.length, 0, { uri: more });
    await rowsOnce('the folder', (rows) => rows.some((row) => /^more {2}cb_proj_more_\w+ · ready$/.test(row)));
    vscode.workspace.updateWorkspaceFolders(folders.length, 1);
    await rowsOnce('three folders', (rows) => !rows.some((row) => row.startsWith('more')));
  });
});
