import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Ends the backends of a killed postmaster: they notice its death only when they next wait, so one that computes can
 * hold the shared memory for hours, and PostgreSQL refuses to start meanwhile. SIGQUIT is what an immediate shutdown
 * sends; crash recovery follows in any case. Linux only: elsewhere the caller just waits for them.
 *
 * @returns how many were told to end
 */
export async function endOrphanBackends(data: string): Promise<number> {
  if (process.platform !== 'linux') return 0;
  let count = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      if ((await readlink(`/proc/${pid}/cwd`)) !== data) continue;
      // Backends rename themselves so; a postmaster keeps its command line and must not be hit.
      if (!(await readFile(`/proc/${pid}/cmdline`, 'utf8')).startsWith('postgres: ')) continue;
      if (await hasLivePostmaster(pid, data)) continue;
      process.kill(Number(pid), 'SIGQUIT');
      count += 1;
    } catch {
      // Another user's process, or one that ended meanwhile.
    }
  }
  return count;
}

/** A child of a server that another starter has just brought up works in the same folder. */
async function hasLivePostmaster(pid: string, data: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const parent = /^PPid:\s*(\d+)/m.exec(status)?.[1];
  if (parent === undefined) return true;
  return await readlink(`/proc/${parent}/cwd`).then(
    (cwd) => cwd === data,
    () => false,
  );
}
