/** Lets a limited number of pieces of work run at once; the others wait in line. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /**
   * Runs `work` when it is its turn.
   *
   * @param waitMs how long it may stand in line; then `tooLate` is thrown and nothing was done
   */
  async run<T>(waitMs: number, tooLate: () => Error, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(waitMs, tooLate);
    try {
      return await work();
    } finally {
      // Handed on, not put back: whoever comes at this instant must not overtake those in line.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  #wait(waitMs: number, tooLate: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(tooLate());
      }, waitMs);
      this.#waiting.push(begin);
    });
  }
}
