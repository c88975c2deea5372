import { cpus, loadavg, release, totalmem } from 'node:os';

/** Processes that ran or waited at the same time as this one, on average over the last minute; 0 on Windows. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/**
 * One line about what the figures were taken on.
 *
 * @param loadBefore `load()` when the run began, before it made load of its own
 */
export function machineLine(postgresVersion: string, loadBefore: number): string {
  const cores = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const facts = [
    `${String(cores.length)} × ${(cores[0]?.model ?? 'unknown processor').trim()}`,
    `${String(gigabytes)} GB`,
    `${process.platform} ${release()}`,
    `Node ${process.versions.node}`,
    `PostgreSQL ${postgresVersion} (bundled, its default settings)`,
    `load ${loadBefore.toFixed(1)} before, ${load().toFixed(1)} after`,
  ];
  const busy = loadBefore > cores.length / 2 ? '. Other programs kept the machine busy: only the ratios count' : '';
  return `${facts.join(', ')}${busy}.`;
}
