import { setTimeout as delay } from 'node:timers/promises';
import { OwnServer } from '../../test/support/ownServer.ts';
import { openFleet, type Fleet } from '../fleet.ts';

/** Daemons that share a registry on a PostgreSQL that may be restarted. */
export interface World extends Fleet {
  /** Stops PostgreSQL, `immediate` as a crash would, and starts it again after a while. */
  restart(mode: 'fast' | 'immediate', downMs: number): Promise<void>;
}

export async function openWorld(daemonCount: number): Promise<World> {
  const server = await OwnServer.start();
  const url = new URL(server.url);
  url.pathname = '/registry_soak';
  try {
    const fleet = await openFleet(url.href, daemonCount);
    return {
      ...fleet,
      async restart(mode, downMs) {
        await server.stop(mode);
        await delay(downMs);
        await server.start();
      },
      async close() {
        await fleet.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
