import { watch } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** How much of the log is shown, bytes. */
const shownBytes = 1_000_000;
/** Where the system does not tell of changes. */
const lookEveryMs = 1000;

/**
 * The last lines of a log file, and with `follow` those that are written until the signal. A file that is replaced by a
 * new one is read to its end first.
 */
export async function* readLog(path: string, follow: boolean, signal: AbortSignal): AsyncGenerator<string> {
  const isStopped = (): boolean => signal.aborted;
  let { text, inode, offset } = await readFrom(path, null, 0);
  for (;;) {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    yield* lines;
    if (!follow || isStopped()) {
      if (rest !== '') yield rest;
      return;
    }
    await changed(path, { inode, offset }, signal);
    if (isStopped()) return;
    const now = await stat(path).catch(() => null);
    const isReplaced = now !== null && inode !== null && now.ino !== inode;
    const tail = isReplaced ? (await readFile(`${path}.1`).catch(() => Buffer.alloc(0))).subarray(offset) : '';
    const next = await readFrom(path, isReplaced ? null : inode, isReplaced ? 0 : offset);
    text = `${rest}${tail.toString()}${next.text}`;
    ({ inode, offset } = next);
  }
}

async function readFrom(
  path: string,
  inode: number | null,
  offset: number,
): Promise<{ text: string; inode: number | null; offset: number }> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return { text: '', inode, offset };
  try {
    const { size, ino } = await file.stat();
    const start = offset === 0 ? Math.max(0, size - shownBytes) : Math.min(offset, size);
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const text = bytes.subarray(0, bytesRead).toString();
    // Where it begins in the middle, the first line is cut.
    return {
      text: offset === 0 && start > 0 ? text.slice(text.indexOf('\n') + 1) : text,
      inode: ino,
      offset: start + bytesRead,
    };
  } finally {
    await file.close();
  }
}

/** Settles when the file has grown or was replaced, or at the signal. */
async function changed(
  path: string,
  known: { inode: number | null; offset: number },
  signal: AbortSignal,
): Promise<void> {
  let done = (): void => undefined;
  const settled = new Promise<void>((resolve) => (done = resolve));
  const look = async (): Promise<void> => {
    const now = await stat(path).catch(() => null);
    if (now && (now.ino !== known.inode || now.size !== known.offset)) done();
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  let watcher: ReturnType<typeof watch> | null = null;
  try {
    watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) void look();
    });
    watcher.on('error', () => undefined);
  } catch {
    // The folder is not there yet, or the system's limit of watches is reached.
  }
  signal.addEventListener('abort', done);
  try {
    await look();
    await settled;
  } finally {
    clearInterval(timer);
    watcher?.close();
    signal.removeEventListener('abort', done);
  }
}
