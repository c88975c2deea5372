import { mkdirSync, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';

/** How a test in the extension host asks for a picture: it makes this file and waits until it is gone. */
const request = /^(.+)\.request$/;

/**
 * Takes the pictures that tests ask for, into the folder that `REGISTRAR_TEST_PICTURES` names.
 *
 * @returns a function that stops it
 */
export function answerPictureRequests(page: Page): () => void {
  const folder = process.env.REGISTRAR_TEST_PICTURES;
  if (folder === undefined) return () => undefined;
  mkdirSync(folder, { recursive: true });

  const taken = new Set<string>();
  const take = async (name: string): Promise<void> => {
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    await rm(path.join(folder, `${name}.request`), { force: true });
  };
  const watcher = watch(folder, (_event, file) => {
    const name = file === null ? undefined : request.exec(file)?.[1];
    if (name === undefined || taken.has(name)) return;
    taken.add(name);
    take(name).catch((error: unknown) => {
      console.error(`No picture of ${name}:`, error);
    });
  });
  return () => {
    watcher.close();
  };
}
