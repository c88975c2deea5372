import { styleText } from 'node:util';

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
 * Text from outside, fit for a terminal: the home folder as `~`, and control characters as escapes, because names and
 * paths come from files that anyone may have written and could otherwise move the cursor or recolour the answer.
 */
export function shown(text: string, home: string): string {
  const line = text.replaceAll(/\s*[\r\n]\s*/g, ' ').replaceAll(unsafe, escaped);
  if (home.length < 2) return line;
  const escapedHome = home.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return line.replaceAll(new RegExp(String.raw`(?<![\w./\\-])${escapedHome}(?![\w.-])`, 'g'), () => '~');
}

/** A word of a command line for POSIX shells. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Control characters, and those that change the direction of writing. */
const unsafe = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `next try in 20 s`, or `next try now` when the time has come. */
export function nextTry(iso: string, now: Date): string {
  const seconds = Math.round((Date.parse(iso) - now.getTime()) / 1000);
  if (seconds <= 0) return 'next try now';
  return seconds < 120 ? `next try in ${seconds} s` : `next try in ${Math.round(seconds / 60)} min`;
}
