#!/usr/bin/env node
// Takes the arguments of a desktop VS Code that runs extension tests, runs them in VS Code's server and a headless
// browser, and ends with their result: an executable for @vscode/test-electron where no desktop VS Code can be had.

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { pageRequests } from './pageRequests.ts';
import { answerRequests } from './requests.ts';
import { startServer } from './runningServer.ts';
import { openTestBrowser } from './testBrowser.ts';

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
  const server = await startServer({
    userData: text(values['user-data-dir']),
    extensions: text(values['extensions-dir']),
    // @vscode/test-electron always switches trust off; who tests trust says so.
    hasTrust: process.env.REGISTRAR_TEST_TRUST !== undefined,
    signal,
  });
  void server.ended.then(() => {
    controller.abort(new Error('The server of VS Code ended.'));
  });
  try {
    const browser = await openTestBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      const status = await runInPage(page, server.address, AbortSignal.any([signal, AbortSignal.timeout(runLimitMs)]));
      // Tests that did not even begin have written nothing that would say why.
      if (status !== 0 && !existsSync(process.env.REGISTRAR_TEST_RESULTS ?? '')) {
        console.error([...said.slice(-40), server.output().slice(-4000)].join('\n'));
        await page.screenshot({ path: 'test-output/failed-run.png' }).catch(() => undefined);
      }
      return status;
    } finally {
      await browser.close();
    }
  } catch (error) {
    console.error(server.output().slice(-4000));
    throw error;
  } finally {
    await server.close();
  }
}

async function runInPage(page: Page, address: string, signal: AbortSignal): Promise<number> {
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
        await page.goto(workbenchUrl(address));
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

function workbenchUrl(authority: string): string {
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
