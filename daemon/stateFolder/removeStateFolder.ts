import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { osErrorCode } from '../files/osError.ts';

const folders = ['bin', 'compiled', 'connections', 'logs', 'outbox', 'postgres', 'sample-workspace'];
/** With what killed writers leave beside them. */
const files = /^(?:(?:endpoint|settings|known|claims|bindings|host)\.json|daemon\.sock)(?:\..*)?$/;

/** What Registrar has put into the state folder; empty when the folder is not there. */
export async function stateEntries(stateFolder: string): Promise<string[]> {
  const names = await readdir(stateFolder).catch((error: unknown) => {
    if (osErrorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => folders.includes(name) || files.test(name)).sort();
}

/**
 * Removes what Registrar has put into the state folder, and the folder when nothing else is in it: REGISTRAR_HOME may name
 * one that holds other things, too.
 *
 * @returns the names of what was left
 * @throws the operating system's error
 */
export async function removeStateFolder(stateFolder: string): Promise<string[]> {
  for (const name of await stateEntries(stateFolder)) {
    await rm(join(stateFolder, name), { recursive: true, force: true });
  }
  const left = await readdir(stateFolder).catch(() => []);
  if (left.length === 0) await rmdir(stateFolder).catch(() => undefined);
  return left;
}
