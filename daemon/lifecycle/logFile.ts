import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';

const maxBytes = 5_000_000;

/**
 * The log: one JSON object per line in `logs/registrar.log` of the state folder. A file that has grown past 5 MB becomes
 * `registrar.log.1` when the next process opens it. Lines are written at once: what a killed process did is in them.
 */
export function openLog(stateFolder: string): Logger {
  const folder = join(stateFolder, 'logs');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'registrar.log');
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxBytes) renameSync(path, `${path}.1`);
  return pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    pino.destination({ dest: path, sync: true, mode: 0o600 }),
  );
}
