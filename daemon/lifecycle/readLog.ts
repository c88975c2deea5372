import { watch } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { osErrorCode } from '../files/osError.ts';
import { isThere } from '../files/isThere.ts';

/** How much of the log is shown at first, bytes. */
const shownBytes = 1_000_000;
/** For systems that do not report changes. */
const lookEveryMs = 1000;

/**
 * The last lines of a log file, and with `follow` those that are written until the signal. The open file is followed: one
 * that is renamed away is read to its end before the new one, and one that is cut short from its new beginning.
 */
export async function* readLog(path: string, follow: boolean, signal: AbortSignal): AsyncGenerator<string> {
  const isStopped = (): boolean => signal.aborted;
  let followed = await openFollowed(path, shownBytes);
  try {
    for (;;) {
      if (followed) yield* followed.newLines();
      if (!follow || isStopped()) {
        const rest = followed?.rest() ?? '';
        if (rest !== '') yield rest;
        return;
      }
      if (followed && !(await followed.isReplaced())) {
        await somethingNew(path, followed, signal);
        continue;
      }
      const next = await openFollowed(path, Infinity);
      if (next) {
        const former = followed;
        followed = next;
        if (former) yield* former.lastLines();
      } else {
        await somethingNew(path, followed, signal);
      }
      if (isStopped()) return;
    }
  } finally {
    await followed?.close();
  }
}

async function openFollowed(path: string, lastBytes: number): Promise<FollowedFile | null> {
  try {
    return await FollowedFile.open(path, lastBytes);
  } catch (error) {
    if (osErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** A growing file, by its handle: its name may pass to another file. */
class FollowedFile {
  readonly #path: string;
  readonly #file: FileHandle;
  #position: number;
  #decoder = new StringDecoder('utf8');
  #rest = '';
  /** The first line is cut where reading begins in the middle. */
  #isCut: boolean;

  private constructor(path: string, file: FileHandle, position: number) {
    this.#path = path;
    this.#file = file;
    this.#position = position;
    this.#isCut = position > 0;
  }

  static async open(path: string, lastBytes: number): Promise<FollowedFile> {
    const file = await open(path, 'r');
    const { size } = await file.stat();
    return new FollowedFile(path, file, Math.max(0, size - lastBytes));
  }

  /** The whole lines that were written since the last time. */
  async *newLines(): AsyncGenerator<string> {
    if ((await this.#file.stat()).size < this.#position) this.#beginAgain();
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read({ buffer: Buffer.alloc(65_536), position: this.#position });
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, bytesRead))).split('\n');
      this.#rest = lines.pop() ?? '';
      if (this.#isCut && lines.length > 0) {
        lines.shift();
        this.#isCut = false;
      }
      yield* lines;
    }
  }

  /** What was written since the last time, of a file that nobody writes to any more; closes it. */
  async *lastLines(): AsyncGenerator<string> {
    try {
      yield* this.newLines();
      if (this.rest() !== '') yield this.rest();
    } finally {
      await this.close();
    }
  }

  /** What stands after the last line break. */
  rest(): string {
    return this.#isCut ? '' : this.#rest;
  }

  async hasNew(): Promise<boolean> {
    return (await this.#file.stat()).size !== this.#position;
  }

  /** Whether the name now belongs to another file, or to none. */
  async isReplaced(): Promise<boolean> {
    const named = await stat(this.#path).catch(() => null);
    const { ino, dev } = await this.#file.stat();
    return named?.ino !== ino || named.dev !== dev;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #beginAgain(): void {
    this.#position = 0;
    this.#decoder = new StringDecoder('utf8');
    this.#rest = '';
    this.#isCut = false;
  }
}

/** Settles when there is something to read, or at the signal. `file` is null while there is none. */
async function somethingNew(path: string, file: FollowedFile | null, signal: AbortSignal): Promise<void> {
  let done = (): void => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const settled = new Promise<void>((resolve, reject) => {
    done = resolve;
    fail = reject;
  });
  const look = async (): Promise<void> => {
    // A file without a name may still be written to until its writer has opened the new one.
    const isNew = file
      ? (await file.hasNew()) || ((await file.isReplaced()) && (await isThere(path)))
      : await isThere(path);
    if (isNew) done();
  };
  let looking = Promise.resolve();
  const lookAgain = (): void => {
    looking = looking.then(look).catch(fail);
  };
  const timer = setInterval(lookAgain, lookEveryMs);
  let watcher: ReturnType<typeof watch> | null = null;
  try {
    watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) lookAgain();
    });
    watcher.on('error', () => undefined);
  } catch {
    // The folder does not exist yet, or the system's limit of watches is reached; then only the timer checks.
  }
  signal.addEventListener('abort', done, { once: true });
  if (signal.aborted) done();
  lookAgain();
  try {
    await settled;
  } finally {
    clearInterval(timer);
    watcher?.close();
    signal.removeEventListener('abort', done);
    // The file is closed next.
    await looking;
  }
}
