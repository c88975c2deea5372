/** What has to be true of one project when the run is over. */
export interface Entry {
  directory: string;
  /** Null until somebody was told. */
  id: string | null;
  /** Names that it may have: two where nobody was told whether a rename was done. */
  names: string[];
  /** `perhaps` where nobody was told whether it was forgotten. */
  forgotten: 'no' | 'yes' | 'perhaps';
}

/** Everything that was begun, so that nothing is lost unnoticed. One caller at a time has a project. */
export class Ledger {
  readonly #entries: Entry[] = [];
  readonly #taken = new Set<Entry>();

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#taken.add(entry);
  }

  /** A project that nobody has at the moment; null when there is none. */
  take(): Entry | null {
    const free = this.#entries.filter((entry) => !this.#taken.has(entry));
    const entry = free[Math.floor(Math.random() * free.length)];
    if (!entry) return null;
    this.#taken.add(entry);
    return entry;
  }

  giveBack(entry: Entry): void {
    this.#taken.delete(entry);
  }

  entries(): readonly Entry[] {
    return this.#entries;
  }
}
