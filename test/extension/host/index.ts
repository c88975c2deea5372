import { appendFileSync, writeFileSync } from 'node:fs';
import { format } from 'node:util';
import Mocha from 'mocha';
import * as vscode from 'vscode';
import type { TestResults } from '../../support/testResults.ts';
import { waitFor } from './waitFor.ts';

/** The tests of each suite of runTests.ts. */
const suites: Record<string, () => Promise<unknown>> = {
  'one folder': async () => {
    await import('./oneFolder.test.ts');
    await import('./agents.test.ts');
    await import('./terminals.test.ts');
    await import('./commands.test.ts');
  },
  'three folders': () => import('./threeFolders.test.ts'),
  'handed over': () => import('./handedOver.test.ts'),
  'no project': () => import('./noProject.test.ts'),
  'no PostgreSQL': () => import('./noPostgres.test.ts'),
  'not trusted': () => import('./notTrusted.test.ts'),
  'installed from the package': () => import('./installed.test.ts'),
};

/** VS Code's entry: runs mocha inside the extension host. Text and counts leave through files, as the host has no output. */
export async function run(): Promise<void> {
  const log = required('REGISTRAR_TEST_LOG');
  const results = required('REGISTRAR_TEST_RESULTS');
  const suite = required('REGISTRAR_TEST_SUITE');
  Mocha.reporters.Base.consoleLog = (...parts: unknown[]) => {
    appendFileSync(log, `${format(...parts)}\n`);
  };

  const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', timeout: 60_000, forbidOnly: true });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  try {
    await foldersOpened();
    await suites[suite]?.();
  } catch (error) {
    // VS Code would say nothing of it but its status.
    appendFileSync(log, `${format(error)}\n`);
    throw error;
  }

  const failed: string[] = [];
  const counts = await new Promise<TestResults>((resolve) => {
    const runner = mocha.run(() => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      resolve({ passed: passes, failed: failures, skipped: pending, failures: failed });
    });
    runner.on('fail', (test, error: Error) => {
      failed.push(`${test.fullTitle()}\n${error.stack ?? error.message}`);
    });
  });
  writeFileSync(results, JSON.stringify(counts));
  if (counts.failed > 0 || counts.passed === 0) throw new Error(`${counts.failed} failed, ${counts.passed} passed.`);
}

/** On a busy machine a window reads its workspace file after its tests have begun, and has no folders before. */
async function foldersOpened(): Promise<void> {
  const { workspace } = vscode;
  if (workspace.workspaceFile === undefined) return;
  await waitFor('the folders of the workspace file', () =>
    Promise.resolve((workspace.workspaceFolders ?? []).length > 0),
  );
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}
