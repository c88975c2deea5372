import { ask } from './ask.ts';
import { waitFor } from './waitFor.ts';

/** Waits until the question at the top of the window says this. */
export async function questionSays(text: string): Promise<void> {
  let shown = '';
  const isSo = async (): Promise<boolean> => (shown = await ask<string>('quickInput')).includes(text);
  await waitFor(`the question “${text}”`, isSo, 30_000, () => shown);
}

/** Puts an answer in place of what stands in the question. */
export async function answer(text: string): Promise<void> {
  await ask('press', 'Control+a');
  await ask('type', text);
  await ask('press', 'Enter');
}
