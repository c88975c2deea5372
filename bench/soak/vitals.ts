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

/** Handles are flat when, with nobody there, no more are open than before: what is kept for a while gets the time. */
export async function handlesAtRest(pid: number, before: number, limitMs: number): Promise<number> {
  const giveUpAt = performance.now() + limitMs;
  let { handles } = await sampleOf(pid);
  while (handles > before && performance.now() < giveUpAt) {
    await delay(500);
    ({ handles } = await sampleOf(pid));
  }
  return handles;
}
