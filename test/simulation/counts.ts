import { entryTransitions } from '../../daemon/registry/delivery/outboxRules.ts';
import { evidenceRules } from '../../daemon/registry/evidence/evidenceRules.ts';
import { databaseRules } from '../../daemon/registry/settle/databaseRules.ts';
import { identityRules } from '../../daemon/registry/settle/identityRules.ts';
import { machinePoints, statementPoints } from '../support/world/points.ts';
import { commandNames } from './commands.ts';
import { disturbanceNames } from './disturbances.ts';
import { seldom, unreachable } from './unreachable.ts';

/** How often each rule decided, each fault and death happened at each point, and each command and disturbance came. */
export class Counts {
  readonly #counts = new Map<string, number>();

  constructor() {
    const seeds = [
      ...statementPoints.flatMap((point) => [`fault away at ${point}`, `fault lost at ${point}`]),
      ...[...statementPoints, ...machinePoints].map((point) => `killed at ${point}`),
      ...commandNames.map((name) => `command ${name}`),
      ...disturbanceNames.map((name) => `world ${name}`),
    ];
    for (const seed of seeds) this.#counts.set(seed, 0);
  }

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  lines(): string[] {
    const width = Math.max(...[...this.#counts.keys()].map((what) => what.length));
    return [...this.#counts]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([what, times]) => `${what.padEnd(width)} ${String(times).padStart(9)}`);
  }

  /** What is wrong with them: what never happened, though nobody said why it cannot, and what did though somebody did. */
  complaints(): string[] {
    const seen = [...this.#counts];
    return [
      ...seen.flatMap(([what, times]) =>
        times === 0 && !(what in unreachable) && !seldom.has(what) ? [`never happened: ${what}`] : [],
      ),
      ...seen.flatMap(([what, times]) => (times > 0 && what in unreachable ? [`happened after all: ${what}`] : [])),
      ...Object.keys(unreachable).flatMap((what) => (this.#counts.has(what) ? [] : [`is nothing any more: ${what}`])),
    ];
  }

  /**
   * Counts which rules decide from now on.
   *
   * @returns what ends that, and leaves the tables as they were
   */
  watchRules(): () => void {
    const ends: (() => void)[] = [];
    for (const rule of evidenceRules) ends.push(this.#watch(rule, 'decision', `rule evidence: ${nameOf(rule)}`));
    for (const rule of identityRules)
      ends.push(this.#watch(rule, 'decision', `rule identity: id ${rule.id.join(' or ')}: ${nameOf(rule)}`));
    for (const rule of databaseRules)
      ends.push(this.#watch(rule, 'decision', `rule database: ${rule.state}: ${nameOf(rule)}`));
    for (const [state, events] of Object.entries(entryTransitions))
      for (const event of Object.keys(events)) ends.push(this.#watch(events, event, `rule outbox: ${state} ${event}`));
    return () => {
      for (const end of ends) end();
    };
  }

  #watch(owner: object, key: string, name: string): () => void {
    const value: unknown = Reflect.get(owner, key);
    this.#counts.set(name, this.#counts.get(name) ?? 0);
    const get = (): unknown => {
      this.add(name);
      return value;
    };
    Object.defineProperty(owner, key, { enumerable: true, configurable: true, get });
    return () => {
      Object.defineProperty(owner, key, { enumerable: true, configurable: true, writable: true, value });
    };
  }
}

function nameOf({ decision, when }: { decision: string; when: string }): string {
  return `${decision}: ${when}`;
}
