import type { Fault, Passage, Point } from '../support/world/passage.ts';

interface Waiting extends Point {
  go: (fault: Fault) => void;
}

/** Where all daemons wait, until somebody says who goes on. */
export class Gate {
  readonly waiting: Waiting[] = [];

  readonly pass: Passage = (point) =>
    new Promise((resolve) => {
      this.waiting.push({ ...point, go: resolve });
    });

  /** Lets one go on, and resolves when nobody moves any more: each waits here, for a lock, or has ended. */
  async letGo(index: number, fault: Fault): Promise<Point | null> {
    const [next] = this.waiting.splice(index, 1);
    next?.go(fault);
    await quiet();
    return next ?? null;
  }

  /** Whoever died waits for nothing. */
  leave(who: string): void {
    const left = this.waiting.filter((one) => one.who !== who);
    this.waiting.splice(0, Infinity, ...left);
  }
}

/** Promises settle before the next turn of the event loop, and nothing here waits for anything else. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
