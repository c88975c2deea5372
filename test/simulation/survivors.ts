import { unreachable } from './unreachable.ts';

/** Why a mutant may survive these histories, and what sees it instead; null where it has to be caught. */
export function whySurvives(name: string): string | null {
  const rule = /^(\w+): without "(.*)"$/.exec(name);
  if (name.startsWith('evidence:') && !rule)
    return 'equivalent: these rules are disjoint, as test/unit/registry/evidenceRules.test.ts shows, so their order decides nothing';
  const missing = rule && unreachable[`rule ${rule[1] ?? ''}: ${rule[2] ?? ''}`];
  if (missing != null) return `${missing}; test/unit/registry/evidenceRules.test.ts decides every case by hand`;
  if (/^outbox: \w+ given-up /.test(name))
    return 'equivalent: an entry that is given up is removed without asking the table';
  return null;
}
