// Runs every stage, goes on after a failure, and prints one line that sums them up as the very last.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A stage is an npm script. With mocha it leaves its counts in a file; without, the stage as a whole is one test. */
interface Stage {
  script: string;
  hasMocha: boolean;
}

// The package comes before the extension's tests, which install it into a clean VS Code.
const stages: Stage[] = [
  { script: 'check', hasMocha: false },
  { script: 'test:unit', hasMocha: true },
  { script: 'test:postgres', hasMocha: true },
  { script: 'test:package', hasMocha: false },
  { script: 'test:extension', hasMocha: true },
];

const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-results-'));
const rows: { script: string; counts: Counts; seconds: number }[] = [];
try {
  for (const stage of stages) {
    console.log(`\n── ${stage.script}\n`);
    const started = performance.now();
    const counts = await runStage(stage, path.join(folder, `${stage.script.replace(':', '-')}.json`));
    rows.push({ script: stage.script, counts, seconds: (performance.now() - started) / 1000 });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
console.log(
  `\n${'stage'.padEnd(16)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(9)}${'seconds'.padStart(9)}`,
);
for (const { script, counts, seconds } of rows) {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const numbers = [
    String(counts.passed).padStart(8),
    String(counts.failed).padStart(8),
    String(counts.skipped).padStart(9),
  ];
  console.log(`${script.padEnd(16)}${numbers.join('')}${seconds.toFixed(1).padStart(9)}`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** Runs one stage to its end. A stage that fails, or runs no test, counts at least one failure. */
async function runStage(stage: Stage, resultsFile: string): Promise<Counts> {
  const status = await runNpm(stage.script, { REGISTRAR_TEST_RESULTS: resultsFile });
  if (!stage.hasMocha) return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  const counts = await readCounts(resultsFile);
  const saysNothing = counts.passed + counts.failed === 0;
  if (counts.failed === 0 && (status !== 0 || saysNothing)) counts.failed = 1;
  return counts;
}

async function readCounts(file: string): Promise<Counts> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

/** Runs an npm script with this process's output; returns its exit status, 1 when a signal ended it. */
function runNpm(script: string, env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    // npm names its own entry point here, so that no shell or `.cmd` lookup is needed.
    const npm = process.env.npm_execpath;
    const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
    const child = spawn(command, [...args, 'run', '--silent', script], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
