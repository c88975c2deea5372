import type { DaemonClient } from '../../daemon/client/daemonClient.ts';
import { openFleet, type Fleet } from '../fleet.ts';
import { firstProjects, type Known } from './load.ts';

/** Daemons at one address, a window at each, and the projects that the first of them made. */
export interface Windows {
  fleet: Fleet;
  windows: readonly DaemonClient[];
  known: Known[];
}

/** Opens them for the work, and closes them after it. */
export async function withWindows<T>(url: string, daemons: number, work: (opened: Windows) => Promise<T>): Promise<T> {
  const fleet = await openFleet(url, daemons);
  const windows = await Promise.all(fleet.daemons.map((daemon) => daemon.window()));
  const [first] = windows;
  if (!first) throw new Error('there are no daemons');
  try {
    return await work({ fleet, windows, known: await firstProjects(fleet, first, 20) });
  } finally {
    for (const window of windows) window.close();
    await fleet.close();
  }
}
