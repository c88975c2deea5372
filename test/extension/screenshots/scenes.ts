import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OwnServer } from '../../support/ownServer.ts';
import { endDaemon } from '../endDaemon.ts';
import { withAgents } from './agents.ts';
import type { Desk } from './desk.ts';

/** What scenes are played on. */
export interface Stage {
  /** The home folder, in which the workspaces are. */
  home: string;
  /** The daemon's state folder. */
  state: string;
  environment: NodeJS.ProcessEnv;
  /** Where the extension is installed. */
  extensions: string;
  postgres: OwnServer;
  /** Runs a statement as superuser, in the registry when no other database is named. */
  sql: (text: string, database?: string) => Promise<Record<string, unknown>[]>;
  /** @param workspace below the home folder; null opens an empty window */
  open: (workspace: string | null, isTrusted?: boolean) => Promise<Desk>;
}

export type Scene = (stage: Stage) => Promise<void>;

/** Tree and title of the view, without the rest of the window. */
const sideBar = { x: 48, y: 32, width: 420, height: 260 };
const walkthrough = { folder: 'media/walkthrough', kinds: ['light', 'dark', 'contrast'] as const };
const readme = { folder: 'media/screenshots', kinds: ['light', 'dark'] as const };

export const scenesWithoutPostgres: Record<string, Scene> = {
  'no-folder': async ({ open }) => {
    const desk = await open(null);
    await desk.welcomeShows('Open a folder');
    await desk.pictures('no-folder');
    await desk.close();
  },

  'not-chosen': async (stage) => {
    const desk = await folderWithConfig(stage, 'shop');
    await desk.welcomeShows('none is chosen yet');
    await desk.pictures('not-chosen');
    await desk.widenSideBar(120);
    await desk.pictures('postgres', { ...sideBar, height: 150 }, walkthrough);
    await desk.close();
  },

  restricted: async (stage) => {
    await makeFolder(stage, 'shop-main', config('shop'));
    const desk = await stage.open('shop-main', false);
    await desk.rowsShow(/restricted/);
    await desk.pictures('restricted');
    await desk.row('Nothing is created');
    await desk.pictures('restricted-actions');
    await desk.close();
  },
};

export const scenes: Record<string, Scene> = {
  'no-project': async (stage) => {
    await makeFolder(stage, 'blog');
    const desk = await stage.open('blog');
    await desk.welcomeShows('No project here');
    await desk.pictures('no-project');
    await desk.command('Registrar: Initialize Workspace Project');
    await desk.quickInputShows('name');
    await desk.pictures('initialize');
    await desk.page.keyboard.press('Enter');
    await desk.rowsShow(/ready/);
    await desk.close();
  },

  normal: async (stage) => {
    const desk = await folderWithConfig(stage, 'shop', { 'src/orders.sql': orders });
    await desk.rowsShow(/^shop .*ready/);
    await fillDatabase(stage, 'shop');
    // The next daemon measures anew at once.
    await endDaemon(stage.state);
    await desk.rowsShow(/14 tables/);
    await desk.pictures('normal-narrow');
    await desk.widenSideBar(120);
    await desk.pictures('project', sideBar, walkthrough);
    // Before agents are there, whose times are drawn again and again: that takes a tooltip away.
    await desk.pictures('tooltip', undefined, undefined, async () => {
      await desk.rest();
      await desk.row('cb_proj_shop');
      await desk.page.waitForSelector('.monaco-hover:not(.hidden)');
    });
    const directory = path.join(stage.home, 'shop');
    await withAgents(stage, { 'Claude Code': directory, Codex: path.join(directory, 'src') }, async () => {
      await desk.rowsShow(/Codex/);
      await desk.toggle('Why shop?');
      await desk.rowsShow(/identity/);
      await desk.pictures('normal');
      await desk.pictures('agent', sideBar, walkthrough);
      await openFile(desk, 'orders.sql');
      await desk.pictures('window', undefined, readme);
    });
    await desk.close();
  },

  explanation: async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    await desk.command('Registrar: Explain Resolution');
    await desk.renderedShows('identity');
    await desk.pictures('explanation');
    await desk.pictures('why', { x: 354, y: 64, width: 900, height: 400 }, walkthrough);
    await desk.close();
  },

  palette: async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    await desk.type('Registrar: ', 'Explain Resolution');
    await desk.pictures('palette');
    await desk.close();
  },

  drop: async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    await desk.command('Registrar: Drop Database');
    await desk.quickInputShows('cb_proj_shop');
    await desk.pictures('drop-choice');
    await desk.page.click('.quick-input-widget .monaco-list-row:has-text("cb_proj_shop")');
    await desk.page.waitForSelector('.monaco-dialog-box');
    await desk.pictures('drop-question');
    await desk.close();
  },

  conflict: async (stage) => {
    await makeFolder(stage, 'old/shop', config('shop'));
    const desk = await stage.open('old/shop');
    await desk.rowsShow(/belongs to another/);
    await desk.pictures('conflict');
    await desk.row('this folder has no origin');
    await desk.pictures('conflict-actions');
    await desk.close();
  },

  pending: async (stage) => {
    await stage.sql(
      'create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception $x$registry disk full$x$; end $$',
    );
    await stage.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    const desk = await folderWithConfig(stage, 'api');
    await desk.rowsShow(/not registered yet/);
    await desk.pictures('pending');
    await desk.row('egistry');
    await desk.pictures('pending-actions');
    await stage.sql('drop trigger refuse on projects');
    await stage.sql(
      `insert into projects (id, name, database_name, created_at, updated_at)
       values (gen_random_uuid(), 'api', 'cb_proj_api_0b5e91d2', now(), now())`,
    );
    await desk.command('Registrar: Sync Now');
    await desk.rowsShow(/needs you/);
    await desk.pictures('parked');
    await desk.row('is taken');
    await desk.pictures('parked-actions');
    await desk.close();
  },

  'config-error': async (stage) => {
    const wrong = config('web').replace('"version"', '"auto_switch": "banana",\n  "version"');
    await makeFolder(stage, 'web', wrong);
    const desk = await stage.open('web');
    await desk.rowsShow(/config has an error/);
    await desk.command('Registrar: Open Config');
    await desk.page.waitForSelector('.squiggly-error, .squiggly-warning');
    await desk.pictures('config-error');
    await desk.close();
  },

  'three-folders': async (stage) => {
    const file = path.join(stage.home, 'work.code-workspace');
    const folders = ['shop', 'old/shop', 'blog', 'notes'].map((folder) => ({ path: folder }));
    await makeFolder(stage, 'notes');
    await writeFile(file, JSON.stringify({ folders }));
    const desk = await stage.open('work.code-workspace');
    await desk.rowsShow(/^notes {2}no project/);
    await desk.rowsShow(/belongs to another/);
    await desk.pictures('three-folders');
    await desk.close();
  },

  'all-projects': async (stage) => {
    await addProjects(stage);
    const desk = await stage.open('shop');
    await desk.rowsShow(/^All projects {2}\d\d\d\d\d/);
    await desk.toggle('All projects');
    await desk.rowsShow(/service 00001/);
    await desk.pictures('all-projects');
    await desk.row('service 00002');
    await desk.pictures('all-projects-actions');
    await stage.sql(`delete from projects where name like 'service %'`);
    await desk.close();
  },

  drift: async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    // Only now, since opening the folder would write it again.
    const [row] = await stage.sql(`select database_name from projects where name = 'shop'`);
    await stage.sql(`comment on database ${String(row?.['database_name'])} is null`);
    await desk.command('Registrar: Check Drift');
    await desk.renderedShows('Risk');
    await desk.pictures('drift');
    await desk.command('Registrar: Repair Drift');
    await desk.page.waitForSelector('.monaco-dialog-box');
    await desk.pictures('repair-question');
    await desk.page.click('.monaco-dialog-box a.monaco-button:has-text("Repair")');
    await desk.renderedShows('Repair');
    await desk.pictures('repaired');
    await desk.close();
  },

  'last-known': async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    await stage.postgres.stop('fast');
    await desk.rowsShow(/last known/);
    await desk.pictures('last-known');
    await desk.row('does not answer');
    await desk.pictures('last-known-actions');
    await stage.postgres.start();
    await desk.rowsShow(/^shop .*ready/);
    await desk.close();
  },

  'no-daemon': async (stage) => {
    const [installed = ''] = await readdir(stage.extensions).then((names) =>
      names.filter((name) => name.startsWith('project-')),
    );
    const script = path.join(stage.extensions, installed, 'dist/registrar.cjs');
    await rename(script, `${script}.away`);
    await endDaemon(stage.state);
    const desk = await stage.open('shop');
    await desk.welcomeShows('is not running');
    await desk.pictures('no-daemon');
    await desk.close();
    await rename(`${script}.away`, script);
  },

  walkthrough: async (stage) => {
    const desk = await stage.open('shop');
    await desk.rowsShow(/^shop .*ready/);
    await desk.command('Welcome: Open Walkthrough...');
    await desk.quickInputShows('Get Started with Registrar');
    await desk.page.keyboard.type('Registrar');
    await desk.page.keyboard.press('Enter');
    await desk.page.waitForSelector('.getting-started-step.expanded');
    await desk.page.waitForSelector('.getting-started-step:has-text("Give this folder") .complete');
    await desk.pictures('walkthrough');
    await desk.page.click('.getting-started-step:has-text("Connect an agent")');
    await desk.pictures('walkthrough-agent');
    await desk.close();
  },
};

const orders = `-- What is waiting to be packed.
select id, placed_at, total
from orders
where packed_at is null
order by placed_at;
`;

const config = (name: string): string => `{\n  "version": "1.0",\n  "project": { "name": "${name}" }\n}\n`;

/** Makes a folder that is a repository of its own, so that no search leaves it. */
async function makeFolder(
  { home }: Stage,
  name: string,
  configText?: string,
  files: Record<string, string> = {},
): Promise<void> {
  const all = { ...files, ...(configText === undefined ? {} : { '.codebase-mcp/config.json': configText }) };
  await mkdir(path.join(home, name, '.git'), { recursive: true });
  for (const [file, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(home, name, file)), { recursive: true });
    await writeFile(path.join(home, name, file), text);
  }
}

async function folderWithConfig(stage: Stage, name: string, files?: Record<string, string>): Promise<Desk> {
  await makeFolder(stage, name, config(name), files);
  return stage.open(name);
}

async function fillDatabase({ sql }: Stage, project: string): Promise<void> {
  const [row] = await sql(`select database_name from projects where name = '${project}'`);
  const database = String(row?.['database_name']);
  for (let table = 1; table < 14; table += 1) await sql(`create table part_${table} (id bigint primary key)`, database);
  await sql(
    `create table orders as select i as id, now() as placed_at, md5(i::text) as note from generate_series(1, 300000) i`,
    database,
  );
}

function addProjects({ sql }: Stage): Promise<unknown> {
  return sql(
    `insert into projects (id, name, database_name, created_at, updated_at)
     select gen_random_uuid(), 'service ' || lpad(i::text, 5, '0'),
       'cb_proj_service_' || i || '_' || lpad(to_hex(i), 8, '0'), now(), now()
     from generate_series(1, 10000) i`,
  );
}

async function openFile(desk: Desk, name: string): Promise<void> {
  await desk.page.keyboard.press('Control+p');
  await desk.page.keyboard.type(name);
  await desk.quickInputShows('src');
  await desk.page.keyboard.press('Enter');
  await desk.page.waitForSelector('.view-lines');
}
