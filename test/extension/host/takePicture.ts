import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor } from './waitFor.ts';

/** Asks the launcher for a picture of the window; does nothing in a desktop VS Code, where nobody can take it. */
export async function takePicture(name: string): Promise<void> {
  const folder = process.env.REGISTRAR_TEST_PICTURES;
  if (folder === undefined) return;
  const request = path.join(folder, `${name}.request`);
  await writeFile(request, '');
  await waitFor(`the picture ${name}`, () => !existsSync(request));
}
