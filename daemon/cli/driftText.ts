import type { DriftFinding, DriftReport, PlannedRepair, RepairResult } from '../protocol/drift.ts';
import { errorText } from './resolutionText.ts';
import { shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';

/** What disagrees, one block per finding, and how to repair what needs no decision; without a line break at the end. */
export function driftText({ planId, ok, findings }: DriftReport, view: TextView): string {
  if (findings.length === 0) return 'drift: everything agrees';
  const heading = ok ? 'drift: everything agrees; worth knowing:' : `drift: plan ${planId}`;
  const isRepairable = findings.some(({ actions }) => actions.some(({ automatic }) => automatic));
  return [
    heading,
    ...findings.flatMap((finding) => findingLines(finding, view)),
    ...(isRepairable ? [`${view.paint('cyan', 'next:')} registrar repair --apply ${planId}`] : []),
  ].join('\n');
}

/** What a repair did, without a line break at the end. */
export function repairText({ applied, skipped, failed }: RepairResult, view: TextView): string {
  if (applied.length + skipped.length + failed.length === 0) return 'repair: nothing that Registrar can do without you';
  const line = (word: string, { description }: PlannedRepair): string => `  ${word}  ${shown(description, view.home)}`;
  return [
    `repair: ${applied.length} done, ${skipped.length} skipped, ${failed.length} failed`,
    ...applied.map((one) => line('done   ', one)),
    ...skipped.map((one) => `${line('skipped', one)}: it has changed since`),
    ...failed.flatMap((one) => [
      line('failed ', one),
      ...errorText(one.error, view)
        .split('\n')
        .map((text) => `    ${text}`),
    ]),
  ].join('\n');
}

function findingLines({ kind, project, database, message, risk, actions }: DriftFinding, view: TextView): string[] {
  const about = [project?.name, database].filter((part) => part !== undefined);
  return [
    `  ${[view.paint('yellow', kind), ...about.map((part) => shown(part, view.home))].join('  ')}`,
    `    ${shown(message, view.home)}`,
    `    risk: ${shown(risk, view.home)}`,
    ...actions.map(
      ({ automatic, description }) => `    ${automatic ? 'repair' : 'choice'}: ${shown(description, view.home)}`,
    ),
  ];
}
