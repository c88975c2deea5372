import { ask } from './ask.ts';
import { waitFor } from './waitFor.ts';

/** Waits until the question at the top of the window says this. */
export async function questionSays(text: string): Promise<void> {
  let shown = '';
  const isSo = async (): Promise<boolean> => (shown = await ask<string>('quickInput')).includes(text);
  await waitFor(`the question “${text}”`, isSo, 30_000, () => shown);
}

/** Where a question is answered. Keys are pressed there, as the question may have no focus yet, or lost it to a document. */
const input = '.quick-input-widget .quick-input-filter input';

/** Puts an answer in place of what stands in the question. */
export async function answer(text: string): Promise<void> {
  await ask('fill', { selector: input, text });
  await press('Enter');
}

/** Takes what stands in the question, or leaves it. */
export async function press(key: 'Enter' | 'Escape'): Promise<void> {
  await ask('pressIn', { selector: input, key });
}

/**
 * Takes the item with this text out of a list, as soon as it is there. Arrow keys would move from whichever item the list
 * has marked by then, which is none for a moment after it is drawn.
 */
export async function pick(text: string): Promise<void> {
  await ask('click', `.quick-input-widget .monaco-list-row:has-text("${text}")`);
}
