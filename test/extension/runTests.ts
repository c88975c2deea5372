// Runs the extension's tests in a real VS Code, one window per suite: with the extension under development, and with the
// packaged extension installed into a clean VS Code. Linux uses VS Code's server (see launchServerVSCode.ts); elsewhere, and
// with REGISTRAR_TEST_VSCODE=desktop, a desktop VS Code is downloaded, where only the packaged extension is tried.
//   node test/extension/runTests.ts ["one folder" …]

import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import { removeBundledServer } from '../../daemon/embedded/removeBundledServer.ts';
import { OwnServer } from '../support/ownServer.ts';
import { addResults, countFailedRun, noResults, readResults, type TestResults } from '../support/testResults.ts';
import { endDaemon } from './endDaemon.ts';
import { installPackage } from './installPackage.ts';
import { makeUserData } from './makeUserData.ts';
import { answerRequests } from './requests.ts';
import { makeWorkspace, type WorkspaceKind } from './workspaces.ts';

interface Suite {
  /** As in host/index.ts. */
  name: string;
  workspace: WorkspaceKind;
  /** Absent: no PostgreSQL is named. */
  hasPostgres?: true;
  /** Stops its server, which is therefore one of its own. */
  stopsPostgres?: true;
  isUntrusted?: true;
}

/** Windows wait more than they compute. */
const windowsAtOnce = 2;

const suites: Suite[] = [
  { name: 'one folder', workspace: 'shop', hasPostgres: true, stopsPostgres: true },
  { name: 'three folders', workspace: 'three', hasPostgres: true },
  { name: 'handed over', workspace: 'shop', hasPostgres: true },
  { name: 'no project', workspace: 'empty', hasPostgres: true },
  { name: 'no PostgreSQL', workspace: 'shop' },
  { name: 'not trusted', workspace: 'shop', hasPostgres: true, isUntrusted: true },
];
const packaged: Suite = { name: 'installed from the package', workspace: 'mixed', hasPostgres: true };

const root = path.resolve(import.meta.dirname, '../..');
const usesServer = process.platform === 'linux' && process.env.REGISTRAR_TEST_VSCODE !== 'desktop';
const wanted = process.argv.slice(2);
const isWanted = ({ name }: Suite): boolean => wanted.length === 0 || wanted.includes(name);
// The editor shows real paths; macOS's temporary folder is a link.
const work = await realpath(await mkdtemp(path.join(os.tmpdir(), 'registrar-vscode-')));
const total = noResults();
const shared = await OwnServer.start();
try {
  const waiting = usesServer ? suites.filter(isWanted).map((suite) => ({ suite, extension: root })) : [];
  if (isWanted(packaged)) {
    // Before any window is open, as it builds anew what they load.
    await installPackage(work, extensionsFolder(packaged.name), !usesServer);
    waiting.push({ suite: packaged, extension: await makeEmptyExtension() });
  }
  const runNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      addResults(total, await runSuite(next.suite, next.extension));
    }
  };
  await Promise.all(Array.from({ length: windowsAtOnce }, runNext));
} finally {
  await shared.close();
  // VS Code's processes may still write into it for a moment.
  await rm(work, { recursive: true, force: true, maxRetries: 10 });
}
if (process.env.REGISTRAR_TEST_RESULTS !== undefined) {
  await writeFile(process.env.REGISTRAR_TEST_RESULTS, JSON.stringify(total));
}
process.exitCode = total.failed > 0 ? 1 : 0;

async function runSuite(suite: Suite, extensionDevelopmentPath: string): Promise<TestResults> {
  const { name } = suite;
  const short = name.replaceAll(' ', '-');
  const folder = path.join(work, short);
  const log = path.join(folder, 'log.txt');
  const results = path.join(folder, 'results.json');
  const home = path.join(folder, 'state');
  const requests = path.join(folder, 'requests');
  const registry = `registry_${short.replaceAll('-', '_').toLowerCase()}`;
  const workspace = await makeWorkspace(path.join(folder, 'workspace'), suite.workspace);
  const userData = await makeUserData(path.join(folder, 'user'));
  const postgres = suite.stopsPostgres ? await OwnServer.start() : shared;
  await mkdir(home, { mode: 0o700 });
  const stopAnswers = await answerRequests(requests, {
    stopServer: () => postgres.stop('fast'),
    startServer: () => postgres.start(),
    sql: (text) => postgres.sql(String(text), registry),
    /** Outside the registry, such as what is done to its database itself. */
    serverSql: (text) => postgres.sql(String(text)),
    address: () => Promise.resolve(urlOf(postgres, registry)),
  });
  const problem = await runTests({
    ...(usesServer ? { vscodeExecutablePath: path.join(import.meta.dirname, 'launchServerVSCode.ts') } : {}),
    extensionDevelopmentPath,
    extensionTestsPath: path.join(root, 'dist/test/extensionTests.cjs'),
    launchArgs: [workspace, `--user-data-dir=${userData}`, `--extensions-dir=${extensionsFolder(name)}`],
    extensionTestsEnv: {
      REGISTRAR_HOME: home,
      REGISTRAR_DATABASE_URL: suite.hasPostgres ? urlOf(postgres, registry) : undefined,
      // Where an agent that is connected keeps its servers.
      CLAUDE_CONFIG_DIR: path.join(folder, 'claude'),
      REGISTRAR_TEST_SUITE: name,
      REGISTRAR_TEST_EXTENSIONS: extensionsFolder(packaged.name),
      REGISTRAR_TEST_LOG: log,
      REGISTRAR_TEST_RESULTS: results,
      REGISTRAR_TEST_REQUESTS: requests,
      REGISTRAR_TEST_PAGE: usesServer ? '1' : undefined,
      REGISTRAR_TEST_TRUST: suite.isUntrusted ? '1' : undefined,
    },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await stopAnswers();
  await endDaemon(home);
  // Root's bundled server lives outside the state folder.
  await removeBundledServer(path.join(home, 'postgres'));
  if (postgres !== shared) await postgres.close();
  console.log(await readFile(log, 'utf8').catch(() => ''));
  const counts = await readResults(results);
  if (problem !== undefined && counts.failed === 0) console.error(problem);
  countFailedRun(counts, problem === undefined ? 0 : 1, name);
  return counts;
}

function urlOf(postgres: OwnServer, registry: string): string {
  const url = new URL(postgres.url);
  url.pathname = `/${registry}`;
  return url.href;
}

function extensionsFolder(suite: string): string {
  return path.join(work, 'extensions', suite.replaceAll(' ', '-'));
}

/** VS Code runs tests only next to an extension under development; this one does nothing. */
async function makeEmptyExtension(): Promise<string> {
  const folder = path.join(work, 'empty-extension');
  await mkdir(folder);
  const manifest = { name: 'empty', publisher: 'test', version: '0.0.1', engines: { vscode: '*' } };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}
