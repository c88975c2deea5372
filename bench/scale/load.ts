import type { DaemonClient } from '../../daemon/client/daemonClient.ts';
import type { Fleet } from '../fleet.ts';
import { figuresOf } from '../harness.ts';

export interface Known {
  id: string;
  directory: string;
}

/** What was answered within one stretch of time. */
export interface Phase {
  name: string;
  times: number[];
  /** From memory, while no server answered. */
  stale: number;
  refused: number;
  made: number;
  durationMs: number;
}

/**
 * Every daemon is asked again as soon as it has answered, each by one window: mostly for projects that are there, now and
 * then for a new one.
 */
export class Load {
  readonly phases: Phase[] = [];
  /** Acknowledged: they must never be lost. */
  readonly known: Known[];
  /** Folders whose project was refused. */
  readonly refused: string[] = [];
  readonly #fleet: Fleet;
  readonly #shareOfNew: number;
  #phase: Phase | null = null;
  #startedAt = 0;
  #isEnding = false;
  #running: Promise<unknown> = Promise.resolve();
  #begun = 0;

  /** @param shareOfNew of the questions, 0 to 1 */
  constructor(fleet: Fleet, known: readonly Known[], shareOfNew: number) {
    this.#fleet = fleet;
    this.known = [...known];
    this.#shareOfNew = shareOfNew;
  }

  /** From now on everything counts to this one. */
  enter(name: string): void {
    this.#leave();
    this.#phase = { name, times: [], stale: 0, refused: 0, made: 0, durationMs: 0 };
    this.#startedAt = performance.now();
    this.phases.push(this.#phase);
  }

  start(windows: readonly DaemonClient[]): void {
    this.#running = Promise.all(windows.map((window) => this.#ask(window)));
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
    this.#leave();
  }

  #leave(): void {
    if (this.#phase) this.#phase.durationMs = performance.now() - this.#startedAt;
  }

  async #ask(window: DaemonClient): Promise<void> {
    while (!this.#isEnding) {
      const known = this.known[Math.floor(Math.random() * this.known.length)];
      const isNew = known === undefined || Math.random() < this.#shareOfNew;
      const directory = isNew ? await this.#fleet.workspace(`scale ${String((this.#begun += 1))}`) : known.directory;
      const started = performance.now();
      const answer = await window.call('resolve', { directory });
      const phase = this.#phase;
      if (!phase) continue;
      if (answer.outcome !== 'resolved' || !answer.project) {
        if (answer.error?.code !== 'REGISTRY_UNREACHABLE')
          throw new Error(`${directory}: ${answer.error?.code ?? ''} ${answer.error?.message ?? ''}`);
        phase.refused += 1;
        this.refused.push(directory);
        continue;
      }
      if (isNew) {
        this.known.push({ id: answer.project.id, directory });
        phase.made += 1;
        continue;
      }
      if (answer.project.id !== known.id) throw new Error(`${directory} is ${known.id}, not ${answer.project.id}`);
      phase.times.push(performance.now() - started);
      if (answer.stale) phase.stale += 1;
    }
  }
}

/** Projects as a fleet begins with. */
export async function firstProjects(fleet: Fleet, window: DaemonClient, count: number): Promise<Known[]> {
  const known: Known[] = [];
  for (let number = 1; number <= count; number += 1) {
    const directory = await fleet.workspace(`first ${String(number)}`);
    const { project, error } = await window.call('resolve', { directory });
    if (!project) throw new Error(`nothing was made: ${error?.message ?? ''}`);
    known.push({ id: project.id, directory });
  }
  return known;
}

export function lineOf({ name, times, stale, refused, made, durationMs }: Phase): string {
  const seconds = durationMs / 1000;
  const { median, p99, max } = figuresOf(times);
  return `| ${[
    name,
    `${seconds.toFixed(1)} s`,
    (times.length / seconds).toFixed(0),
    ...[median, p99, max].map((ms) => (times.length === 0 ? '–' : ms.toFixed(1))),
    String(stale),
    String(refused),
    String(made),
  ].join(' | ')} |`;
}

export const headerLines = [
  '| phase | length | resolves per second | median ms | p99 ms | longest ms | from memory | refused | made |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];
