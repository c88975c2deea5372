import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

const abandonedAfterMs = 10 * 60_000;

/**
 * Removes the unfinished folders that killed starters left. Their age distinguishes them from those of a running
 * starter, which ends within its time limit; a process id in the name would not, because ids are reused.
 */
export async function removeAbandonedFolders(parent: string, prefix: string): Promise<void> {
  for (const name of (await readdir(parent)).filter((entry) => entry.startsWith(prefix))) {
    const folder = path.join(parent, name);
    const made = await stat(folder).catch(() => null);
    if (made !== null && Date.now() - made.mtimeMs > abandonedAfterMs) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
