import { readFileSync } from 'node:fs';

/**
 * Programs that got a project's database from a command and then replaced it, so that no connection shows how long they
 * run. While one runs, the daemon and its server are needed.
 */
export class RunningPrograms {
  readonly #startTimes = new Map<number, string>();

  /** @param pid a process that asks now, and may become a program */
  add(pid: number): void {
    const startTime = startTimeOf(pid);
    if (startTime !== null) this.#startTimes.set(pid, startTime);
  }

  /** Whether one of them still runs. An id that now belongs to another process does not count. */
  areRunning(): boolean {
    for (const [pid, startTime] of this.#startTimes) {
      if (startTimeOf(pid) !== startTime) this.#startTimes.delete(pid);
    }
    return this.#startTimes.size > 0;
  }
}

/** When a process began, in ticks since the machine did; null when it has ended, or where this is not Linux, which alone replaces commands. */
function startTimeOf(pid: number): string | null {
  try {
    // Behind the name in brackets, which may hold anything: the state is the first, the start time the twentieth (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    const hasEnded = fields[0] === 'Z' || fields[0] === 'X';
    return hasEnded ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
