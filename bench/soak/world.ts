import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { OwnServer } from '../../test/support/ownServer.ts';
import { openFleet, type Fleet } from '../fleet.ts';
import { leakVariable, probesVariable } from './vitals.ts';

/** Daemons that share a registry on a PostgreSQL that may be restarted. */
export interface World extends Fleet {
  /** The folder of the sockets on which the daemons say what they hold. */
  probes: string;
  /** Stops PostgreSQL, `immediate` as a crash would, and starts it again after a while. */
  restart(mode: 'fast' | 'immediate', downMs: number): Promise<void>;
}

/** @param leakBytes what the daemons keep of each visitor, for a soak that must fail; a multiple of 8 */
export async function openWorld(daemonCount: number, leakBytes: number): Promise<World> {
  const server = await OwnServer.start();
  const url = new URL(server.url);
  url.pathname = '/registry_soak';
  const probes = await mkdtemp(join(tmpdir(), 'registrar-soak-'));
  try {
    const fleet = await openFleet(url.href, daemonCount, {
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'memoryProbe.ts')).href}`,
      [probesVariable]: probes,
      [leakVariable]: String(leakBytes),
    });
    return {
      ...fleet,
      probes,
      async restart(mode, downMs) {
        await server.stop(mode);
        await delay(downMs);
        await server.start();
      },
      async close() {
        await fleet.close();
        await server.close();
        await rm(probes, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await server.close();
    await rm(probes, { recursive: true, force: true });
    throw error;
  }
}
