// Whether it holds for long: daemons, windows and agents that come and go, projects that are made, renamed and forgotten,
// and a PostgreSQL that is restarted every minute. The status is 1 when something was lost or grew.
//   npm run soak -- --minutes 10

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { whyNoOwnServer } from '../../test/support/ownServer.ts';
import { Ledger } from './ledger.ts';
import { visit, type Traffic } from './traffic.ts';
import { judge } from './verdict.ts';
import { handlesAtRest, memoryTrend, sampleOf, Vitals } from './vitals.ts';
import { openWorld, type World } from './world.ts';

const visitorsAtOnce = 6;
const maxProjectsPerMinute = 30;
/** The first restart comes after half of it. */
const restartEveryMs = 60_000;
const downMs = 3000;
/** Connections that nobody uses are closed after half a minute. */
const restLimitMs = 90_000;

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
  // Whoever comes first makes a daemon load what it will keep.
  await visit(world, ledger, traffic, performance.now() + 5000, 4);
  const before = await Promise.all(world.daemons.map(({ pid }) => sampleOf(pid)));
  const vitals = world.daemons.map(({ pid }) => new Vitals(pid));
  const until = performance.now() + minutes * 60_000;
  const visitors = Array.from({ length: visitorsAtOnce }, () =>
    visit(world, ledger, traffic, until, Math.ceil(minutes * maxProjectsPerMinute)),
  );
  const restarts = await restarting(world, until);
  await Promise.all(visitors);
  for (const one of vitals) await one.stop();

  const { found, forgotten, problems } = await judge(world, ledger);
  problems.push(...traffic.violations);
  for (const [index, { pid }] of world.daemons.entries()) {
    const handlesBefore = before[index]?.handles ?? 0;
    const handles = await handlesAtRest(pid, handlesBefore, restLimitMs);
    const samples = vitals[index]?.samples ?? [];
    const trend = memoryTrend(samples);
    const most = Math.max(...samples.map((sample) => sample.handles));
    const memory = trend
      ? `${trend.first.toFixed(0)} MB in the first third, ${trend.last.toFixed(0)} MB in the last`
      : `${samples.at(-1)?.memory.toFixed(0) ?? '?'} MB; too short to judge`;
    console.log(
      `daemon ${String(index + 1)}: memory ${memory}; handles ${String(handlesBefore)} before, at most ${String(most)}, ${String(handles)} after`,
    );
    if (trend?.isFlat === false) problems.push(`daemon ${String(index + 1)} grew`);
    if (handles > handlesBefore) problems.push(`daemon ${String(index + 1)} keeps ${String(handles)} handles`);
  }
  for (const [what, times] of Object.entries(traffic.counts).sort()) console.log(`${what}: ${String(times)}`);
  console.log(
    `${String(minutes)} min, ${String(restarts)} restarts of PostgreSQL: ${String(ledger.entries().length)} projects begun, ${String(found)} found, ${String(forgotten)} forgotten on purpose`,
  );
  for (const problem of problems) console.log(`PROBLEM ${problem}`);
  console.log(problems.length === 0 ? 'Nothing was lost, nothing grew, drift is empty.' : 'It did not hold.');
  return problems.length === 0;
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
