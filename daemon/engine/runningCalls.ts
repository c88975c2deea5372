import { withLimit } from '../time/withLimit.ts';

/** Counts the daemon's running requests, so that its end can wait for them. */
export class RunningCalls {
  #count = 0;
  #whenQuiet: () => void = () => undefined;

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#whenQuiet();
    }
  }

  /**
   * Settles when nothing runs, or when the limit is over.
   *
   * @param limitMs milliseconds
   */
  async quiet(limitMs: number): Promise<void> {
    if (this.#count === 0) return;
    const quiet = new Promise<void>((resolve) => (this.#whenQuiet = resolve));
    await withLimit(limitMs, quiet, () => undefined);
  }
}
