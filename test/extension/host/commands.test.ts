import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandIds, type CommandId } from '../../../extension/contributions.ts';
import { ProjectStore } from '../../../extension/projectStore.ts';
import { ProjectTree } from '../../../extension/views/projectTree.ts';
import type { TreeNode } from '../../../extension/views/treeNodes.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { note } from './note.ts';
import { takePicture } from './takePicture.ts';
import { waitFor } from './waitFor.ts';

type Run = (id: CommandId, target?: TreeNode) => Thenable<string | null>;
const run: Run = (id, target) => vscode.commands.executeCommand<string | null>(id, target);

/** The row of a project in the list of all projects. */
function rowOf(name: string, databaseName: string): TreeNode {
  return { id: `project:${name}`, label: name, project: { id: name, name, databaseName } };
}

/** Answers questions in place of a person while something runs; VS Code shows no modal ones while tests run. */
async function answering<T>(answer: string, work: () => Thenable<T>): Promise<T> {
  const { showInputBox, showWarningMessage } = vscode.window;
  vscode.window.showInputBox = () => Promise.resolve(answer);
  vscode.window.showWarningMessage = () => Promise.resolve(answer as never);
  try {
    return await work();
  } finally {
    Object.assign(vscode.window, { showInputBox, showWarningMessage });
  }
}

describe('commands of the palette', () => {
  it('make, rename, forget, adopt and drop a project', async () => {
    const created = (await answering('pay', () => run(commandIds.createProject))) ?? '';
    const database = /^pay: (cb_proj_pay_[0-9a-f]{8}) created$/.exec(created)?.[1] ?? '';
    assert.notEqual(database, '', created);
    const renamed = await answering('payments', () => run(commandIds.renameProject, rowOf('pay', database)));
    assert.equal(renamed, 'Renamed pay to payments; its database is the same');
    const forgotten = await answering('Forget', () => run(commandIds.forgetProject, rowOf('payments', database)));
    assert.equal(forgotten, `payments is forgotten; ${database} is untouched`);
    const adopted = await answering(database, () => run(commandIds.adoptDatabase));
    assert.equal(adopted, `payments: ${database} adopted`);
    const kept = await answering('No', () => run(commandIds.dropDatabase, rowOf('payments', database)));
    assert.equal(kept, null);
    const dropped = await answering(`Drop ${database}`, () =>
      run(commandIds.dropDatabase, rowOf('payments', database)),
    );
    assert.equal(dropped, `${database} is dropped`);
  });

  it('restart the daemon and open its log', async () => {
    assert.match((await run(commandIds.restartDaemon)) ?? '', /^Daemon \S+ is running as process \d+$/);
    await run(commandIds.showLog);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? '', /daemon started/);
    await statusBarIs('$(database) shop');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('open the config file', async () => {
    await run(commandIds.openConfig);
    assert.match(vscode.window.activeTextEditor?.document.uri.path ?? '', /\/\.codebase-mcp\/config\.json$/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('list 10,000 projects a page at a time, and find one of them', async () => {
    await ask(
      'sql',
      `insert into projects (id, name, database_name, created_at, updated_at)
       select gen_random_uuid(), 'bulk ' || lpad(i::text, 5, '0'), 'cb_proj_bulk_' || i || '_' || lpad(to_hex(i), 8, '0'), now(), now()
       from generate_series(1, 10000) i`,
    );
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await run(commandIds.testConnection);
    await rowsOnce('the number of projects', (rows) => rows.includes('All projects  10001'));
    note(`All projects, 10,000: opened in ${(await ask<number>('openingMs')).toFixed(0)} ms`);
    await rowsOnce('the list', (rows) => rows.includes('  bulk 00001  cb_proj_bulk_1_00000001'));
    await answering('bulk 04711', () => run(commandIds.filterProjects));
    await rowsOnce('the one', (rows) => rows.includes('  bulk 04711  cb_proj_bulk_4711_00001267'));
    await run(commandIds.clearFilter);
    await rowsOnce('the first of all', (rows) => rows.includes('  bulk 00001  cb_proj_bulk_1_00000001'));
    await takePicture('all-projects');
    await ask('sql', `delete from projects where name like 'bulk %'`);
  });

  it('are not slowed by changes: 1,000 that come together are drawn once', async () => {
    const store = new ProjectStore();
    const tree = new ProjectTree(store, '', () => Promise.reject(new Error('nothing is read')));
    let redraws = 0;
    tree.onDidChangeTreeData(() => (redraws += 1));
    const drawn = new Promise((resolve) => store.onDidChange(resolve));
    for (let change = 0; change < 1000; change += 1) {
      store.update({ folders: [{ name: `folder ${change}`, path: `/folder${change}` }] });
    }
    await drawn;
    assert.equal(redraws, 1);
    assert.equal(tree.roots()[0]?.label, 'folder 999');
    tree.dispose();
    store.dispose();
  });

  it('are offered in the palette as far as they make sense', async () => {
    const opened = vscode.commands.executeCommand('workbench.action.quickOpen', '>Registrar: ');
    await waitFor('the palette', async () => (await ask<string>('quickInput')).includes('Explain Resolution'));
    const palette = await ask<string>('quickInput');
    for (const hidden of ['Give Up', 'Try Now', 'Show More Projects']) assert.ok(!palette.includes(hidden), hidden);
    await ask('picture', 'palette');
    await ask('press', 'Escape');
    await opened;
  });
});
