import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandIds } from '../../../extension/contributions.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { recordMessages } from './messages.ts';
import { problemsOnce } from './problems.ts';
import { pick } from './question.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

const configPath = path.join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', '.codebase-mcp', 'config.json');
const run = (id: string): Thenable<string | null> => vscode.commands.executeCommand<string | null>(id);
const messages = recordMessages();
const noToasts = async (): Promise<void> => {
  messages.assertNone();
  assert.deepEqual(await ask<string[]>('toasts'), []);
};

/** Where the daemon says that the config is wrong. */
async function placeOfRefusal(): Promise<number[]> {
  await run(commandIds.explain);
  let place: string[] | undefined;
  const isRendered = async (): Promise<boolean> => {
    place = /config\.json:(\d+):(\d+) /.exec(await ask<string>('rendered'))?.slice(1);
    return place !== undefined;
  };
  await waitFor('the explanation', isRendered);
  return (place ?? []).map(Number);
}

async function daemonPid(): Promise<number> {
  const file = path.join(process.env.REGISTRAR_HOME ?? '', 'endpoint.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { pid: number }).pid;
}

describe('a folder with a config', () => {
  after(() => {
    messages.stop();
  });

  it('has its database and its name in the status bar without a click', async () => {
    const item = await statusBarIs('$(database) shop');
    assert.match(item?.spoken ?? '', /Registrar: shop, cb_proj_shop_[0-9a-f]{8}, ready/);
    // The database is there before its id is in the config.
    await waitFor('the id', async () => /"id": "[0-9a-f-]{36}"/.test(await readFile(configPath, 'utf8')));
    await noToasts();
  });

  it('is shown with its server and why it was chosen', async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await rowsOnce('the project', (rows) => rows.some((row) => row.includes('0 tables')));
    const rows = await rowsOnce('all of it', (drawn) => drawn.some((row) => row === 'All projects  1'));
    assert.match(rows[0] ?? '', /^shop {2}cb_proj_shop_[0-9a-f]{8} · ready$/);
    assert.match(rows[1] ?? '', /^ {2}Server {2}\S+ \(yours\) · \d+ MB · 0 tables$/);
    assert.equal(rows[2], '  Why shop?  the config file says so');
    await takePicture('one-folder');
  });

  it('is explained in a document', async () => {
    await run(commandIds.explain);
    let text = '';
    const isRendered = async (): Promise<boolean> => (text = await ask<string>('rendered')).includes('identity');
    await waitFor('the document', isRendered, 30_000, () => text);
    assert.match(text, /belongs to project shop: database cb_proj_shop_[0-9a-f]{8} on \S+ \(.*\), registered\./);
    await takePicture('explanation');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('answers the commands of the palette with what happened', async () => {
    assert.equal(await run(commandIds.syncNow), 'Everything is registered');
    assert.equal(await run(commandIds.checkDrift), 'Everything agrees');
    assert.equal(await run(commandIds.repairDrift), 'Everything agrees');
    assert.match((await run(commandIds.testConnection)) ?? '', / answers$/);
    assert.match((await run(commandIds.resolveAgain)) ?? '', /^shop: cb_proj_shop_[0-9a-f]{8} ready$/);
    assert.match((await run(commandIds.copyConnectionString)) ?? '', /^Copied the address of cb_proj_shop_/);
    assert.match(await vscode.env.clipboard.readText(), /^postgresql:\/\/.*\/cb_proj_shop_[0-9a-f]{8}/);
  });

  it('V3: is dropped only after a question that names the database', async () => {
    // VS Code shows no modal question while tests run; it is answered here in its place.
    const questions: unknown[][] = [];
    const original = vscode.window.showWarningMessage;
    vscode.window.showWarningMessage = (...question: unknown[]) => {
      questions.push(question);
      return Promise.resolve(undefined);
    };
    try {
      const asked = run(commandIds.dropDatabase);
      await pick('cb_proj_shop_');
      assert.equal(await asked, null);
    } finally {
      vscode.window.showWarningMessage = original;
    }
    assert.match(String(questions[0]?.[0]), /^Drop database cb_proj_shop_[0-9a-f]{8}\?$/);
    assert.equal((questions[0]?.[1] as vscode.MessageOptions).modal, true);
    assert.match(String(questions[0]?.[2]), /^Drop cb_proj_shop_[0-9a-f]{8}$/);
    await statusBarIs('$(database) shop');
  });

  it('is last known while the server is away, and ready again by itself', async () => {
    await ask('stopServer');
    await statusBarIs('$(database) shop (offline)');
    await rowsOnce('the last known', (rows) => /^shop {2}last known \d\d:\d\d$/.test(rows[0] ?? ''));
    await takePicture('offline');
    await noToasts();
    await ask('startServer');
    await statusBarIs('$(database) shop');
    await rowsOnce('the project', (rows) => (rows[0] ?? '').endsWith('· ready'));
    await noToasts();
  });

  it('shows a problem of its config as it is typed, and only there until it is saved', async () => {
    const document = await vscode.workspace.openTextDocument(configPath);
    const editor = await vscode.window.showTextDocument(document);
    await problemsOnce('no problem', document, (problems) => problems.length === 0);
    const end = document.positionAt(document.getText().indexOf('"shop"') + '"shop'.length);
    await editor.edit((edit) => {
      edit.insert(end, '!');
    });
    const [problem] = await problemsOnce('the problem', document, (problems) => problems.length === 1);
    assert.equal(problem?.text, '"shop!"');
    assert.match((await readFile(configPath, 'utf8')).replaceAll(/\s/g, ''), /"name":"shop"/);
    await statusBarIs('$(database) shop');
    await vscode.commands.executeCommand('undo');
    await problemsOnce('no problem any more', document, (problems) => problems.length === 0);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('says in its config what each key means, where it is completed and where it stands', async () => {
    const uri = vscode.Uri.file(configPath);
    const document = await vscode.workspace.openTextDocument(uri);
    const at = document.positionAt(document.getText().indexOf('"version"'));
    const offered = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      uri,
      at,
    );
    for (const key of ['auto_switch', 'strict_mode', 'dry_run', 'description']) {
      const { documentation = '' } = offered.items.find(({ label }) => label === key) ?? {};
      const text = typeof documentation === 'string' ? documentation : documentation.value;
      assert.ok(text.length > 20, key);
    }
    const name = document.positionAt(document.getText().indexOf('"name"') + 1);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri, name);
    const texts = hovers.flatMap(({ contents }) => (contents as vscode.MarkdownString[]).map(({ value }) => value));
    assert.match(texts.join(), /unique in the registry/);
  });

  it('is refused while its config is nonsense, and nothing is made; the quick fix mends it', async () => {
    const text = (await readFile(configPath, 'utf8')).replace('"project"', '// Ours.\n  "project"');
    await writeFile(configPath, text.replace('"shop"', '"shop!"'));
    await statusBarIs('$(error) shop: name cannot be used');
    const rows = await rowsOnce('the refusal', (drawn) => drawn[0] === 'shop  name cannot be used');
    assert.match(rows[1] ?? '', /^ {2}project\.name "shop!" may contain only /);
    const place = await placeOfRefusal();
    await run(commandIds.openConfig);
    const document = await vscode.workspace.openTextDocument(configPath);
    const [problem] = await problemsOnce('the problem', document, (problems) => problems.length === 1);
    assert.deepEqual([problem?.code, problem?.text], ['NAME_INVALID', '"shop!"']);
    assert.deepEqual([problem?.line, problem?.column], place);
    await takePicture('config-problem');
    await vscode.commands.executeCommand('editor.action.quickFix');
    const offered = async (): Promise<boolean> => (await ask<string>('quickFixes')).includes('Change project.name');
    await waitFor('the quick fix', offered);
    await takePicture('config-quick-fix');
    await ask('press', 'Enter');
    await problemsOnce('no problem any more', document, (problems) => problems.length === 0);
    assert.equal(document.getText(), text);
    await document.save();
    await statusBarIs('$(database) shop');
    await noToasts();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('shows that its config went and came with its folder', async () => {
    const folder = path.dirname(configPath);
    await rename(folder, `${folder}-away`);
    await statusBarIs(null);
    await rename(`${folder}-away`, folder);
    await statusBarIs('$(database) shop');
  });

  it('is shown again after the daemon was killed', async () => {
    const killed = await daemonPid();
    process.kill(killed, 'SIGKILL');
    await waitFor('the next daemon', async () => (await daemonPid().catch(() => killed)) !== killed);
    await statusBarIs('$(database) shop');
    await noToasts();
  });
});
