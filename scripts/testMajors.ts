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
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...wanted];
  const runNext = async () => {
    for (let major = waiting.shift(); major !== undefined; major = waiting.shift()) {
      const { counts, output } = await testOn(major).catch((error: unknown) => ({
        counts: { passed: 0, failed: 1, skipped: 0 },
        output: `${String(error)}\n`,
      }));
      console.log(`\n── test:rules on PostgreSQL ${major}\n\n${output}`);
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
  };
  // They wait for PostgreSQL more than they compute. What each prints is shown when it has ended.
  await Promise.all([runNext(), runNext()]);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

async function testOn(major: string): Promise<{ counts: Counts; output: string }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-results-'));
  const server = await startMajor(major, (message) => {
    console.log(message);
  });
  try {
    const results = path.join(folder, 'counts.json');
    const { status, output } = await runMocha({
      REGISTRAR_TEST_DATABASE_URL: server.url,
      REGISTRAR_TEST_RESULTS: results,
    });
    const text = await readFile(results, 'utf8').catch(() => '{"passed":0,"failed":0,"skipped":0}');
    const counts = JSON.parse(text) as Counts;
    // A run that failed without a failed test, such as one that found none, is a failure too.
    if (status !== 0 && counts.failed === 0) counts.failed = 1;
    return { counts, output };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves with its exit status, 1 when a signal ended it, and with what it printed. */
function runMocha(env: Record<string, string>): Promise<{ status: number; output: string }> {
  const mocha = path.join(import.meta.dirname, '..', 'node_modules', 'mocha', 'bin', 'mocha.js');
  const args = ['--spec', 'test/postgres/*.test.ts', '--ignore', 'test/postgres/model.test.ts'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mocha, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: path.join(import.meta.dirname, '..'),
      env: { ...process.env, ...env },
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}
