// Whether it holds for long: daemons, windows and agents that come and go, projects that are made, renamed and forgotten,
// and a PostgreSQL that is restarted in every cycle of 20 s. The status is 1 when something was lost or grew.
//   npm run soak -- --minutes 10
//   npm run soak -- --minutes 3 --leak 1024     the daemons keep so many bytes of each visitor: it must fail

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { whyNoOwnServer } from '../../test/support/ownServer.ts';
import { Ledger } from './ledger.ts';
import { visit, type Traffic } from './traffic.ts';
import { judge } from './verdict.ts';
import { areHandlesFlat, handlesAtRest, heldBy, memoryGrowth, type RestPoint } from './vitals.ts';
import { openWorld, type World } from './world.ts';

const visitorsAtOnce = 6;
const cycleMs = 20_000;
const downMs = 3000;
/** Longest time that a visitor stays and does nothing, ms. */
const stayMs = 300;
/**
 * Before anything is compared: V8 notes and compiles what runs until it has run a thousand times, half a kilobyte for each
 * visitor at first. They come one after the other without a break, and make most of the projects.
 */
const warmUp = { visits: 2000, projects: 30 };
/** A daemon rightly remembers each, 12 kB until there are a thousand: few, and the same number in each cycle. */
const projectsPerCycle = 1;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, leak: { type: 'string', default: '0' } },
});
const minutes = Number(values.minutes);
const cycles = Math.max(5, Math.round((minutes * 60_000) / cycleMs));
const why = process.platform === 'linux' ? whyNoOwnServer() : 'not run: only Linux says what a process holds';
if (why !== null || !(minutes > 0)) {
  console.error(why ?? `--minutes wants a number, not ${values.minutes}`);
  process.exit(2);
}

const world = await openWorld(2, Number(values.leak));
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
  const traffic: Traffic = { counts: {}, visits: new Map(), violations: [] };
  const pids = world.daemons.map(({ pid }) => pid);
  await visitors(() =>
    visit(world, ledger, traffic, { ...warmUp, stayMs: 0 }, () => visitsOf(traffic) < warmUp.visits),
  );
  await oneCycle(world, ledger, traffic, 0);
  const before = await handlesAtRest(pids);
  const points = pids.map((): RestPoint[] => []);
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    await oneCycle(world, ledger, traffic, cycle);
    for (const [index, pid] of pids.entries())
      points[index]?.push({ ...(await heldBy(world.probes, pid)), visits: traffic.visits.get(pid) ?? 0 });
  }

  const { found, forgotten, problems } = await judge(world, ledger);
  problems.push(...traffic.violations);
  const after = await handlesAtRest(pids);
  for (const index of pids.keys())
    problems.push(
      ...growthOf(`daemon ${String(index + 1)}`, points[index] ?? [], before[index] ?? 0, after[index] ?? 0),
    );
  for (const [what, times] of Object.entries(traffic.counts).sort()) console.log(`${what}: ${String(times)}`);
  console.log(
    `${String(minutes)} min, ${String(1 + cycles)} restarts of PostgreSQL: ${String(ledger.entries().length)} projects begun, ${String(found)} found, ${String(forgotten)} forgotten on purpose`,
  );
  for (const problem of problems) console.log(`PROBLEM ${problem}`);
  console.log(problems.length === 0 ? 'Nothing was lost, nothing grew, drift is empty.' : 'It did not hold.');
  return problems.length === 0;
}

/** Traffic, and in the middle of it a restart, in turns as an administrator does it and as a crash does. */
async function oneCycle(world: World, ledger: Ledger, traffic: Traffic, cycle: number): Promise<void> {
  const until = performance.now() + cycleMs;
  const projects = warmUp.projects + (cycle + 1) * projectsPerCycle;
  const traffics = visitors(() => visit(world, ledger, traffic, { projects, stayMs }, () => performance.now() < until));
  await delay(cycleMs / 2);
  await world.restart(cycle % 2 === 0 ? 'fast' : 'immediate', downMs);
  await traffics;
}

async function visitors(one: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: visitorsAtOnce }, one));
}

function visitsOf({ visits }: Traffic): number {
  return [...visits.values()].reduce((sum, each) => sum + each, 0);
}

/** Says what a daemon held, and gives what grew. */
function growthOf(daemon: string, points: readonly RestPoint[], handlesBefore: number, handlesAfter: number): string[] {
  const { bytesPerVisit, isFlat } = memoryGrowth(points);
  const live = points.map((point) => point.live.toFixed(2)).join(' ');
  const resident = points.map((point) => point.resident.toFixed(0)).join(' ');
  const visits = (points.at(-1)?.visits ?? 0) - (points[0]?.visits ?? 0);
  console.log(`${daemon}: MB in use at rest, cycle by cycle: ${live}`);
  console.log(`${daemon}: MB resident at rest: ${resident}`);
  console.log(`${daemon}: ${bytesPerVisit.toFixed(0)} bytes more a visitor, of ${String(visits)}`);
  console.log(`${daemon}: handles at rest ${String(handlesBefore)} before, ${String(handlesAfter)} after`);
  return [
    ...(isFlat ? [] : [`${daemon} grew by ${bytesPerVisit.toFixed(0)} bytes a visitor`]),
    ...(areHandlesFlat(handlesBefore, handlesAfter) ? [] : [`${daemon} keeps ${String(handlesAfter)} handles`]),
  ];
}
