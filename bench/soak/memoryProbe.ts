// Loaded into the soak's daemons before the command (`node --import`). It says on a socket what the process holds once
// everything unused is collected. Where the soak has to show that it sees a leak, it keeps something of each visitor.
import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:net';
import { collectAll } from '../../daemon/lifecycle/memoryAtRest.ts';
import { leakVariable, probePath, probesVariable, type Held } from './vitals.ts';

const folder = process.env[probesVariable];
if (folder !== undefined && process.argv.includes('serve')) {
  createServer((socket) => {
    collectAll();
    // What waited for that collection to be let go is collected by another one.
    setImmediate(() => {
      collectAll();
      const { heapUsed, external, rss } = process.memoryUsage();
      socket.end(JSON.stringify({ live: (heapUsed + external) / 1e6, resident: rss / 1e6 } satisfies Held));
    });
  })
    .listen(probePath(folder, process.pid))
    .unref();
  const leakBytes = Number(process.env[leakVariable] ?? 0);
  const kept: number[][] = [];
  // Node publishes each connection that a server accepts; a visitor opens one.
  if (leakBytes > 0) subscribe('net.server.socket', () => kept.push(new Array<number>(leakBytes / 8).fill(0.5)));
}
