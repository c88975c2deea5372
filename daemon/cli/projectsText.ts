import { clockTime } from '../protocol/clockTime.ts';
import type { UnusedProjects } from '../protocol/answers.ts';
import type { ListedProject } from '../protocol/model.ts';
import { sizeText } from '../protocol/sizeText.ts';
import { hintLines } from './hintText.ts';
import { shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';
import { stateWords } from '../protocol/stateWords.ts';

/** The projects as a table, or how to make the first one; without a line break at the end. */
export function projectsText(projects: readonly ListedProject[], query: string | null, view: TextView): string {
  if (projects.length === 0) {
    const none = query === null ? 'No projects yet.' : `No project's name contains "${shown(query, view.home)}".`;
    return `${none}\n${view.paint('cyan', 'next:')} registrar projects create NAME --directory .`;
  }
  const rows = projects.map(({ name, databaseName, sync, id, createdAt, metadata }) => [
    name,
    databaseName,
    isDropping(metadata) ? 'being dropped' : stateWords[sync.state],
    id.slice(0, 8),
    createdAt.slice(0, 10),
  ]);
  return table(['name', 'database', 'state', 'id', 'created'], rows, view);
}

/** The process that was dropping it may have been killed; another drop, or a repair, finishes it. */
function isDropping(metadata: Record<string, unknown>): boolean {
  return (metadata['registrar'] as { state?: unknown } | undefined)?.state === 'dropping';
}

/** Projects that nobody uses, with what helps to decide whether to drop them; without a line break at the end. */
export function unusedText({ projects, sizesMissing }: UnusedProjects, view: TextView): string {
  if (projects.length === 0) return 'Every project has been used since then.';
  const rows = projects.map(({ name, databaseName, creator, lastUsedAt, sizeBytes }) => [
    name,
    databaseName,
    lastUsedAt?.slice(0, 10) ?? 'not noted',
    creator ?? 'not noted',
    sizeBytes === null ? 'unknown' : sizeText(sizeBytes),
  ]);
  const warning =
    sizesMissing === null
      ? []
      : [`  ${view.paint('yellow', 'warning:')} sizes could not be read: ${shown(sizesMissing, view.home)}`];
  return [
    table(['name', 'database', 'last used', 'creator', 'size'], rows, view),
    ...warning,
    ...hintLines(endingHint, view),
  ].join('\n');
}

const endingHint =
  'registrar projects forget PROJECT (keeps the data) | registrar projects drop PROJECT (destroys the data)';

/** Columns as wide as what stands in them; texts from rows are shown escaped. */
export function table(heading: readonly string[], given: readonly (readonly string[])[], view: TextView): string {
  const rows = given.map((row) => row.map((cell) => shown(cell, view.home)));
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [view.paint('dim', line(heading)), ...rows.map(line)].join('\n');
}

/** One project with all that the registry holds about it, without a line break at the end. */
export function projectText(project: ListedProject, view: TextView): string {
  const { name, id, databaseName, description, createdAt, updatedAt, sync } = project;
  const reason = sync.error ? ` (${sync.error.message})` : '';
  const facts: [string, string][] = [
    ['database', databaseName],
    ['state', `${stateWords[sync.state]}${reason}`],
    ['id', id],
    ...(description === null ? [] : ([['described', description]] satisfies [string, string][])),
    ['created', clockTime(createdAt, view.now)],
    ['updated', clockTime(updatedAt, view.now)],
  ];
  const lines = facts.map(([fact, value]) => `  ${fact.padEnd(9)}  ${shown(value, view.home)}`);
  return [view.paint('bold', shown(name, view.home)), ...lines].join('\n');
}
