export interface IdleOptions {
  /** How long nobody may need the daemon before it ends, ms. */
  afterMs: number;
  /** Whether somebody needs it now: a client, an agent, or a project that waits to be delivered. */
  isNeeded(): boolean;
  /** A last look, which may cost more; false keeps the daemon. */
  mayEnd(): Promise<boolean>;
  end(): void;
  /** Calls back once after so many ms, unless it is stopped by what it gives. */
  startTimer(ms: number, onTime: () => void): () => void;
}

/** Whoever needs it without being a client, such as an agent, is looked for at most once a minute. */
const lookEveryMs = 60_000;

/** Ends a daemon that nobody needs. Time is the timer's own, so a clock that is set neither ends nor keeps it. */
export class IdleExit {
  readonly #options: IdleOptions;
  #stopTimer: (() => void) | null = null;
  #isStopped = false;
  #afterMs: number;

  constructor(options: IdleOptions) {
    this.#options = options;
    this.#afterMs = options.afterMs;
  }

  /** Somebody came, left or asked for something: the time begins anew. */
  touch(): void {
    if (this.#isStopped) return;
    this.#stopTimer?.();
    if (this.#options.isNeeded()) {
      // Clients tell when they leave. What else may need it is looked at from time to time.
      this.#wait(Math.max(this.#afterMs, lookEveryMs));
    } else {
      this.#wait(this.#afterMs);
    }
  }

  /** @param afterMs from now on */
  setAfter(afterMs: number): void {
    this.#afterMs = afterMs;
    this.touch();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
  }

  #wait(ms: number): void {
    const stopTimer = this.#options.startTimer(ms, () => void this.#look(stopTimer));
    this.#stopTimer = stopTimer;
  }

  async #look(stopTimer: () => void): Promise<void> {
    const mayEnd = !this.#options.isNeeded() && (await this.#options.mayEnd().catch(() => false));
    // Somebody came during the look.
    if (this.#isStopped || this.#stopTimer !== stopTimer) return;
    if (mayEnd && !this.#options.isNeeded()) this.#options.end();
    else this.touch();
  }
}
