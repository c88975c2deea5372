import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Endpoint } from '../protocol/control.ts';
import { writePrivateFile } from './stateFolder.ts';

const maxBytes = 64 * 1024;

/**
 * What `endpoint.json` says. It proves nothing: the process that answers at the pipe has to prove that it knows the
 * token.
 *
 * @returns null when it is missing, damaged, another user's or readable by others
 */
export async function readEndpoint(path: string): Promise<Endpoint | null> {
  try {
    const file = await open(path, 'r');
    try {
      const status = await file.stat();
      if (!status.isFile() || status.size > maxBytes) return null;
      // A token that others could read or choose is no secret.
      if (process.getuid !== undefined && (status.uid !== process.getuid() || (status.mode & 0o077) !== 0)) return null;
      return checked(JSON.parse(await file.readFile('utf8')) as Partial<Endpoint> | null);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** The token of the file, or a new one when it holds none that can be trusted. */
export async function keptToken(path: string): Promise<string> {
  return (await readEndpoint(path))?.token ?? randomBytes(32).toString('hex');
}

/** Writes the file, unless it says so already. */
export async function writeEndpoint(path: string, endpoint: Endpoint): Promise<void> {
  const text = JSON.stringify(checked(endpoint));
  if (JSON.stringify(await readEndpoint(path)) === text) return;
  await writePrivateFile(path, `${text}\n`);
}

/**
 * An endpoint with its keys in one order, or null if something else was read. Checked by hand, because every client
 * bundles this, and a validation library would be most of the extension.
 */
function checked(read: Partial<Endpoint> | null): Endpoint | null {
  const { url, pid, started, version, protocol, token, pipe } = read ?? {};
  if (url !== null && typeof url !== 'string') return null;
  if (!isPositive(pid) || !isPositive(protocol)) return null;
  if (typeof started !== 'string' || typeof version !== 'string') return null;
  if (typeof token !== 'string' || !/^[0-9a-f]{64}$/.test(token)) return null;
  if (typeof pipe !== 'string' || pipe === '') return null;
  return { url, pid, started, version, protocol, token, pipe };
}

function isPositive(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0;
}
