import type { PointName } from './points.ts';

/** `away`: the server is gone before the statement comes there. `lost`: it did what was asked, and its answer is lost. */
export type Fault = 'away' | 'lost' | null;

/** Where a daemon waits to be let on: a statement, a file, a pause. */
export interface Point {
  who: string;
  what: PointName;
}

/** Decides when who goes on, and what goes wrong there. A daemon that has died is never let on. */
export type Passage = (point: Point) => Promise<Fault>;

export type Pass = (what: PointName) => Promise<Fault>;

/** Lets everybody on at once, but for the faults that a test has planned. */
export class OpenPassage {
  readonly #planned: { who: string; what: PointName; fault: Fault }[] = [];
  /** Called at each point, before whoever is there goes on. */
  onPoint: (point: Point) => void | Promise<void> = () => undefined;

  /** The next time that `who` comes to `what`. */
  plan(who: string, what: PointName, fault: Exclude<Fault, null>): void {
    this.#planned.push({ who, what, fault });
  }

  readonly pass: Passage = async (point) => {
    await this.onPoint(point);
    const index = this.#planned.findIndex(({ who, what }) => who === point.who && what === point.what);
    return index === -1 ? null : (this.#planned.splice(index, 1)[0]?.fault ?? null);
  };
}
