import { clockTime } from '../protocol/clockTime.ts';
import { registrarCommand } from '../protocol/commandText.ts';
import type { QueuedProject, SyncStatus } from '../protocol/answers.ts';
import { hintLines } from './hintText.ts';
import { nextTry, shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';
import { stateWords } from '../protocol/stateWords.ts';

/** What the registry does not know yet, one block per project, without a line break at the end. */
export function syncText({ pending, parked }: SyncStatus, view: TextView): string {
  if (pending.length + parked.length === 0) return 'sync: everything is registered';
  const counts = [
    ...(pending.length > 0 ? [`${pending.length} ${stateWords.pending}`] : []),
    ...(parked.length > 0 ? [`${parked.length} ${stateWords.parked}`] : []),
  ];
  return [
    `sync: ${counts.join(', ')}`,
    ...pending.flatMap((project) => [
      queuedLine(project, stateWords.pending, view),
      warningLine(`${project.error.message}; saved on this machine${retryText(project, view)}`, view),
    ]),
    ...parked.flatMap((project) => [
      queuedLine(project, stateWords.parked, view),
      warningLine(project.error.message, view),
      ...hintLines(parkedHint(project), view, '    '),
    ]),
  ].join('\n');
}

function parkedHint({ id, name }: QueuedProject): string {
  return `${registrarCommand('use', [name])} | ${registrarCommand('projects rename', [id, 'NAME'])}`;
}

function queuedLine({ name, databaseName, since }: QueuedProject, state: string, view: TextView): string {
  return `  ${shown(name, view.home)}  ${shown(databaseName, view.home)}  ${state}, since ${clockTime(since, view.now)}`;
}

function warningLine(message: string, view: TextView): string {
  return `    ${view.paint('yellow', 'warning:')} ${shown(message, view.home)}`;
}

function retryText({ nextAttemptAt }: QueuedProject, view: TextView): string {
  return nextAttemptAt === null ? '' : `, ${nextTry(nextAttemptAt, view.now)}`;
}
