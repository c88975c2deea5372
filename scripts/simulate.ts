// npm run simulate -- --histories N --seed S: deterministic histories in the world, and how often each thing happened in them.
// npm run simulate -- --mutants: which of the things that could be wrong with the rules these histories see.

import { parseArgs } from 'node:util';
import { Counts } from '../test/simulation/counts.ts';
import { allMutants } from '../test/simulation/mutants.ts';
import { catchMutant, simulate, textOf } from '../test/simulation/simulate.ts';
import { whySurvives } from '../test/simulation/survivors.ts';

/** Fewer histories have not had the time for everything. */
const enoughForAll = 20_000;

const { values } = parseArgs({
  options: { histories: { type: 'string' }, seed: { type: 'string' }, mutants: { type: 'boolean' } },
});
const seed = Number(values.seed ?? process.env.REGISTRAR_TEST_SEED ?? String(Date.now() % 2 ** 31));
if (values.mutants === true) await tryMutants(Number(values.histories ?? '500'));
else await tryHistories(Number(values.histories ?? String(enoughForAll)));

async function tryHistories(histories: number): Promise<void> {
  const counts = new Counts();
  const stopWatching = counts.watchRules();
  const started = performance.now();
  const broken = await simulate(histories, seed, counts).finally(stopWatching);
  const seconds = (performance.now() - started) / 1000;
  if (broken) {
    console.log(textOf(broken));
    process.exitCode = 1;
    return;
  }
  console.log(counts.lines().join('\n'));
  const rate = Math.round(histories / seconds);
  console.log(
    `\n${String(histories)} histories, seed ${String(seed)}, ${seconds.toFixed(1)} s, ${String(rate)} a second`,
  );
  const complaints = counts.complaints();
  for (const complaint of complaints) console.log(complaint);
  if (complaints.length > 0 && histories >= enoughForAll) process.exitCode = 1;
}

/** Fails where a mutant survives and nobody has said why it may. */
async function tryMutants(histories: number): Promise<void> {
  const mutants = allMutants();
  let caught = 0;
  let unexplained = 0;
  for (const mutant of mutants) {
    const found = await catchMutant(mutant, histories, seed);
    const reason = whySurvives(mutant.name);
    if (found) caught += 1;
    else if (reason === null) unexplained += 1;
    const outcome = found ? `caught by history ${String(found.histories)}: ${found.promise}` : 'survives';
    console.log(`${mutant.name}\n    ${outcome}${found || reason === null ? '' : `: ${reason}`}`);
  }
  console.log(`\n${String(caught)} of ${String(mutants.length)} mutants caught, seed ${String(seed)}`);
  console.log(`${String(unexplained)} survive without a reason`);
  if (unexplained > 0) process.exitCode = 1;
}
