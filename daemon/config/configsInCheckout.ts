import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { osErrorCode } from '../files/osError.ts';

/**
 * All config files below the root of a checkout. Skips other checkouts (nested repositories and worktrees, of any
 * system), `node_modules`, symbolic links, and unreadable folders.
 *
 * @param root a real path
 * @param limit how many entries of folders are read at most
 * @returns their paths, sorted; null if there are more entries than that, so that the answer is not known
 */
export async function configsInCheckout(root: string, limit = 20_000): Promise<string[] | null> {
  const found: string[] = [];
  const waiting = [root];
  let left = limit;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const content = await contentOf(folder, left);
    if (content === null) return null;
    left -= content.entries;
    if (folder !== root && content.isCheckout) continue;
    if (content.hasConfigFolder && (await isFile(join(folder, '.codebase-mcp', 'config.json')))) {
      found.push(join(folder, '.codebase-mcp', 'config.json'));
    }
    for (const name of content.folders) waiting.push(join(folder, name));
  }
  return found.sort();
}

interface Content {
  entries: number;
  /** Those to look into. */
  folders: string[];
  isCheckout: boolean;
  hasConfigFolder: boolean;
}

/** @returns null when the folder has more entries than `limit` */
async function contentOf(path: string, limit: number): Promise<Content | null> {
  const content: Content = { entries: 0, folders: [], isCheckout: false, hasConfigFolder: false };
  try {
    for await (const entry of await opendir(path, { bufferSize: 256 })) {
      content.entries += 1;
      if (content.entries > limit) return null;
      const { name } = entry;
      if (/^\.(?:git|jj|hg|sl)$/.test(name)) content.isCheckout = true;
      else if (!entry.isDirectory() || name === 'node_modules') continue;
      else if (name === '.codebase-mcp') content.hasConfigFolder = true;
      else content.folders.push(name);
    }
    return content;
  } catch (error) {
    // Not to be read, or removed meanwhile: nobody finds a config file in it either.
    if (osErrorCode(error) === null) throw error;
    return { ...content, folders: [] };
  }
}

async function isFile(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null);
  return stats?.isFile() ?? false;
}
