import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';

export type BoundedFile =
  { kind: 'file'; bytes: Buffer; stats: Stats } | { kind: 'tooLarge'; size: number } | { kind: 'notFile' };

/**
 * Reads a regular file of limited size. Kind and size are checked on the opened handle, so that the file cannot be
 * exchanged in between; a named pipe does not block, and a file that grows while it is read is still cut off.
 *
 * @throws the error of the operating system when the file cannot be opened or read
 */
export async function readBoundedFile(path: string, maxBytes: number): Promise<BoundedFile> {
  // Windows has no O_NONBLOCK and no pipes that opening a path could wait for.
  const nonBlocking = (constants as Partial<typeof constants>).O_NONBLOCK ?? 0;
  const handle = await open(path, constants.O_RDONLY | nonBlocking);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { kind: 'notFile' };
    if (stats.size > maxBytes) return { kind: 'tooLarge', size: stats.size };
    const bytes = await readUpTo(handle, Math.max(stats.size + 1, 4096), maxBytes);
    return bytes.length > maxBytes ? { kind: 'tooLarge', size: bytes.length } : { kind: 'file', bytes, stats };
  } finally {
    await handle.close();
  }
}

/** The text of a small file, or null when it is missing, unreadable, no regular file or larger than `maxBytes`. */
export async function readSmallText(path: string, maxBytes: number): Promise<string | null> {
  try {
    const file = await readBoundedFile(path, maxBytes);
    return file.kind === 'file' ? file.bytes.toString('utf8') : null;
  } catch {
    return null;
  }
}

async function readUpTo(handle: FileHandle, chunkBytes: number, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total <= maxBytes) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, total);
    total += bytesRead;
    chunks.push(buffer.subarray(0, bytesRead));
    // A read that was not filled reached the end of the file.
    if (bytesRead < chunkBytes) break;
  }
  return Buffer.concat(chunks);
}
