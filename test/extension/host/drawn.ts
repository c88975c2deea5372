import { ask } from './ask.ts';
import { waitFor } from './waitFor.ts';

export interface StatusBar {
  icons: string[];
  text: string;
  spoken: string;
}

/** The tree as it is drawn, once it is as awaited; the last that was seen is in the error otherwise. */
export async function rowsOnce(what: string, isSo: (rows: string[]) => boolean): Promise<string[]> {
  let rows: string[] = [];
  const look = async (): Promise<boolean> => {
    rows = await ask<string[]>('rows');
    return isSo(rows);
  };
  await waitFor(what, look, 30_000, () => rows);
  return rows;
}

/** Waits until the status bar item says this, `null` for hidden; icons as `$(name)`. */
export async function statusBarIs(expected: string | null): Promise<StatusBar | null> {
  let item: StatusBar | null = null;
  let said: string | null = null;
  const look = async (): Promise<boolean> => {
    item = await ask<StatusBar | null>('statusBar');
    said = item && [...item.icons.map((icon) => `$(${icon})`), item.text].join(' ');
    return said === expected;
  };
  await waitFor(`the status bar to say ${String(expected)}`, look, 30_000, () => said);
  return item;
}

/** Waits until the welcome contains this. */
export async function welcomeSays(words: string): Promise<void> {
  let text = '';
  const look = async (): Promise<boolean> => {
    text = await ask<string>('welcome');
    return text.includes(words);
  };
  await waitFor(`the welcome to say ${words}`, look, 30_000, () => text);
}
