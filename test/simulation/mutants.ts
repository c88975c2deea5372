import { entryTransitions } from '../../daemon/registry/delivery/outboxRules.ts';
import { evidenceRules } from '../../daemon/registry/evidence/evidenceRules.ts';
import { databaseRules } from '../../daemon/registry/settle/databaseRules.ts';
import { identityRules } from '../../daemon/registry/settle/identityRules.ts';
import { conditions } from '../support/world/conditions.ts';

/** One thing that is wrong with the rules, or with what makes writes conditional. */
export interface Mutant {
  name: string;
  /** @returns what makes the rules whole again */
  apply: () => () => void;
}

type Rules = readonly { when: string; decision: string }[];

/** Every row of each table removed, each pair of neighbours swapped, and every compare-and-set made blind. */
export function allMutants(): Mutant[] {
  const tables: Record<string, Rules> = { identity: identityRules, database: databaseRules, evidence: evidenceRules };
  return [
    ...Object.entries(tables).flatMap(([table, rules]) => [
      ...withoutEach(table, rules),
      ...withEachSwapped(table, rules),
    ]),
    ...withOtherTransitions(),
    ...blindConditions(),
  ];
}

function withoutEach(table: string, rules: Rules): Mutant[] {
  return rules.map((rule, index) => ({
    name: `${table}: without "${nameOf(rule)}"`,
    apply: () => replaceRules(rules, rules.toSpliced(index, 1)),
  }));
}

function withEachSwapped(table: string, rules: Rules): Mutant[] {
  return rules.flatMap((rule, index) => {
    const next = rules[index + 1];
    if (!next) return [];
    const apply = (): (() => void) => replaceRules(rules, rules.toSpliced(index, 2, next, rule));
    return [{ name: `${table}: "${nameOf(next)}" before "${nameOf(rule)}"`, apply }];
  });
}

function nameOf({ decision, when }: Rules[number]): string {
  return `${decision}: ${when}`;
}

/** The tables are constants to everybody else; whoever decides reads them at each decision. */
function replaceRules(rules: Rules, wanted: Rules): () => void {
  const table = rules as Rules[number][];
  const before = [...table];
  table.splice(0, Infinity, ...wanted);
  return () => {
    table.splice(0, Infinity, ...before);
  };
}

/** Each outcome of an entry in the place of the right one. */
function withOtherTransitions(): Mutant[] {
  const outcomes = ['pending', 'parked', 'gone'] as const;
  return Object.entries(entryTransitions).flatMap(([state, events]) =>
    Object.entries(events).flatMap(([event, outcome]) =>
      outcomes
        .filter((other) => other !== outcome)
        .map((other) => ({
          name: `outbox: ${state} ${event} is ${other}`,
          apply: () => {
            Reflect.set(events, event, other);
            return () => {
              Reflect.set(events, event, outcome);
            };
          },
        })),
    ),
  );
}

function blindConditions(): Mutant[] {
  const blind = {
    ...conditions,
    keptId: () => null,
    isAsNamed: yes,
    isOfSameFolder: yes,
    hasSameEvidence: yes,
    isObservedEntry: yes,
  };
  return Object.keys(conditions).map((name) => ({
    name: `blind: ${name}`,
    apply: () => {
      const before: unknown = Reflect.get(conditions, name);
      Reflect.set(conditions, name, Reflect.get(blind, name));
      return () => {
        Reflect.set(conditions, name, before);
      };
    },
  }));
}

function yes(): boolean {
  return true;
}
