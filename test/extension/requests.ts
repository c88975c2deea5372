import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What one process does for another that cannot do it itself; the answer is JSON. */
export type RequestHandlers = Record<string, (params: unknown) => Promise<unknown>>;

/** `<kind>.<number>.request`, made by a rename, so that whoever sees it can read all of it. */
const requestName = /^(\w+)\.\d+\.request$/;

/**
 * Answers requests that tests in the extension host leave as files in a folder: they run where neither the window's page
 * nor the test's server can be reached. Kinds without a handler are somebody else's.
 *
 * @returns a function that stops it and waits for what is being answered
 */
export async function answerRequests(folder: string, handlers: RequestHandlers): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const taken = new Set<string>();
  const running = new Set<Promise<void>>();

  async function answer(file: string, handle: (params: unknown) => Promise<unknown>): Promise<void> {
    const request = path.join(folder, file);
    const text = await (async () => {
      try {
        return JSON.stringify({ value: (await handle(JSON.parse(await readFile(request, 'utf8')))) ?? null });
      } catch (error) {
        return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
      }
    })();
    await writeFile(`${request}.partial`, text);
    await rename(`${request}.partial`, request.replace(/request$/, 'answer'));
    await rm(request);
  }

  async function look(): Promise<void> {
    for (const file of await readdir(folder)) {
      const handle = handlers[requestName.exec(file)?.[1] ?? ''];
      if (!handle || taken.has(file)) continue;
      taken.add(file);
      const work = answer(file, handle).finally(() => running.delete(work));
      running.add(work);
    }
  }

  const watcher = watch(folder, () => void look());
  await look();
  return async () => {
    watcher.close();
    await Promise.all(running);
  };
}
