// Runs test:rules on each major version of PostgreSQL that Registrar is for, two at a time, without the tests of the
// bundled server and of the model, which do not depend on it. The last line is the sum.
//   npm run test:majors -- --only 14,15

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { majors, startMajor } from '../test/support/majorServer.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

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
  let total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const major of wanted) {
    console.log(`\n── test:rules on PostgreSQL ${major}\n`);
    const counts = await testOn(major).catch((error: unknown) => {
      console.error(error);
      return { passed: 0, failed: 1, skipped: 0 };
    });
    total = sum(total, counts);
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

async function testOn(major: string): Promise<Counts> {
  const server = await startMajor(major, (message) => {
    console.log(message);
  });
  // Only now: both would fetch the binaries.
  const beside = major === faultMajor ? runMocha(faults, { REGISTRAR_TEST_MAJOR: major }, 'held back') : null;
  const { counts } = await runMocha(rules, { REGISTRAR_TEST_DATABASE_URL: server.url }, 'shown').finally(() =>
    server.stop(),
  );
  if (!beside) return counts;
  const held = await beside;
  console.log(`\n── fault tests on PostgreSQL ${major}\n\n${held.output}`);
  return sum(counts, held.counts);
}

function sum(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** A run that failed without a failed test, such as one that found none, counts as one failure. */
async function runMocha(
  tests: readonly string[],
  env: Record<string, string>,
  showing: 'shown' | 'held back',
): Promise<{ counts: Counts; output: string }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-results-'));
  const results = path.join(folder, 'counts.json');
  const mocha = path.join(import.meta.dirname, '..', 'node_modules', 'mocha', 'bin', 'mocha.js');
  const to = showing === 'shown' ? 'inherit' : 'pipe';
  try {
    const child = spawn(process.execPath, [mocha, ...tests], {
      stdio: ['ignore', to, to],
      cwd: path.join(import.meta.dirname, '..'),
      env: { ...process.env, ...env, REGISTRAR_TEST_RESULTS: results },
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const text = await readFile(results, 'utf8').catch(() => '{"passed":0,"failed":0,"skipped":0}');
    const counts = JSON.parse(text) as Counts;
    if (status !== 0 && counts.failed === 0) counts.failed = 1;
    return { counts, output: Buffer.concat(chunks).toString() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
