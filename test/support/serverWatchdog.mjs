// Outlives a test run that was killed, and cleans up after it: when the run's end of the pipe closes, however it ended, the
// server below the folder is stopped and the folder removed. A run that ended well has removed the folder by then.
//   node serverWatchdog.mjs FOLDER
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const [folder] = process.argv.slice(2);
process.on('SIGINT', () => undefined);
process.stdin.resume();
process.stdin.on('end', async () => {
  for (const lock of globSync('**/cluster/data/postmaster.pid', { cwd: folder })) {
    const path = `${folder}/${lock}`;
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    try {
      // A fast shutdown; PostgreSQL removes the file at its end.
      process.kill(pid, 'SIGINT');
    } catch {
      continue;
    }
    for (let tries = 0; existsSync(path) && tries < 300; tries++) await delay(100);
  }
  rmSync(folder, { recursive: true, force: true });
});
