import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { Endpoint } from '../protocol/control.ts';
import { writePrivateFile } from './stateFolder.ts';

const endpointSchema = z.object({
  url: z.string().nullable(),
  pid: z.int().positive(),
  started: z.string(),
  version: z.string(),
  protocol: z.int().positive(),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  pipe: z.string().min(1),
}) satisfies z.ZodType<Endpoint>;

const maxBytes = 64 * 1024;

/**
 * What `endpoint.json` says. It proves nothing: whoever answers at the pipe has to prove that it knows the token.
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
      return endpointSchema.parse(JSON.parse(await file.readFile('utf8')));
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
  // Parsed for the order of its keys.
  const text = JSON.stringify(endpointSchema.parse(endpoint));
  if (JSON.stringify(await readEndpoint(path)) === text) return;
  await writePrivateFile(path, `${text}\n`);
}
