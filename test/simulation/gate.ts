import { isStatement, type PointName } from '../support/world/points.ts';
import type { Fault, Passage, Point } from '../support/world/passage.ts';

export interface Waiting extends Point {
  go: (fault: Fault) => void;
}

/** Where all daemons wait, until somebody says who goes on. */
export class Gate {
  readonly waiting: Waiting[] = [];

  readonly pass: Passage = (point) =>
    new Promise((resolve) => {
      this.waiting.push({ ...point, go: resolve });
    });

  /** Somebody at the server, where alone a connection can break. */
  atServer(pick: number): Waiting | undefined {
    return one(
      this.waiting.filter(({ what }) => isStatement(what)),
      pick,
    );
  }

  anybody(pick: number): Waiting | undefined {
    return one(this.waiting, pick);
  }

  /** Lets one go on, and resolves when nobody moves any more: each waits here, for a lock, or has ended. */
  async letGo(one: Waiting, fault: Fault): Promise<void> {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    one.go(fault);
    await quiet();
  }

  /** Whoever died waits for nothing. */
  leave(who: string): void {
    const left = this.waiting.filter((one) => one.who !== who);
    this.waiting.splice(0, Infinity, ...left);
  }
}

/** What few histories come to: half of all trouble prefers it, or it would hardly ever be hit. */
const rare = new Set<PointName>([
  ...(['hold', 'look-held', 'obstacle', 'drop', 'delete', 'ended', 'remove', 'insert'] as const),
  ...(['deliver', 'read-back', 'read-forgotten', 'merge', 'own-word', 'drift', 'whose-conflict', 'id-prefix'] as const),
  ...(['binding-write', 'config-write', 'folder-exists', 'outbox-remove', 'outbox-write', 'unlock'] as const),
]);

function one(waiting: readonly Waiting[], pick: number): Waiting | undefined {
  const preferred = pick % 2 === 0 ? [] : waiting.filter(({ what }) => rare.has(what));
  const choice = preferred.length > 0 ? preferred : waiting;
  return choice[Math.floor(pick / 2) % Math.max(1, choice.length)];
}

/** Settles when no promise has anything left to do: nothing here waits for timers, files or sockets. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
