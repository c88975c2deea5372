export interface IdleOptions {
  /** How long the daemon runs without being needed, ms. */
  afterMs: number;
  /** Whether anything needs it now: a client, an agent, or a project that waits to be delivered. */
  isNeeded(): boolean;
  /** A last check, which may cost more; false keeps the daemon. */
  mayEnd(): Promise<boolean>;
  end(): void;
  /** Calls back once after so many ms, unless it is stopped by what it gives. */
  startTimer(ms: number, onTime: () => void): () => void;
}

/** Anything that needs it without being a client, such as an agent, is checked at most once a minute. */
const lookEveryMs = 60_000;

/** Ends a daemon that nobody needs. It uses the timer's own time, so setting the clock neither ends nor keeps it. */
export class IdleExit {
  readonly #options: IdleOptions;
  #stopTimer: (() => void) | null = null;
  #isStopped = false;
  #afterMs: number;

  constructor(options: IdleOptions) {
    this.#options = options;
    this.#afterMs = options.afterMs;
  }

  /** Call it when somebody came, left or asked for something: the time starts again. */
  touch(): void {
    if (this.#isStopped) return;
    this.#stopTimer?.();
    if (this.#options.isNeeded()) {
      // Clients report when they leave. Anything else that may need it is checked from time to time.
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
    // Somebody came during the check.
    if (this.#isStopped || this.#stopTimer !== stopTimer) return;
    if (mayEnd && !this.#options.isNeeded()) this.#options.end();
    else this.touch();
  }
}
