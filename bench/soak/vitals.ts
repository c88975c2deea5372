import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { figuresOf } from '../harness.ts';

export interface Sample {
  /** Resident memory, MB. */
  memory: number;
  /** Open files, sockets and pipes. */
  handles: number;
}

/** Linux tells what a process holds; elsewhere the soak does not run. */
export async function sampleOf(pid: number): Promise<Sample> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { memory: kilobytes / 1000, handles: (await readdir(`/proc/${String(pid)}/fd`)).length };
}

/** Samples a process until it is told to stop. */
export class Vitals {
  readonly samples: Sample[] = [];
  readonly #pid: number;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(pid: number) {
    this.#pid = pid;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.samples.push(await sampleOf(this.#pid));
      await delay(1000, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}

/** Growth that is none: what a collector leaves lying from one time to the next. */
const allowedGrowth = 1.25;
/** Until then a process still compiles what it runs often and makes its heap as large as the work wants it. */
const warmUpSamples = 60;

/**
 * Memory is flat when the last third of the samples, the warm-up left out, has about the median of the first third. A run
 * that is no longer than the warm-up says nothing about it.
 *
 * @returns both medians in MB, and whether it is flat; null for a run that is too short
 */
export function memoryTrend(samples: readonly Sample[]): { first: number; last: number; isFlat: boolean } | null {
  const warm = samples.slice(warmUpSamples).map(({ memory }) => memory);
  const third = Math.floor(warm.length / 3);
  if (third < 20) return null;
  const first = figuresOf(warm.slice(0, third)).median;
  const last = figuresOf(warm.slice(-third)).median;
  return { first, last, isFlat: last <= first * allowedGrowth };
}

/** Connections that nobody uses are closed after half a minute. */
const restMs = 40_000;
/** A connection that is listened on may be there or about to be opened again. */
const allowedHandles = 4;

/** What processes hold when nobody has been there for a while. */
export async function atRest(pids: readonly number[]): Promise<Sample[]> {
  await delay(restMs);
  return Promise.all(pids.map(sampleOf));
}

/** Thousands of visitors who each left something behind would show. */
export function areHandlesFlat(before: Sample, after: Sample): boolean {
  return after.handles <= before.handles + allowedHandles;
}
