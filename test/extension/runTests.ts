// Runs the extension's tests in a real VS Code, twice: with the extension under development, and with the packaged
// extension installed into a clean VS Code. Linux uses VS Code's server (see launchServerVSCode.ts); elsewhere, and with
// REGISTRAR_TEST_VSCODE=desktop, a desktop VS Code is downloaded.

import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runTests, runVSCodeCommand } from '@vscode/test-electron';
import { runProcess } from './runProcess.ts';
import { serverVSCode } from './serverVSCode.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = path.resolve(import.meta.dirname, '../..');
const usesServer = process.platform === 'linux' && process.env.REGISTRAR_TEST_VSCODE !== 'desktop';
// The editor shows real paths; macOS's temporary folder is a link.
const work = await realpath(await mkdtemp(path.join(os.tmpdir(), 'registrar-vscode-')));
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const workspace = await makeWorkspace();
  add(await runSuite('under development', root, workspace));

  const vsix = path.join(work, 'registrar.vsix');
  const vsce = path.join(root, 'node_modules/@vscode/vsce/vsce');
  await runProcess(
    process.execPath,
    [vsce, 'package', '--no-dependencies', '--allow-missing-repository', '--out', vsix],
    root,
  );
  await install(vsix);
  add(await runSuite('installed from the package', await makeEmptyExtension(), workspace));
} finally {
  await rm(work, { recursive: true, force: true });
}
if (process.env.REGISTRAR_TEST_RESULTS !== undefined) {
  await writeFile(process.env.REGISTRAR_TEST_RESULTS, JSON.stringify(total));
}
process.exitCode = total.failed > 0 ? 1 : 0;

function add(counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}

async function runSuite(name: string, extensionDevelopmentPath: string, workspace: string): Promise<Counts> {
  const folder = path.join(work, name.replaceAll(' ', '-'));
  const log = path.join(folder, 'log.txt');
  const results = path.join(folder, 'results.json');
  const userData = path.join(folder, 'user');
  await mkdir(path.join(userData, 'User'), { recursive: true });
  await writeFile(
    path.join(userData, 'User/settings.json'),
    JSON.stringify({
      'workbench.startupEditor': 'none',
      'chat.disableAIFeatures': true,
      'workbench.secondarySideBar.defaultVisibility': 'hidden',
    }),
  );
  const problem = await runTests({
    ...(usesServer ? { vscodeExecutablePath: path.join(import.meta.dirname, 'launchServerVSCode.ts') } : {}),
    extensionDevelopmentPath,
    extensionTestsPath: path.join(root, 'dist/test/extensionTests.cjs'),
    launchArgs: [workspace, `--user-data-dir=${userData}`, `--extensions-dir=${extensionsFolder(name)}`],
    extensionTestsEnv: {
      REGISTRAR_TEST_SUITE: name,
      REGISTRAR_TEST_EXTENSIONS: extensionsFolder('installed from the package'),
      REGISTRAR_TEST_LOG: log,
      REGISTRAR_TEST_RESULTS: results,
      ...(usesServer ? { REGISTRAR_TEST_PICTURES: path.join(root, 'test-output') } : {}),
    },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  console.log(await readFile(log, 'utf8').catch(() => ''));
  const counts = await readFile(results, 'utf8').then(
    (json) => JSON.parse(json) as Counts,
    () => ({ passed: 0, failed: 0, skipped: 0 }),
  );
  if (problem !== undefined && counts.failed === 0) {
    console.error(problem);
    counts.failed = 1;
  }
  return counts;
}

function extensionsFolder(suite: string): string {
  return path.join(work, 'extensions', suite.replaceAll(' ', '-'));
}

async function install(vsix: string): Promise<void> {
  const folder = extensionsFolder('installed from the package');
  const userData = path.join(work, 'installer');
  const args = ['--install-extension', vsix, '--extensions-dir', folder, '--user-data-dir', userData];
  if (!usesServer) {
    await runVSCodeCommand(args);
    return;
  }
  const server = ['--accept-server-license-terms', '--telemetry-level', 'off', '--server-data-dir', userData];
  await runProcess(process.execPath, [await serverVSCode(), ...args, ...server], root);
}

/** VS Code runs tests only next to an extension under development; this one does nothing. */
async function makeEmptyExtension(): Promise<string> {
  const folder = path.join(work, 'empty-extension');
  await mkdir(folder);
  const manifest = { name: 'empty', publisher: 'test', version: '0.0.1', engines: { vscode: '*' } };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}

/** A workspace of two folders: one with a config file, which has a comment and one wrong value, and one without. */
async function makeWorkspace(): Promise<string> {
  const folder = path.join(work, 'workspace');
  const files = {
    'shop/.codebase-mcp/config.json':
      '{\n  // The shop.\n  "version": "1.0",\n  "project": { "name": "shop" },\n  "auto_switch": "banana"\n}\n',
    'shop/src/deep/main.txt': 'main\n',
    'empty/notes.txt': 'notes\n',
    'both.code-workspace': JSON.stringify({ folders: [{ path: 'shop' }, { path: 'empty' }] }),
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return path.join(folder, 'both.code-workspace');
}
