import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';

/**
 * Whether execve is certain to accept a file: `process.execve` ends the process with a native stack trace when it does
 * not. So only a script whose first line names a program that is there, and a program of this very kind of machine whose
 * loader is there, count. Everything else is left to `spawn`, which reports what is wrong and runs text without a first line
 * by the shell, as execvp does.
 *
 * @param file an absolute path that may be run
 */
export async function canReplace(file: string): Promise<boolean> {
  try {
    const interpreter = interpreterIn(await beginning(file));
    return await isProgram(interpreter ?? file);
  } catch {
    // Not readable, or gone: the system is asked to run it, and says why it does not.
    return false;
  }
}

/**
 * Whether arguments and variables fit whatever limit is set: Linux takes a quarter of the stack's limit and at least 128 KiB
 * for all of them, their pointers included (execve(2)).
 */
export function fits(args: readonly string[], environment: Record<string, string | undefined>): boolean {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`);
  const bytes = [...args, ...variables].reduce((sum, text) => sum + Buffer.byteLength(text) + 9, 0);
  return bytes < 100 * 1024;
}

async function isProgram(file: string): Promise<boolean> {
  await access(file, constants.X_OK);
  const [bytes, own] = [await beginning(file), await beginning(process.execPath)];
  // 64 bits and little-endian, as the offsets below want it; the same byte order, system and machine as Node itself.
  const isElf = bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
  if (!isElf || bytes.readUInt16LE(18) !== own.readUInt16LE(18)) return false;
  const loader = loaderOf(bytes);
  if (loader === null) return true;
  await access(loader, constants.X_OK);
  return loader !== '';
}

/** The file that the program headers (elf(5)) name as PT_INTERP; null when there is none, empty when it is not in sight. */
function loaderOf(bytes: Buffer): string | null {
  const [table, entryBytes, entries] = [bytes.readBigUInt64LE(32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  for (let index = 0; index < entries; index += 1) {
    const entry = Number(table) + index * entryBytes;
    if (bytes.readUInt32LE(entry) !== 3) continue;
    const [from, length] = [Number(bytes.readBigUInt64LE(entry + 8)), Number(bytes.readBigUInt64LE(entry + 32))];
    return bytes.toString('latin1', from, from + length - 1);
  }
  return null;
}

/** The program that a script's first line names; null when it is no script, empty when the line is not to be relied on. */
function interpreterIn(bytes: Buffer): string | null {
  if (bytes.toString('latin1', 0, 2) !== '#!') return null;
  // Linux reads 256 bytes of it.
  return /^#![ \t]*(\/[^ \t\n\0]+)[ \t\n]/.exec(bytes.toString('latin1', 0, 256))?.[1] ?? '';
}

async function beginning(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
