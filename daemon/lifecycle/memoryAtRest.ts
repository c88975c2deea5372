import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemoryAtRestOptions {
  /** How long nobody may have asked for anything, ms. */
  afterMs: number;
  /** A monotonic clock, ms. */
  now(): number;
  /** Resident memory of this process, bytes. */
  residentBytes(): number;
  /** Collects what is unused and gives its memory back to the system; nobody is answered meanwhile. */
  collect(): void;
  /** Told of each collection, in bytes and ms. */
  onCollected(freed: { before: number; after: number; durationMs: number }): void;
  /** Calls back once after so many ms, unless it is stopped by what it gives. */
  startTimer(ms: number, onTime: () => void): () => void;
}

/** Memory that is not worth a collection: a tenth of what the last one left. */
const worthwhileGrowth = 1.1;

/**
 * Gives memory back once nobody has asked for anything for a while. V8 collects only while a program allocates, and keeps the
 * pages that it has emptied: without this, a daemon that had work for a minute would keep twice its idle memory for days.
 */
export class MemoryAtRest {
  readonly #options: MemoryAtRestOptions;
  #askedAt = 0;
  #stopTimer: (() => void) | null = null;
  #isStopped = false;
  /** What the last collection left, bytes. */
  #left = 0;

  constructor(options: MemoryAtRestOptions) {
    this.#options = options;
  }

  /** Somebody asked for something. Every request passes here, so that it only notes the time while the timer runs. */
  touch(): void {
    this.#askedAt = this.#options.now();
    if (this.#stopTimer === null && !this.#isStopped) this.#wait(this.#options.afterMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
  }

  #wait(ms: number): void {
    this.#stopTimer = this.#options.startTimer(ms, () => {
      const leftMs = this.#askedAt + this.#options.afterMs - this.#options.now();
      if (leftMs > 0) {
        this.#wait(leftMs);
        return;
      }
      this.#stopTimer = null;
      this.#collect();
    });
  }

  #collect(): void {
    const options = this.#options;
    const before = options.residentBytes();
    if (before < this.#left * worthwhileGrowth) return;
    const startedAt = options.now();
    options.collect();
    this.#left = options.residentBytes();
    options.onCollected({ before, after: this.#left, durationMs: options.now() - startedAt });
  }
}

/**
 * V8's collection for a process that is short of memory. An ordinary one empties the pages and keeps them for later: measured
 * after 15,000 calls, resident memory stays at 196 MB, and this one leaves 112 MB.
 */
export function collectAll(): void {
  // V8 gives the function to contexts that are made after this flag is set.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options?: { type: 'major'; flavor: 'last-resort' }) => void;
  // Versions before Node 22 know no flavor; they free the pages of the first collection in a second one.
  gc();
  gc({ type: 'major', flavor: 'last-resort' });
}
