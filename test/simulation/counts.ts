import { databaseRules } from '../../daemon/registry/settle/databaseRules.ts';
import { evidenceRules } from '../../daemon/registry/evidence/evidenceRules.ts';
import { identityRules } from '../../daemon/registry/settle/identityRules.ts';

/** How often each rule decided, and each fault and death happened at each point. */
export class Counts {
  readonly #counts = new Map<string, number>();

  constructor() {
    const tables = { identity: identityRules, database: databaseRules, evidence: evidenceRules };
    for (const [table, rules] of Object.entries(tables)) for (const rule of rules) this.#watch(table, rule);
  }

  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  lines(): string[] {
    const width = Math.max(...[...this.#counts.keys()].map((what) => what.length));
    return [...this.#counts]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([what, times]) => `${what.padEnd(width)} ${String(times).padStart(9)}`);
  }

  /** What never happened, of what this simulation is there for. */
  missing(): string[] {
    return [...this.#counts].flatMap(([what, times]) => (times === 0 && !unreachable.test(what) ? [what] : []));
  }

  /** A rule that decides is read twice in a row: when it is looked at, where that reads all of it, and when it is taken. */
  #watch(table: string, rule: { when: string; decision: string }): void {
    const name = `rule ${table}: ${rule.decision}: ${rule.when}`;
    const { decision } = rule;
    this.#counts.set(name, 0);
    const readsAll = table === 'evidence';
    Object.defineProperty(rule, 'decision', {
      enumerable: true,
      get: () => {
        if (!readsAll || Counts.#lastRead === name) {
          this.add(name);
          Counts.#lastRead = null;
        } else Counts.#lastRead = name;
        return decision;
      },
    });
  }

  static #lastRead: string | null = null;
}

/** What these histories have none of yet: agents, strangers, worktrees, clones, other machines and folders that move. */
const unreachable =
  /agent|stranger|worktree|clone|moved|machine|copy|origin|someone|somebody|another project|renamed|gone|lost|folder has only|forgotten/;
