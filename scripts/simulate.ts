// npm run simulate -- --histories N --seed S: deterministic histories in the world, and how often each thing happened in them.

import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { Counts } from '../test/simulation/counts.ts';
import { History } from '../test/simulation/history.ts';

const { values } = parseArgs({ options: { histories: { type: 'string' }, seed: { type: 'string' } } });
const histories = Number(values.histories ?? '1000');
const seed = Number(values.seed ?? String(Date.now() % 2 ** 31));
const counts = new Counts();
const tape = fc.array(fc.nat(99_999), { maxLength: 160, size: 'max' });
const started = performance.now();
const property = fc.asyncProperty(tape, (numbers) => new History(counts).run(numbers));
// First which history fails, and only then, for as long as somebody may want to wait, a shorter one.
const result = await fc.check(property, { seed, numRuns: histories, endOnFailure: true });
const seconds = (performance.now() - started) / 1000;
if (result.failed) {
  const shrinking = { seed, path: result.counterexamplePath ?? '', numRuns: 1, interruptAfterTimeLimit: 30_000 };
  const shrunk = await fc.check(property, shrinking);
  const [minimal = []] = shrunk.counterexample ?? result.counterexample ?? [];
  const history = new History(counts);
  await history.run(minimal).catch((error: unknown) => {
    history.lines.push(error instanceof Error ? error.message : String(error));
  });
  console.log(history.lines.join('\n'));
  console.log(`\nseed ${String(seed)}, tape ${JSON.stringify(minimal)}`);
  process.exitCode = 1;
} else {
  console.log(counts.lines().join('\n'));
  console.log(`\n${String(histories)} histories, seed ${String(seed)}, ${seconds.toFixed(1)} s`);
  const missing = counts.missing();
  for (const what of missing) console.log(`never happened: ${what}`);
  if (missing.length > 0) process.exitCode = 1;
}
