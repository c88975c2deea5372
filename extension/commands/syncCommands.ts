import * as vscode from 'vscode';
import { visible } from '../../daemon/protocol/visibleText.ts';
import { driftDocument, repairDocument } from '../views/driftDocuments.ts';
import { counted } from '../views/words.ts';
import type { Command } from './commandContext.ts';
import { stateWords } from '../../daemon/protocol/stateWords.ts';

export const syncNow: Command = async ({ link }) => {
  const { pending, parked } = await link.call('syncNow', undefined);
  if (pending.length + parked.length === 0) return 'Everything is registered';
  const waiting = pending.length > 0 ? `${pending.length} ${stateWords.pending}` : '';
  const blocked = parked.length > 0 ? `${counted(parked.length, 'project')} to decide on` : '';
  return [waiting, blocked].filter((text) => text !== '').join(', ');
};

/** Opens a document with what disagrees, unless everything agrees. */
export const checkDrift: Command = async ({ link, documents, home }) => {
  const report = await link.call('drift', undefined);
  if (report.findings.length === 0) return 'Everything agrees';
  await documents.show('Drift', driftDocument(report, home));
  return null;
};

/** Shows the plan, and applies exactly that one if the user confirms. */
export const repairDrift: Command = async ({ link, documents, home }) => {
  const report = await link.call('drift', undefined);
  const planned = report.findings.flatMap(({ actions }) => actions.filter(({ automatic }) => automatic));
  if (report.findings.length === 0) return 'Everything agrees';
  await documents.show('Drift', driftDocument(report, home));
  if (planned.length === 0) return 'Nothing that Registrar can repair without you';
  const choice = await vscode.window.showInformationMessage(
    `Apply ${counted(planned.length, 'repair')}?`,
    { modal: true, detail: planned.map(({ description }) => `• ${visible(description)}`).join('\n') },
    'Repair',
  );
  if (choice !== 'Repair') return null;
  const result = await link.call('repair', { planId: report.planId });
  await documents.show('Repair', repairDocument(result));
  return `${result.applied.length} done, ${result.skipped.length} skipped, ${result.failed.length} failed`;
};
