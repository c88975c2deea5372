// Runs test:rules on each major version of PostgreSQL that Registrar is for, two at a time, without the tests of the
// bundled server and of the model, which do not depend on it. The last line is the sum.
//   npm run test:majors -- --only 14,15

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { majors, startMajor } from '../test/support/majorServer.ts';
import { keepTemporaryFilesInMemory } from '../test/support/memoryFolder.ts';
import {
  addResults,
  countFailedRun,
  noResults,
  printResults,
  readResults,
  type TestResults,
} from '../test/support/testResults.ts';
import { runProgram } from './runProgram.ts';

keepTemporaryFilesInMemory();

const rules = ['--spec', 'test/postgres/*.test.ts', '--ignore', 'test/postgres/model.test.ts'];

/** The newest is the bundled one, on which test:faults runs. */
const faultMajor = '15';
const faults = ['handOver', 'troubles', 'roleLimits', 'otherEncoding'].flatMap((name) => [
  '--spec',
  `test/postgres/faults/${name}.test.ts`,
]);

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
const wanted = values.only?.split(',') ?? majors;
const unknown = wanted.filter((major) => !majors.includes(major));

if (unknown.length > 0 || positionals.length > 0) {
  console.error(`Usage: npm run test:majors -- [--only ${majors.join(',')}]`);
  process.exitCode = 2;
} else if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('The older majors are here for Linux on x64 only.');
  process.exitCode = 1;
} else {
  await runAll();
}

async function runAll(): Promise<void> {
  const total = noResults();
  const waiting = wanted.values();
  // The second one computes while the first waits.
  const lanes = [waiting, waiting].map(async (majorsLeft) => {
    for (const major of majorsLeft) {
      addResults(total, await testOn(major).catch((error: unknown) => failedServer(major, error)));
    }
  });
  await Promise.all(lanes);
  await printResults(total);
}

function failedServer(major: string, error: unknown): TestResults {
  console.error(error);
  return { ...noResults(), failed: 1, failures: [`PostgreSQL ${major}: ${String(error)}`] };
}

async function testOn(major: string): Promise<TestResults> {
  const server = await startMajor(major, (message) => {
    console.log(message);
  });
  // Only now: both would fetch the binaries.
  const runs = [
    runMocha('test:rules', major, rules, { REGISTRAR_TEST_DATABASE_URL: server.url }).finally(() => server.stop()),
    ...(major === faultMajor ? [runMocha('fault tests', major, faults, { REGISTRAR_TEST_MAJOR: major })] : []),
  ];
  const results = noResults();
  for (const run of await Promise.all(runs)) addResults(results, run);
  return results;
}

/** Runs some tests on a major version, and prints all that they said when they have ended. */
async function runMocha(
  name: string,
  major: string,
  tests: readonly string[],
  env: Record<string, string>,
): Promise<TestResults> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-results-'));
  const file = path.join(folder, 'results.json');
  const mocha = path.join(import.meta.dirname, '..', 'node_modules', 'mocha', 'bin', 'mocha.js');
  try {
    const run = await runProgram(
      process.execPath,
      [mocha, ...tests],
      { ...env, REGISTRAR_TEST_RESULTS: file },
      'held back',
    );
    const results = await readResults(file);
    countFailedRun(results, run.status, `${name} on PostgreSQL ${major}`);
    console.log(`\n── ${name} on PostgreSQL ${major}\n\n${run.output}`);
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
