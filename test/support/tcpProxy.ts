import { EventEmitter, once } from 'node:events';
import net from 'node:net';

export interface TcpProxy {
  port: number;
  /** From now on nothing is forwarded either way and nothing is closed: a network that drops packets. */
  pause(): void;
  /** Forwards again, beginning with what was held back, and closes what was stranded. */
  resume(): void;
  /** Destroys every connection, both sides. */
  cut(): void;
  /** Destroys every connection, and from now on every new one as soon as it comes. `resume` lets them in again. */
  refuse(): void;
  /** What is open now never forwards anything again and is not closed, as where a firewall forgot it; new ones work. */
  strand(): void;
  /** What new connections send is held back for this long, ms: a server that takes its time over a login. */
  slow(ms: number): void;
  /** Connections that are open now. */
  connections(): number;
  /** Connections that were ever accepted. */
  accepted(): number;
  /** Resolves when the next connection has been accepted. */
  nextConnection(): Promise<unknown>;
  /** Resolves when no connection is open. */
  empty(): Promise<unknown>;
  /** Bytes that clients have sent and that were forwarded. */
  bytesUp(): number;
  close(): Promise<void>;
}

/** A TCP proxy on a free port of 127.0.0.1 that can misbehave like a network. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<{ client: net.Socket; upstream: net.Socket; stranded: boolean }>();
  const events = new EventEmitter();
  let paused = false;
  let slowMs = 0;
  let refusing = false;
  let accepted = 0;
  let bytesUp = 0;

  const server = net.createServer({ pauseOnConnect: true }, (client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = target.host.startsWith('/')
      ? net.connect(`${target.host}/.s.PGSQL.${String(target.port)}`)
      : net.connect(target.port, target.host);
    const pair = { client, upstream, stranded: false };
    pairs.add(pair);
    accepted += 1;
    // Otherwise each of PostgreSQL's small messages waits 40 ms for the acknowledgement of the one before.
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    upstream.on('data', (data) => client.write(data));
    client.on('data', (data) => {
      bytesUp += data.length;
      upstream.write(data);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
        if (pairs.size === 0) events.emit('empty');
      });
    }
    if (paused) upstream.pause();
    else if (slowMs > 0) setTimeout(() => client.resume(), slowMs).unref();
    else client.resume();
    events.emit('connection');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  const cut = (): void => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    port: address.port,
    pause: () => {
      paused = true;
      for (const { client, upstream } of pairs) {
        client.pause();
        upstream.pause();
      }
    },
    resume: () => {
      paused = false;
      refusing = false;
      for (const { client, upstream, stranded } of pairs) {
        if (stranded) client.destroy();
        client.resume();
        upstream.resume();
      }
    },
    cut,
    refuse: () => {
      refusing = true;
      cut();
    },
    strand: () => {
      for (const pair of pairs) {
        pair.stranded = true;
        pair.client.pause();
        pair.upstream.pause();
      }
    },
    slow: (ms) => {
      slowMs = ms;
    },
    connections: () => pairs.size,
    accepted: () => accepted,
    nextConnection: () => once(events, 'connection'),
    empty: () => (pairs.size === 0 ? Promise.resolve() : once(events, 'empty')),
    bytesUp: () => bytesUp,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        cut();
      }),
  };
}
