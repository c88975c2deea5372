import { chmod, chown, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before } from 'mocha';

/** A fresh folder for the tests of the surrounding `describe`, on its real path, removed at the end. */
export function scratchFolder(): { path: (...parts: string[]) => string } {
  let root = '';
  before(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'registrar-config-')));
    // Another user must be able to come in for `asOrdinaryUser`.
    await chmod(root, 0o755);
  });
  after(async () => {
    await rm(root, { recursive: true, force: true });
  });
  return { path: (...parts) => join(root, ...parts) };
}

/** Writes a file and the folders above it. */
export async function put(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Puts a config file that claims a project of this name into a folder. */
export function putConfig(folder: string, name = 'shop'): Promise<string> {
  const text = JSON.stringify({ version: '1.0', project: { name } });
  return put(join(folder, '.codebase-mcp', 'config.json'), text);
}

const ordinaryUid = 65534;

/**
 * Runs something as a user whom file permissions hold back, for root, who is above them. The process changes its user
 * for that time, which is safe since tests run one after the other.
 */
export async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return act();
  process.seteuid?.(ordinaryUid);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

/** Gives files to the user as whom `asOrdinaryUser` runs. */
export async function giveToOrdinaryUser(...paths: string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) await chown(path, ordinaryUid, ordinaryUid);
}
