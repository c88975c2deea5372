import type { LeftBehind } from '../../daemon/protocol/control.ts';
import type { ServerLabel } from '../../daemon/protocol/model.ts';
import { codeBlock, escapeMarkdown } from './inertText.ts';
import { counted } from './words.ts';

/** What stays on the server that was used before, and how each project is moved, as Markdown. */
export function leftBehindDocument(projects: readonly LeftBehind[], server: ServerLabel | null): string {
  const sections = projects.map(({ name, pending, command }) => {
    const note = pending ? ' (not registered there yet)' : '';
    return `## ${escapeMarkdown(name)}${note}\n\n${codeBlock('sh', command)}`;
  });
  return [
    `# ${counted(projects.length, 'project')} left behind`,
    `They stay on the former server${server ? `; ${escapeMarkdown(server.address)} does not have them` : ''}. Nothing was moved or removed.`,
    'Run a line in a terminal to copy that database. **Adopt Database** then registers it.',
    ...sections,
    '',
  ].join('\n\n');
}
