import { withLimit } from '../../time/withLimit.ts';

interface Waiting {
  whose: string;
  begin(): void;
}

/**
 * Lets a limited number of pieces of work run at once; the others wait in line. The requester with the fewest running
 * is next; among equals, the first to come. So many requests of one project do not make another project wait longer
 * than necessary.
 */
export class Turns {
  #free: number;
  readonly #each: number;
  /** In the order of asking. */
  readonly #waiting: Waiting[] = [];
  /** How many each has running; requesters without any are not listed. */
  readonly #running = new Map<string, number>();

  /** @param each how many slots one requester may have; all of them when absent */
  constructor(atOnce: number, each = atOnce) {
    this.#free = atOnce;
    this.#each = each;
  }

  /**
   * Runs `work` when a slot is free.
   *
   * @param waitMs how long it may wait in line; then `tooLate` is thrown and nothing was done
   * @param whose the requester, if that counts
   */
  async run<T>(waitMs: number, tooLate: () => Error, work: () => Promise<T>, whose = ''): Promise<T> {
    if (this.#mayBegin(whose)) this.#take(whose);
    else await this.#wait(waitMs, tooLate, whose);
    try {
      return await work();
    } finally {
      this.#giveBack(whose);
    }
  }

  #mayBegin(whose: string): boolean {
    return this.#free > 0 && (this.#running.get(whose) ?? 0) < this.#each;
  }

  #take(whose: string): void {
    this.#free -= 1;
    this.#running.set(whose, (this.#running.get(whose) ?? 0) + 1);
  }

  /** Passed on at once: a request that comes at this instant must not overtake those in line. */
  #giveBack(whose: string): void {
    this.#free += 1;
    const left = (this.#running.get(whose) ?? 1) - 1;
    if (left > 0) this.#running.set(whose, left);
    else this.#running.delete(whose);
    const had = (waiting: Waiting): number => this.#running.get(waiting.whose) ?? 0;
    const [next] = this.#waiting
      .filter((waiting) => this.#mayBegin(waiting.whose))
      .sort((one, other) => had(one) - had(other));
    if (!next) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#take(next.whose);
    next.begin();
  }

  #wait(waitMs: number, tooLate: () => Error, whose: string): Promise<void> {
    let begin = (): void => undefined;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    const waiting: Waiting = { whose, begin };
    this.#waiting.push(waiting);
    return withLimit(waitMs, turn, () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      throw tooLate();
    });
  }
}
