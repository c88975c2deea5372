import { clockTime } from '../protocol/clockTime.ts';
import type { ListedEvent, ListedEvents } from '../protocol/answers.ts';
import { sizeText } from '../protocol/sizeText.ts';
import { table } from './projectsText.ts';
import { shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';

/** Who did what, the newest first; without a line break at the end. */
export function eventsText({ events, truncated, missing }: ListedEvents, view: TextView): string {
  const warning =
    missing === null
      ? []
      : [`${view.paint('yellow', 'warning:')} events are not kept: ${shown(missing, view.home)}; see registrar status`];
  if (events.length === 0) return [...warning, 'No events within that time.'].join('\n');
  const rows = events.map((event) => [
    clockTime(event.at, view.now),
    event.operation.replaceAll('_', ' '),
    event.project.name,
    event.by?.split('@')[0] ?? event.actor,
    event.host,
    measured(event),
  ]);
  return [
    table(['when', 'what', 'project', 'who', 'from', 'destroyed'].slice(0, columnsOf(rows)), rows, view),
    ...warning,
    ...(truncated ? ['older events are not shown: ask for a shorter time, or for one project'] : []),
  ].join('\n');
}

/** The last column only where something was destroyed. */
function columnsOf(rows: readonly (readonly string[])[]): number {
  return rows.some((row) => row[5] !== '') ? 6 : 5;
}

function measured({ operation, details: { bytes, tables } }: ListedEvent): string {
  if (operation !== 'dropped' || typeof bytes !== 'number' || typeof tables !== 'number') return '';
  return `${sizeText(bytes)}, ${String(tables)} ${tables === 1 ? 'table' : 'tables'}`;
}
