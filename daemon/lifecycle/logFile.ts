import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';

const defaultMaxBytes = 5_000_000;
/** How much waits for a disk that cannot be written; more is lost. */
const maxWaitingBytes = 1_000_000;

/**
 * The log: one JSON object per line in `logs/registrar.log` of the state folder. When the file would grow past its
 * limit it becomes `registrar.log.1`, in place of the one before. Lines are written at once, so they show what a killed
 * process did. A full disk stops nobody from working: the lines wait for the next one that can be written.
 *
 * @param maxBytes limit of one file, 5 MB when left out
 */
export function openLog(stateFolder: string, maxBytes = defaultMaxBytes): Logger {
  const folder = join(stateFolder, 'logs');
  makeFolder(folder);
  return pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    rotatingFile(join(folder, 'registrar.log'), maxBytes),
  );
}

/** Not with its parents: on a disk that cannot be written Node then says that they are missing. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * The size is counted here and not asked of the file system at every line. Another process that writes the same file at the
 * same time can make it longer than its limit by what that process writes; nothing is lost by that.
 */
function rotatingFile(path: string, maxBytes: number): DestinationStream {
  const file = pino.destination({ dest: path, sync: true, mode: 0o600, maxLength: maxWaitingBytes });
  // There is no other place to report it.
  file.on('error', () => undefined);
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    write(line: string) {
      const length = Buffer.byteLength(line);
      if (bytes > 0 && bytes + length > maxBytes) {
        bytes = 0;
        try {
          renameSync(path, `${path}.1`);
          file.reopen();
        } catch {
          // Somebody removed the file, or its folder: the open file continues.
        }
      }
      bytes += length;
      file.write(line);
    },
  };
}
