// Whether it holds for long: daemons, windows and agents that come and go, projects that are made, renamed and forgotten,
// and a PostgreSQL that is restarted every minute. The status is 1 when something was lost or grew.
//   npm run soak -- --minutes 10

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { whyNoOwnServer } from '../../test/support/ownServer.ts';
import { Ledger } from './ledger.ts';
import { visit, type Traffic } from './traffic.ts';
import { judge } from './verdict.ts';
import { areHandlesFlat, atRest, memoryTrend, Vitals, type Sample } from './vitals.ts';
import { openWorld, type World } from './world.ts';

const visitorsAtOnce = 6;
const maxProjectsPerMinute = 30;
/** The first restart comes after half of it. */
const restartEveryMs = 60_000;
const downMs = 3000;
/** Before anything is measured: whoever comes first makes a daemon load what it will keep. */
const warmUpMs = 10_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
const why = process.platform === 'linux' ? whyNoOwnServer() : 'not run: only Linux says what a process holds';
if (why !== null || !(minutes > 0)) {
  console.error(why ?? `--minutes wants a number, not ${values.minutes}`);
  process.exit(2);
}

const world = await openWorld(2);
process.once('SIGINT', () => {
  void world.close().finally(() => process.exit(130));
});
try {
  process.exitCode = (await soak(world)) ? 0 : 1;
} finally {
  await world.close();
}

async function soak(world: World): Promise<boolean> {
  const ledger = new Ledger();
  const traffic: Traffic = { counts: {}, violations: [] };
  const pids = world.daemons.map(({ pid }) => pid);
  await visit(world, ledger, traffic, performance.now() + warmUpMs, 4);
  const before = await atRest(pids);
  const vitals = pids.map((pid) => new Vitals(pid));
  const until = performance.now() + minutes * 60_000;
  const visitors = Array.from({ length: visitorsAtOnce }, () =>
    visit(world, ledger, traffic, until, Math.ceil(minutes * maxProjectsPerMinute)),
  );
  const restarts = await restarting(world, until);
  await Promise.all(visitors);
  for (const one of vitals) await one.stop();

  const { found, forgotten, problems } = await judge(world, ledger);
  problems.push(...traffic.violations);
  const after = await atRest(pids);
  for (const [index, one] of vitals.entries()) {
    const [first, last] = [before[index], after[index]];
    if (first && last) problems.push(...growthOf(`daemon ${String(index + 1)}`, first, one.samples, last));
  }
  for (const [what, times] of Object.entries(traffic.counts).sort()) console.log(`${what}: ${String(times)}`);
  console.log(
    `${String(minutes)} min, ${String(restarts)} restarts of PostgreSQL: ${String(ledger.entries().length)} projects begun, ${String(found)} found, ${String(forgotten)} forgotten on purpose`,
  );
  for (const problem of problems) console.log(`PROBLEM ${problem}`);
  console.log(problems.length === 0 ? 'Nothing was lost, nothing grew, drift is empty.' : 'It did not hold.');
  return problems.length === 0;
}

/** Says what a daemon held, and gives what grew. */
function growthOf(daemon: string, before: Sample, samples: readonly Sample[], after: Sample): string[] {
  const trend = memoryTrend(samples);
  const memory = trend
    ? `${trend.first.toFixed(0)} MB in the first third, ${trend.last.toFixed(0)} MB in the last`
    : 'too short a run to judge';
  const most = Math.max(...samples.map(({ handles }) => handles));
  console.log(
    `${daemon}: memory at rest ${before.memory.toFixed(0)} MB before, ${after.memory.toFixed(0)} MB after; at work ${memory}`,
  );
  console.log(
    `${daemon}: handles at rest ${String(before.handles)} before, ${String(after.handles)} after; at work at most ${String(most)}`,
  );
  return [
    ...(trend?.isFlat === false ? [`${daemon} grew`] : []),
    ...(areHandlesFlat(before, after) ? [] : [`${daemon} keeps ${String(after.handles)} handles`]),
  ];
}

/** In turns as an administrator does it and as a crash does. @returns how often */
async function restarting(world: World, until: number): Promise<number> {
  let restarts = 0;
  for (let at = performance.now() + restartEveryMs / 2; at < until; at += restartEveryMs) {
    await delay(Math.max(0, at - performance.now()));
    await world.restart(restarts % 2 === 0 ? 'fast' : 'immediate', downMs);
    restarts += 1;
  }
  return restarts;
}
