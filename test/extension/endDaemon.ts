import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Ends the daemon of a state folder, which outlives the window that started it, by design. */
export async function endDaemon(home: string): Promise<void> {
  const text = await readFile(path.join(home, 'endpoint.json'), 'utf8').catch(() => null);
  if (text === null) return;
  const { pid } = JSON.parse(text) as { pid: number };
  const signal = (name: 'SIGTERM' | 'SIGKILL' | 0): boolean => {
    try {
      return process.kill(pid, name);
    } catch {
      return false;
    }
  };
  signal('SIGTERM');
  const giveUpAt = performance.now() + 30_000;
  while (signal(0) && performance.now() < giveUpAt) await delay(20);
  if (signal('SIGKILL')) throw new Error(`The daemon ${pid} did not end when it was told to.`);
}
