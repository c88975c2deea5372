import { randomUUID } from 'node:crypto';
import { link, readFile, rm } from 'node:fs/promises';
import { writePrivateFile } from '../wire/stateFolder.ts';

/**
 * The id of this machine and state folder, made once and kept in `host.json`. The machine's name is stored with it for
 * people: names change with the network, and containers of one image share them.
 *
 * @param path of `host.json`
 * @param name the machine's name at present
 * @returns the id, a UUID
 * @throws the operating system's error when the file can be neither read nor written
 */
export async function hostId(path: string, name: string): Promise<string> {
  const known = await readId(path);
  if (known !== null) return known;
  const id = randomUUID();
  const temporary = `${path}.${id}.new`;
  await writePrivateFile(temporary, `${JSON.stringify({ version: 1, id, name })}\n`);
  try {
    // If two daemons start at once, one creates the file and the other reads it.
    await link(temporary, path);
    return id;
  } catch {
    const others = await readId(path);
    if (others !== null) return others;
    // A damaged file, or a file system without links.
    await writePrivateFile(path, `${JSON.stringify({ version: 1, id, name })}\n`);
    return id;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readId(path: string): Promise<string | null> {
  try {
    const { id } = JSON.parse(await readFile(path, 'utf8')) as { id?: unknown };
    return typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}
