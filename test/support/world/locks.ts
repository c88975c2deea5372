import { ServerError } from './serverError.ts';

/** One transaction, as far as others wait for it. */
export interface Holder {
  waitsFor: Holder | null;
  isOver: boolean;
  /** Resolves when it was committed or rolled back. */
  readonly ended: Promise<void>;
}

/** Locks that end with their transaction. Whoever waits goes on at that moment, in the order of coming. */
export class Locks {
  readonly #holders = new Map<string, Holder>();
  /** Statements that wait for another transaction's end. */
  waiting = 0;

  holderOf(key: string): Holder | undefined {
    return this.#holders.get(key);
  }

  async take(key: string, taker: Holder): Promise<void> {
    for (;;) {
      const holder = this.#holders.get(key);
      if (!holder || holder === taker) break;
      await this.waitFor(holder, taker);
    }
    this.hold(key, taker);
  }

  /** Takes a lock that nobody else can have, as that of a row that was just made. */
  hold(key: string, taker: Holder): void {
    requireOpen(taker);
    this.#holders.set(key, taker);
  }

  /** @throws ServerError 40P01 to whoever closes a circle, 57P01 where the server was stopped meanwhile */
  async waitFor(holder: Holder, waiter: Holder): Promise<void> {
    for (let next: Holder | null = holder; next; next = next.waitsFor)
      if (next === waiter) throw new ServerError('40P01', 'deadlock detected');
    waiter.waitsFor = holder;
    this.waiting += 1;
    await holder.ended;
    this.waiting -= 1;
    waiter.waitsFor = null;
    requireOpen(waiter);
  }

  release(holder: Holder): void {
    for (const [key, one] of this.#holders) if (one === holder) this.#holders.delete(key);
  }
}

/** Where the server was stopped meanwhile, or its client died, a transaction does nothing more. */
export function requireOpen({ isOver }: Holder): void {
  if (isOver) throw new ServerError('57P01', 'terminating connection due to administrator command');
}
