/** Time that moves only when somebody moves it. */
export class Clock {
  #ms: number;

  constructor(start = '2026-01-02T03:04:05.678Z') {
    this.#ms = Date.parse(start);
  }

  /** ISO 8601 in UTC. */
  now(): string {
    return new Date(this.#ms).toISOString();
  }

  get ms(): number {
    return this.#ms;
  }

  /** Backwards, too: a clock that was wrong is set right. */
  move(ms: number): void {
    this.#ms += ms;
  }
}
