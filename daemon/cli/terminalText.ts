import { styleText } from 'node:util';
import { visible } from '../protocol/visibleText.ts';

export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan', text: string) => string;

/** What text for people depends on besides its subject. */
export interface TextView {
  /** The user's home folder, which is shown as `~`. */
  home: string;
  now: Date;
  paint: Paint;
}

export const plain: Paint = (_style, text) => text;

/** Colours whatever the process's own streams are: the caller knows which stream it writes to. */
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/**
 * Text from outside, safe for a terminal: the home folder as `~`, and invisible characters as escapes. Names and paths
 * come from files that anyone may have written, and could otherwise move the cursor or recolor the answer.
 *
 * @param home empty where `~` is not for the shells in which people paste
 */
export function shown(text: string, home: string): string {
  const line = visible(text.replaceAll(/\s*[\r\n]\s*/g, ' '));
  if (home.length < 2) return line;
  const folder = home.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return (
    line
      // Inside of quotes a shell does not know `~`: the quotes begin after it.
      .replaceAll(new RegExp(String.raw`(?<=^|[\s(])'${folder}/`, 'g'), () => "~/'")
      .replaceAll(new RegExp(String.raw`(?<=^|[\s(])'${folder}'(?=$|\s)`, 'g'), () => '~')
      .replaceAll(new RegExp(String.raw`(?<=^|[\s("])${folder}(?=$|[/\\\s'"),;:])`, 'g'), () => '~')
  );
}

/** `next try in 20 s`, or `next try now` when the time has come. */
export function nextTry(iso: string, now: Date): string {
  const seconds = Math.round((Date.parse(iso) - now.getTime()) / 1000);
  if (seconds <= 0) return 'next try now';
  return seconds < 120 ? `next try in ${seconds} s` : `next try in ${Math.round(seconds / 60)} min`;
}
