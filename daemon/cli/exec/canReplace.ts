import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';

/**
 * Whether execve is certain to accept a file: `process.execve` ends the process with a native stack trace when it does
 * not. So only a script whose first line names a program that is there, and a program of this very kind of machine whose
 * loader is there, count, and neither was written lately: whoever still writes it keeps the system from running it
 * (ETXTBSY), which nothing but running it shows. Everything else is left to `spawn`, which reports what is wrong and runs
 * text without a first line by the shell, as execvp does.
 *
 * @param file an absolute path that may be run
 */
export async function canReplace(file: string): Promise<boolean> {
  try {
    const bytes = await settled(file);
    const interpreter = interpreterIn(bytes);
    return interpreter === null ? await isProgram(bytes) : await isProgram(await settled(interpreter));
  } catch {
    // Not readable, or gone, or being written: the system is asked to run it, and says why it does not.
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

/** What Linux looks at before it gives up the program that runs (load_elf_binary in fs/binfmt_elf.c). */
async function isProgram(bytes: Buffer): Promise<boolean> {
  const own = await beginning(process.execPath);
  if (!isElf(bytes) || bytes.readUInt16LE(18) !== own.readUInt16LE(18)) return false;
  // ET_EXEC or ET_DYN; a compiler's object files and core dumps are ELF, too.
  const [type, entryBytes, entries] = [bytes.readUInt16LE(16), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if ((type !== 2 && type !== 3) || entryBytes !== 56 || entries === 0) return false;
  const loader = loaderOf(bytes);
  return loader === null || isElf(await settled(loader));
}

/** 64 bits and little-endian, as the offsets here want it. */
function isElf(bytes: Buffer): boolean {
  return bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
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

/** How old a file's last change has to be for it to count as finished, ms: whoever writes a program goes on writing. */
const settledMs = 60_000;

/** The beginning of a file that may be run and that nobody seems to be writing; throws for any other. */
async function settled(file: string): Promise<Buffer> {
  await access(file, constants.X_OK);
  const { mtimeMs } = await stat(file);
  if (Date.now() - mtimeMs < settledMs) throw new Error('may still be written');
  return beginning(file);
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
