import type { DriftFinding, DriftReport, PlannedRepair, RepairResult } from '../../daemon/protocol/drift.ts';
import { codeSpan, escapeMarkdown } from './inertText.ts';
import { sentence } from './words.ts';

/** What disagrees, as a Markdown document: the risk, what Repair Drift would do, and what only a person can choose. */
export function driftDocument({ ok, findings, planId }: DriftReport, home: string): string {
  const intro = ok
    ? 'Config files, registry, databases and markers agree. Worth knowing:'
    : `Config files, registry, databases and markers disagree. **Repair Drift** applies the marked actions (plan ${codeSpan(planId)}).`;
  return ['# Drift', intro, ...findings.map((finding) => findingText(finding, home)), ''].join('\n\n');
}

function findingText({ kind, project, database, message, risk, actions }: DriftFinding, home: string): string {
  const about = [project?.name, database].filter((part) => part !== undefined).map(escapeMarkdown);
  const steps = actions.map(
    ({ automatic, description }) =>
      `- ${automatic ? '**Repair Drift:**' : 'Your choice:'} ${escapeMarkdown(description)}`,
  );
  const said = escapeMarkdown(sentence(message.replaceAll(home, '~')));
  const title = [kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('-', ' '), ...about].join(' · ');
  return [`## ${title}`, said, `Risk: ${escapeMarkdown(risk)}`]
    .concat(steps.length > 0 ? [steps.join('\n')] : [])
    .join('\n\n');
}

/** What a repair did. */
export function repairDocument({ applied, skipped, failed }: RepairResult): string {
  const lines = (repairs: readonly PlannedRepair[]): string =>
    repairs.map(({ description }) => `- ${escapeMarkdown(description)}`).join('\n');
  const failures = failed.map(({ description, error }) => {
    return `- ${escapeMarkdown(description)}: ${escapeMarkdown(`${sentence(error.message)} ${error.hint}`)}`;
  });
  return [
    '# Repair',
    ...(applied.length > 0 ? ['## Done', lines(applied)] : []),
    ...(skipped.length > 0 ? ['## Skipped, because it has changed since', lines(skipped)] : []),
    ...(failed.length > 0 ? ['## Failed', failures.join('\n')] : []),
    '',
  ].join('\n\n');
}
