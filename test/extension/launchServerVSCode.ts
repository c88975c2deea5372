#!/usr/bin/env node
// Takes the arguments of a desktop VS Code that runs extension tests, runs them in VS Code's server and a headless
// browser, and ends with their result: an executable for @vscode/test-electron where no desktop VS Code can be had.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { pageRequests } from './pageRequests.ts';
import { answerRequests } from './requests.ts';
import { serverVSCode } from './serverVSCode.ts';
import { openTestBrowser } from './testBrowser.ts';

const startLimitMs = 30_000;
const runLimitMs = 180_000;

const { values, positionals } = parseArgs({
  options: {
    extensionDevelopmentPath: { type: 'string' },
    extensionTestsPath: { type: 'string' },
    'user-data-dir': { type: 'string' },
    'extensions-dir': { type: 'string' },
  },
  // Whatever else a desktop understands has no meaning here.
  strict: false,
});

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    controller.abort(new Error(`Stopped by ${signal}.`));
  });
}
process.exitCode = await runTests(controller.signal);

async function runTests(signal: AbortSignal): Promise<number> {
  const server = spawn(process.execPath, [await serverVSCode(), ...serverArguments()], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: the extension hosts that it starts are ended with it.
    detached: true,
  });
  server.once('exit', () => {
    controller.abort(new Error('The server of VS Code ended.'));
  });
  const serverOutput = collectOutput(server);
  try {
    const port = await listeningPort(server, AbortSignal.any([signal, AbortSignal.timeout(startLimitMs)]));
    const browser = await openTestBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      return await runInPage(page, port, AbortSignal.any([signal, AbortSignal.timeout(runLimitMs)]));
    } finally {
      await browser.close();
    }
  } catch (error) {
    console.error(serverOutput().slice(-4000));
    throw error;
  } finally {
    await endGroup(server);
  }
}

async function runInPage(page: Page, port: number, signal: AbortSignal): Promise<number> {
  const stopAnswers = await answerRequests(folder('REGISTRAR_TEST_REQUESTS'), pageRequests(page, 'test-output'));
  try {
    return await new Promise<number>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('The extension tests did not end.', { cause: signal.reason }));
      });
      page.once('crash', () => {
        reject(new Error('The page with the workbench crashed.'));
      });
      const open = async (): Promise<void> => {
        // The workbench calls it with the status of the test run.
        await page.exposeFunction('codeAutomationExit', resolve);
        await page.goto(workbenchUrl(port));
      };
      open().catch(reject);
    });
  } catch (error) {
    // What the window showed last explains most failures; a page that is gone cannot show it.
    await page.screenshot({ path: 'test-output/failed-run.png' }).catch(() => undefined);
    throw error;
  } finally {
    await stopAnswers();
  }
}

function serverArguments(): string[] {
  const userData = text(values['user-data-dir']);
  return [
    ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'],
    ...['--enable-smoke-test-driver', '--telemetry-level', 'off'],
    ...['--user-data-dir', userData, '--server-data-dir', userData, '--extensions-dir', text(values['extensions-dir'])],
    // @vscode/test-electron always switches trust off; who tests trust says so.
    ...(process.env.REGISTRAR_TEST_TRUST === undefined ? ['--disable-workspace-trust'] : []),
  ];
}

function workbenchUrl(port: number): string {
  const authority = `127.0.0.1:${port}`;
  const remote = (file: string): string => `vscode-remote://${authority}${file}`;
  const workspace = positionals[0] ?? '';
  const payload = [
    ['extensionDevelopmentPath', remote(text(values.extensionDevelopmentPath))],
    ['extensionTestsPath', remote(text(values.extensionTestsPath))],
  ];
  const query = new URLSearchParams({
    [workspace.endsWith('.code-workspace') ? 'workspace' : 'folder']: workspace,
    payload: JSON.stringify(payload),
  });
  return `http://${authority}/?${query.toString()}`;
}

function folder(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set.`);
  return value;
}

function text(value: string | boolean | undefined): string {
  if (typeof value !== 'string') throw new Error('An argument is missing that @vscode/test-electron always passes.');
  return value;
}

/** The server complains at length about native modules that the tests do not need; it is shown only after a failure. */
function collectOutput(server: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return () => chunks.join('');
}

async function listeningPort(server: ChildProcess, signal: AbortSignal): Promise<number> {
  const ended = once(server, 'exit', { signal }).then(() => {
    throw new Error('The server of VS Code ended before it listened.');
  });
  const listening = new Promise<number>((resolve) => {
    if (!server.stdout) return;
    createInterface({ input: server.stdout }).on('line', (line) => {
      const port = /Extension host agent listening on (\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  return Promise.race([listening, ended]);
}

async function endGroup(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null) return;
  const exited = once(server, 'exit');
  process.kill(-server.pid, 'SIGKILL');
  await exited;
}
