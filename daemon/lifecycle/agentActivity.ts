/** An agent thinks between two calls; for so long it counts as at work, ms. */
const activeForMs = 30 * 60_000;

/** When agents were last heard. Sessions prove nothing: an agent that was killed leaves its own open. */
export class AgentActivity {
  readonly #now: () => number;
  #lastAt: number | null = null;

  /** @param now monotonic, ms: a clock that is set must neither end nor keep a daemon */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** An agent asked for something. */
  heard(): void {
    this.#lastAt = this.#now();
  }

  /** Whether one was heard within the last 30 minutes. */
  isRecent(): boolean {
    return this.#lastAt !== null && this.#now() - this.#lastAt < activeForMs;
  }
}
