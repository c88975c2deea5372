import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandIds, settingIds, type CommandId } from '../../../extension/contributions.ts';
import type { TreeNode } from '../../../extension/views/treeNodes.ts';
import { ask } from './ask.ts';
import { rowsOnce, statusBarIs } from './drawn.ts';
import { answeringMessages, type AskedMessage } from './messages.ts';
import { press, questionSays } from './question.ts';
import { set } from './settings.ts';
import { takePicture } from './takePicture.ts';
import { environmentOfTerminal, terminalOnce } from './terminalEnvironment.ts';
import { waitFor } from './waitFor.ts';

const configPath = path.join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', '.codebase-mcp', 'config.json');
const run = (id: CommandId, target?: TreeNode): Thenable<string | null> =>
  vscode.commands.executeCommand<string | null>(id, target);
const escape = (): undefined => undefined;

/** The row of a project in the list of all projects. */
async function listed(name: string): Promise<TreeNode & { database: string }> {
  const [row] = await ask<{ id: string; database_name: string }[]>(
    'sql',
    `select id, database_name from projects where name = '${name}'`,
  );
  assert.ok(row, name);
  const project = { id: row.id, name, databaseName: row.database_name };
  return { id: `project:${row.id}`, label: name, project, database: row.database_name };
}

async function isThere(database: string): Promise<boolean> {
  const found = await ask<unknown[]>('serverSql', `select 1 from pg_database where datname = '${database}'`);
  return found.length > 0;
}

/** What a command that is refused says and offers. */
async function refusalOf(id: CommandId, target?: TreeNode): Promise<AskedMessage> {
  const [refusal, ...others] = await answeringMessages(escape, async () => {
    assert.equal(await run(id, target), null);
  });
  assert.ok(refusal);
  assert.deepEqual(others, []);
  return refusal;
}

async function offers(row: string, actions: string[]): Promise<void> {
  let offered: string[] = [];
  const look = async (): Promise<boolean> => {
    await ask('hover', `.monaco-list-row:has-text("${row}")`);
    offered = await ask<string[]>('actions');
    return offered.join() === actions.join();
  };
  await waitFor(`what helps on the row ${row}`, look, 30_000, () => offered);
}

const clickOn = (row: string, action: string): Promise<null> =>
  ask('click', `.monaco-list-row:has-text("${row}") .action-label[aria-label="${action}"]`);

/** The database is there before its id is in the config. */
async function idWritten(): Promise<void> {
  const { project } = await listed('shop');
  await waitFor('the id', async () => (await readFile(configPath, 'utf8')).includes(project?.id ?? '?'));
}

/** Takes the database away behind everybody’s back. */
async function takeAway(database: string): Promise<void> {
  await ask('serverSql', `drop database ${database} with (force)`);
}

describe('a project whose database somebody took away', () => {
  let database = '';
  before(async () => {
    await vscode.commands.executeCommand('workbench.view.extension.registrar');
    await statusBarIs('$(database) shop');
    await idWritten();
    ({ database } = await listed('shop'));
    await takeAway(database);
    await answeringMessages(escape, async () => {
      await run(commandIds.testConnection);
    });
  });

  it('V4: is an error before anything is made, and asking again makes nothing', async () => {
    const rows = await rowsOnce('the loss', (drawn) => drawn[0] === 'shop  its database is gone');
    assert.match(rows[1] ?? '', new RegExp(`^ {2}${database} of project "shop" no longer exists on .*Last used on `));
    await statusBarIs('$(error) shop: its database is gone');
    const { message, buttons } = await refusalOf(commandIds.resolveAgain);
    assert.match(message, /no longer exists on .*; its data is lost unless you have a backup\. Nothing was made\.$/);
    assert.deepEqual(buttons, ['Make It Again, Empty…', 'Use Existing Project', 'Forget Project']);
    assert.equal(await isThere(database), false);
    await offers('no longer exists', ['Make It Again, Empty…', 'Use Existing Project', 'Forget Project']);
    await takePicture('database-gone');
  });

  it('is handed over to nobody, and the refusal has the same ways out', async () => {
    await vscode.env.clipboard.writeText('before');
    for (const id of [commandIds.copyConnectionString, commandIds.openPsql]) {
      const { buttons } = await refusalOf(id);
      assert.deepEqual(buttons, ['Make It Again, Empty…', 'Use Existing Project', 'Forget Project']);
    }
    assert.equal(await vscode.env.clipboard.readText(), 'before');
    assert.ok(vscode.window.terminals.every(({ name }) => !name.startsWith('psql')));
  });

  it('is made again only after a question that names the database and says that its data is gone', async () => {
    const answered = (button: string | undefined) => async (): Promise<AskedMessage | undefined> => {
      const asked = await answeringMessages(
        ({ isModal }) => (isModal ? button : 'Make It Again, Empty…'),
        async () => {
          await run(commandIds.resolveAgain);
          if (button !== undefined) await statusBarIs('$(database) shop');
        },
      );
      return asked.find(({ isModal }) => isModal);
    };
    const question = await answered(undefined)();
    assert.equal(question?.message, `Make database ${database} again, empty?`);
    assert.match(question.detail, /^Project shop on \S+\. This database is gone, and its data with it/);
    assert.equal(await isThere(database), false);
    await statusBarIs('$(error) shop: its database is gone');
    await answered('Make It Again, Empty')();
    assert.equal(await isThere(database), true);
    await rowsOnce('the project', (rows) => (rows[0] ?? '').endsWith('· ready'));
  });
});

describe('a project that somebody dropped', () => {
  let database = '';
  before(async () => {
    await idWritten();
    const row = await listed('shop');
    ({ database } = row);
    const drop = `Drop ${database}`;
    await answeringMessages(
      () => drop,
      async () => {
        assert.equal(await run(commandIds.dropDatabase, row), `${database} is dropped`);
      },
    );
  });

  it('says who dropped it and when, and makes nothing', async () => {
    const rows = await rowsOnce('the drop', (drawn) => drawn[0] === 'shop  dropped');
    assert.match(
      rows[1] ?? '',
      /^ {2}\S+ dropped shop \(\d+ MB, \d+ tables?\) on \d+ \w+, \d\d:\d\d, from .*\. Nothing was made\.$/,
    );
    await statusBarIs('$(error) shop: dropped');
    const { message, buttons } = await refusalOf(commandIds.resolveAgain);
    assert.match(message, /dropped shop \(.*\) on .*Nothing was made\.$/);
    assert.deepEqual(buttons, ['Start a New Project Here…', 'Use Existing Project']);
    await offers('dropped shop (', ['Start a New Project Here…', 'Use Existing Project']);
    await takePicture('dropped');
  });

  it('has the same question where a click brings no row along, as when the row is drawn anew meanwhile', async () => {
    const asked = vscode.commands.executeCommand(commandIds.startAnew);
    await questionSays('nothing of the dropped one comes back');
    await press('Escape');
    await asked;
  });

  it('is left as it was by Escape, and followed by a new one by two clicks', async () => {
    const config = await readFile(configPath, 'utf8');
    await ask('hover', '.monaco-list-row:has-text("dropped shop (")');
    await clickOn('dropped shop (', 'Start a New Project Here…');
    await questionSays('nothing of the dropped one comes back');
    await takePicture('start-anew');
    await press('Escape');
    await waitFor('the question to go', async () => (await ask<string>('quickInput')) === '');
    assert.equal(await readFile(configPath, 'utf8'), config);
    await statusBarIs('$(error) shop: dropped');
    await ask('hover', '.monaco-list-row:has-text("dropped shop (")');
    await clickOn('dropped shop (', 'Start a New Project Here…');
    await questionSays('nothing of the dropped one comes back');
    await press('Enter');
    await statusBarIs('$(database) shop');
    assert.notEqual((await listed('shop')).project?.id, undefined);
  });
});

describe('what is handed over', () => {
  const looked = ['Resolve Again', 'Check Drift', 'Open Config'];
  const messages: AskedMessage[] = [];
  let database = '';
  let marker = '';
  before(async () => {
    ({ database } = await listed('shop'));
    const [row] = await ask<{ marker: string }[]>(
      'serverSql',
      `select shobj_description(oid, 'pg_database') as marker from pg_database where datname = '${database}'`,
    );
    marker = row?.marker ?? '';
    assert.match(marker, /"project_id"/);
  });
  const mark = (text: string | null): Promise<null> =>
    ask('serverSql', `comment on database ${database} is ${text === null ? 'null' : `'${text}'`}`);
  const foreign = (): string => marker.replace(/("project_id": ?")[0-9a-f]{8}/, '$100000000');

  it('is no database that says it is another project’s: no address, no psql, and the words and what helps', async () => {
    await vscode.env.clipboard.writeText('before');
    await mark(foreign());
    for (const id of [commandIds.copyConnectionString, commandIds.openPsql]) {
      const { message, buttons } = await refusalOf(id);
      assert.match(message, /is not project "shop"'s: its marker says .*\. It was not touched\.$/);
      assert.deepEqual(buttons, looked);
    }
    assert.equal(await vscode.env.clipboard.readText(), 'before');
    assert.ok(vscode.window.terminals.every(({ name }) => !name.startsWith('psql')));
    await mark(marker);
    assert.match((await run(commandIds.copyConnectionString)) ?? '', /^Copied the address of /);
  });

  it('is asked of the database itself while the registry is closed: with its marker it is given, without it is not', async () => {
    const [row] = await ask<{ registry: string }[]>('sql', 'select current_database() as registry');
    const registry = row?.registry ?? '';
    await ask('serverSql', `alter database ${registry} allow_connections false`);
    await ask('serverSql', `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${registry}'`);
    try {
      await statusBarIs('$(database) shop (offline)');
      assert.match((await run(commandIds.copyConnectionString)) ?? '', /^Copied the address of /);
      await vscode.env.clipboard.writeText('before');
      await mark(null);
      const { message, buttons } = await refusalOf(commandIds.copyConnectionString);
      assert.match(
        message,
        /does not say that it is project "shop"'s: it carries no marker\. Nothing was handed over\.$/,
      );
      assert.deepEqual(buttons, looked);
      assert.equal(await vscode.env.clipboard.readText(), 'before');
      await mark(marker);
    } finally {
      await ask('serverSql', `alter database ${registry} allow_connections true`);
    }
    await statusBarIs('$(database) shop');
  });

  it('is taken out of new terminals when it is no longer the project’s, and whoever opened one hears so once', async () => {
    await set(settingIds.terminalEnvironment, true);
    await terminalOnce('the variables', (text) => text.includes(`PGDATABASE=${database}`));
    messages.push(
      ...(await answeringMessages(escape, async () => {
        await mark(foreign());
        await terminalOnce('no variables', (text) => !/^(PGDATABASE|DATABASE_URL)=/m.test(text));
        await environmentOfTerminal();
        await statusBarIs('$(error) shop: database is not its own');
        await environmentOfTerminal();
      })),
    );
    await mark(marker);
    await run(commandIds.testConnection);
    await terminalOnce('the variables again', (text) => text.includes(`PGDATABASE=${database}`));
    await set(settingIds.terminalEnvironment, undefined);
    const [said, ...others] = messages;
    assert.match(said?.message ?? '', /^New terminals get no database\. Database .* is not project "shop"'s/);
    assert.deepEqual(said?.buttons, looked);
    assert.deepEqual(others, []);
  });
});

describe('a project that is being dropped', () => {
  let row: TreeNode & { database: string };
  before(async () => {
    const original = vscode.window.showInputBox;
    vscode.window.showInputBox = () => Promise.resolve('pay');
    await run(commandIds.createProject);
    vscode.window.showInputBox = original;
    row = await listed('pay');
    await ask('click', '.monaco-list-row:has-text("All projects")');
    await rowsOnce('the list', (rows) => rows.includes(`  pay  ${row.database}`));
  });
  const drop = (): Promise<AskedMessage[]> =>
    answeringMessages(
      ({ isModal }) => (isModal ? `Drop ${row.database}` : undefined),
      async () => {
        await run(commandIds.dropDatabase, row);
      },
    );

  it('is listed as such, with the way to finish it', async () => {
    const set = (state: string): Promise<null> =>
      ask(
        'sql',
        `update projects set metadata = jsonb_set(metadata, '{registrar,state}', '"${state}"') where name = 'pay'`,
      );
    await set('dropping');
    await vscode.commands.executeCommand(commandIds.clearFilter);
    await rowsOnce('the drop', (rows) => rows.includes(`  pay  ${row.database} · being dropped`));
    await offers('being dropped', ['Repair Drift']);
    await takePicture('being-dropped');
    await set('ready');
  });

  it('is usable again where the server refuses, and says why', async () => {
    await ask('serverSql', `alter database ${row.database} is_template true`);
    const refusal = (await drop()).find(({ isModal }) => !isModal);
    assert.match(
      refusal?.message ?? '',
      /cannot be dropped: it is a template\. Nothing was done\. As its owner: ALTER /,
    );
    assert.deepEqual(refusal?.buttons, ['Copy Statement', 'Try Again']);
    await rowsOnce('the project', (rows) => rows.includes(`  pay  ${row.database}`));
    assert.match((await run(commandIds.copyConnectionString, row)) ?? '', /^Copied the address of cb_proj_pay_/);
    await ask('serverSql', `alter database ${row.database} is_template false`);
    await drop();
    await rowsOnce('no such project', (rows) => !rows.some((drawn) => drawn.startsWith('  pay ')));
  });
});
