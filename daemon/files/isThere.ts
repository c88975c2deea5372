import { access } from 'node:fs/promises';

/** Whether there is anything at the path, where a link leads; false also where that cannot be looked at. */
export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
