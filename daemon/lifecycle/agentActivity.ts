/** An agent thinks between two calls; it counts as working for this long, ms. */
const activeForMs = 30 * 60_000;

/** When agents last called. Sessions prove nothing: a killed agent leaves its session open. */
export class AgentActivity {
  readonly #now: () => number;
  #lastAt: number | null = null;

  /** @param now monotonic, ms: setting the clock must neither end nor keep a daemon */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** An agent asked for something. */
  heard(): void {
    this.#lastAt = this.#now();
  }

  /** Whether one called within the last 30 minutes. */
  isRecent(): boolean {
    return this.#lastAt !== null && this.#now() - this.#lastAt < activeForMs;
  }
}
