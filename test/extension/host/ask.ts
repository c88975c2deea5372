import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor } from './waitFor.ts';

let count = 0;

/** Whether there is a page to look at; a desktop VS Code has none. */
export const hasPage = process.env.REGISTRAR_TEST_PAGE !== undefined;

/** Has something done by the process that started this VS Code: see requests.ts. */
export async function ask<T = null>(kind: string, params: unknown = null): Promise<T> {
  const folder = process.env.REGISTRAR_TEST_REQUESTS;
  if (folder === undefined) throw new Error('REGISTRAR_TEST_REQUESTS is not set.');
  count += 1;
  const request = path.join(folder, `${kind}.${count}.request`);
  const answer = request.replace(/request$/, 'answer');
  await writeFile(`${request}.partial`, JSON.stringify(params));
  await rename(`${request}.partial`, request);
  await waitFor(`the answer to ${kind}`, () => existsSync(answer), 60_000);
  const { value, error } = JSON.parse(await readFile(answer, 'utf8')) as { value: T; error?: string };
  await rm(answer);
  if (error !== undefined) throw new Error(`${kind}: ${error}`);
  return value;
}
