// Takes pictures of every state that people can come across, in light, dark and high contrast: the packaged extension in a
// real VS Code, with a real daemon and a real PostgreSQL. Those that README and walkthrough show go to media/, the others
// to test-output/screenshots/.
//   node test/extension/screenshots/takeScreenshots.ts [scene …]

import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { OwnServer } from '../../support/ownServer.ts';
import { endDaemon } from '../endDaemon.ts';
import { installPackage } from '../installPackage.ts';
import { makeUserData } from '../makeUserData.ts';
import { startServer } from '../runningServer.ts';
import { openTestBrowser } from '../testBrowser.ts';
import { Desk } from './desk.ts';
import { scenes, scenesWithoutPostgres, type Scene, type Stage } from './scenes.ts';

const wanted = process.argv.slice(2);
const work = await realpath(await mkdtemp(path.join(os.tmpdir(), 'registrar-pictures-')));
const extensions = path.join(work, 'extensions');
const postgres = await OwnServer.start();
try {
  await installPackage(work, extensions, false);
  await play(scenesWithoutPostgres, false);
  await play(scenes, true);
} finally {
  await postgres.close();
  await rm(work, { recursive: true, force: true, maxRetries: 10 });
}

/** Plays scenes one after the other on one VS Code and one daemon, which each find what the one before left. */
async function play(played: Record<string, Scene>, hasPostgres: boolean): Promise<void> {
  const folder = path.join(work, hasPostgres ? 'chosen' : 'none');
  const home = path.join(folder, 'home');
  const state = path.join(folder, 'state');
  await mkdir(home, { recursive: true });
  await mkdir(state, { mode: 0o700 });
  const userData = await makeUserData(path.join(folder, 'user'));
  const registry = 'codebase_mcp_registry';
  const environment = {
    ...process.env,
    HOME: home,
    REGISTRAR_HOME: state,
    ...(hasPostgres ? { REGISTRAR_DATABASE_URL: urlOf(registry) } : {}),
  };
  const server = await startServer({ userData, extensions, hasTrust: true, environment });
  const browser = await openTestBrowser();
  const stage: Stage = {
    home,
    state,
    environment,
    extensions,
    postgres,
    sql: (text, database = registry) => postgres.sql(text, database),
    open: (workspace, isTrusted = true) =>
      Desk.open(
        browser,
        { address: server.address, userData, folder: 'test-output/screenshots', isTrusted },
        workspace === null ? null : path.join(home, workspace),
      ),
  };
  try {
    for (const [name, scene] of Object.entries(played)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      console.log(name);
      await scene(stage);
    }
  } finally {
    await browser.close();
    await server.close();
    await endDaemon(state);
  }
}

function urlOf(registry: string): string {
  const url = new URL(postgres.url);
  url.hostname = 'localhost';
  url.pathname = `/${registry}`;
  return url.href;
}
