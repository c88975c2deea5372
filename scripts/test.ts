// Runs every stage, goes on after a failure, and prints one line that sums them up as the very last.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  addResults,
  countFailedRun,
  noResults,
  printResults,
  readResults,
  type TestResults,
} from '../test/support/testResults.ts';
import { runProgram, type ProgramRun } from './runProgram.ts';

/** A stage is an npm script. With mocha it leaves its counts in a file; without, the stage as a whole is one test. */
interface Stage {
  script: string;
  hasMocha: boolean;
}

/** The stages of a lane run one after the other. */
type Lane = Stage[];

/** Lanes of a group run beside each other, and a group begins when the one before it has ended. */
const groups: Lane[][] = [
  // All three only compute. The check takes one core for about as long as the other two together.
  [
    [{ script: 'check', hasMocha: false }],
    [
      { script: 'test:unit', hasMocha: true },
      { script: 'test:simulation', hasMocha: true },
    ],
  ],
  // Together they are test:postgres. They wait for PostgreSQL and for processes more than they compute.
  [
    [{ script: 'test:rules', hasMocha: true }],
    [{ script: 'test:faults', hasMocha: true }],
    [
      { script: 'test:daemon', hasMocha: true },
      { script: 'test:bundled', hasMocha: true },
    ],
  ],
  // The package comes before the extension's tests, which install it into a clean VS Code.
  [
    [
      { script: 'test:package', hasMocha: false },
      { script: 'test:extension', hasMocha: true },
    ],
  ],
];

const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-test-results-'));
/** What the stages printed that ran beside a group's first lane. */
const held: string[] = [];
const rows: { script: string; results: TestResults; seconds: number }[] = [];
try {
  for (const lanes of groups) {
    await Promise.all(lanes.map((lane, index) => runLane(lane, index === 0)));
    for (const text of held.splice(0)) console.log(text);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

const total = noResults();
console.log(
  `\n${'stage'.padEnd(16)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(9)}${'seconds'.padStart(9)}`,
);
for (const { script, results, seconds } of rows) {
  addResults(total, results);
  const numbers = [
    String(results.passed).padStart(8),
    String(results.failed).padStart(8),
    String(results.skipped).padStart(9),
  ];
  console.log(`${script.padEnd(16)}${numbers.join('')}${seconds.toFixed(1).padStart(9)}`);
}
await printResults(total);

async function runLane(lane: Lane, isShown: boolean): Promise<void> {
  for (const stage of lane) {
    const title = `\n── ${stage.script}\n`;
    if (isShown) console.log(title);
    const started = performance.now();
    const { results, output } = await runStage(stage, isShown);
    if (!isShown) held.push(`${title}\n${output}`);
    rows.push({ script: stage.script, results, seconds: (performance.now() - started) / 1000 });
  }
}

/** Runs one stage to its end. A stage that fails, or runs no test, counts at least one failure. */
async function runStage(stage: Stage, isShown: boolean): Promise<{ results: TestResults; output: string }> {
  const resultsFile = path.join(folder, `${stage.script.replace(':', '-')}.json`);
  const { status, output } = await runNpm(stage, isShown, { REGISTRAR_TEST_RESULTS: resultsFile });
  const results = stage.hasMocha ? await readResults(resultsFile) : noResults();
  if (!stage.hasMocha && status === 0) results.passed = 1;
  countFailedRun(results, status, stage.script);
  return { results, output };
}

/** Runs a stage's npm script, with this process's output or held back. */
function runNpm({ script }: Stage, isShown: boolean, env: Record<string, string>): Promise<ProgramRun> {
  // npm names its own entry point here, so that no shell or `.cmd` lookup is needed.
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  return runProgram(command, [...args, 'run', '--silent', script], env, isShown ? 'shown' : 'held back');
}
