import { hintChoices } from '../protocol/hintChoices.ts';
import { shown, type TextView } from './terminalText.ts';

/**
 * What to do next, as people read it. Each of several ways gets its own line, with its meaning first, so that the rest
 * of the line can be pasted.
 *
 * @param indent before each line
 */
export function hintLines(hint: string, view: TextView, indent = ''): string[] {
  const choices = hintChoices(hint);
  if (choices.length === 0) return [`${indent}${view.paint('cyan', 'next:')} ${shown(hint, view.home)}`];
  const labels = choices.map(
    ({ why }, index) => `${why === null ? (index === 0 ? 'next' : 'or') : shown(why, view.home)}:`,
  );
  const width = Math.max(...labels.map(({ length }) => length));
  return choices.map(({ command }, index) => {
    const label = labels[index] ?? '';
    const gap = ' '.repeat(width - label.length + 1);
    return `${indent}${view.paint('cyan', label)}${gap}${shown(command, view.home)}`;
  });
}
