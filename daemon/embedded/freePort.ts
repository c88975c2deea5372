import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Picks a loopback port that nobody listens on. The port is kept for years, so it comes from below the ranges that
 * Linux (32768 up), macOS and Windows (49152 up) hand to outgoing connections: from inside them, some client's socket
 * would sooner or later be in the way when the server starts again.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 30_000);
    if (await portIsFree(port)) return port;
  }
  return await listenOnce(0);
}

/** Whether a server could listen on 127.0.0.1 at this moment; someone may take the port right after. */
export async function portIsFree(port: number): Promise<boolean> {
  return await listenOnce(port).then(
    () => true,
    () => false,
  );
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(address !== null && typeof address === 'object' ? address.port : port);
      });
    });
  });
}
