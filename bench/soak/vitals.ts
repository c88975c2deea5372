import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** Where `memoryProbe.ts` listens in each daemon; in the daemons' environment. */
export const probesVariable = 'REGISTRAR_SOAK_PROBES';
/** How many bytes of each visitor it keeps. */
export const leakVariable = 'REGISTRAR_SOAK_LEAK';

/** What a process holds when everything unused was collected, MB. */
export interface Held {
  /** What is in use: the heap and what belongs to it. */
  live: number;
  resident: number;
}

/** A daemon between two cycles, when nobody asks for anything. */
export interface RestPoint extends Held {
  /** Visitors that it has had until then. */
  visits: number;
}

export function probePath(folder: string, pid: number): string {
  return join(folder, `${String(pid)}.sock`);
}

/** Has a daemon collect what is unused, and asks what is left. */
export async function heldBy(folder: string, pid: number): Promise<Held> {
  return JSON.parse(await text(connect(probePath(folder, pid)))) as Held;
}

/** The least leak that counts, per visitor: half of what `--leak 1024` plants. Noted projects take less. */
const allowedBytesPerVisit = 512;

/**
 * Compares like with like, so that a run of any length gives the same verdict: every point is taken at rest, after a
 * collection, behind a cycle like all others, and growth is counted per visitor. The median of the slopes between all
 * pairs of points (Theil–Sen) does not follow a single point that lies apart.
 */
export function memoryGrowth(points: readonly RestPoint[]): { bytesPerVisit: number; isFlat: boolean } {
  const slopes = points.flatMap((later, index) =>
    points.slice(0, index).map((earlier) => ((later.live - earlier.live) * 1e6) / (later.visits - earlier.visits)),
  );
  slopes.sort((one, other) => one - other);
  const middle = (slopes.length - 1) / 2;
  const bytesPerVisit = ((slopes[Math.floor(middle)] ?? 0) + (slopes[Math.ceil(middle)] ?? 0)) / 2;
  return { bytesPerVisit, isFlat: bytesPerVisit <= allowedBytesPerVisit };
}

/** Connections that nobody uses are closed after half a minute. */
const closedMs = 40_000;
/** A connection that is listened on may be there or about to be opened again. */
const allowedHandles = 4;

/** The files, sockets and pipes that processes have open when nobody has been there for a while. Linux tells. */
export async function handlesAtRest(pids: readonly number[]): Promise<number[]> {
  await delay(closedMs);
  return Promise.all(pids.map(async (pid) => (await readdir(`/proc/${String(pid)}/fd`)).length));
}

/** Thousands of visitors who each left something behind would show. */
export function areHandlesFlat(before: number, after: number): boolean {
  return after <= before + allowedHandles;
}
