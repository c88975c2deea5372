import net from 'node:net';

/** What a client sent: the SQL of a simple query or of a Parse. A prepared statement shows up once per connection. */
export interface StatementSpy {
  port: number;
  statements: string[];
  /** The same, each with the database of its connection. */
  sent: { database: string; sql: string }[];
  /** Statements since the last call. */
  take(): string[];
  /** Replaces a simple query's text before the server sees it; null lets it pass. */
  rewrite: ((sql: string) => string | null) | null;
  /** Called with each statement before the server sees it. */
  onStatement: ((sql: string) => void) | null;
  /** Round trips: ReadyForQuery answers since the last call, without those of connecting. */
  takeRoundTrips(): number;
  cut(): void;
  /** While true, whoever connects is cut off: a server that is not there. */
  refuse: boolean;
  /** While true, nothing that clients send arrives: a network that drops packets. */
  hold: boolean;
  close(): Promise<void>;
}

/** A proxy in front of PostgreSQL that reads the wire protocol, so that a test can see which statements really ran. */
export async function startStatementSpy(target: { host: string; port: number }): Promise<StatementSpy> {
  const sockets = new Set<net.Socket>();
  let taken = 0;
  let roundTrips = 0;
  const server = net.createServer((client) => {
    if (spy.refuse) {
      client.destroy();
      return;
    }
    const upstream = net.connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // An answer in several writes would else wait 40 ms for the other side's acknowledgement.
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let started = false;
    let database = '';
    let ready = 0;
    readMessages(
      client,
      () => started,
      (type, message) => {
        if (type === null) {
          started = message.readInt32BE(4) === startupCode;
          if (started) database = databaseOf(message);
          if (!spy.hold) upstream.write(message);
          return;
        }
        const observed = observe(type, message, database);
        if (!spy.hold) upstream.write(observed);
      },
    );
    readMessages(
      upstream,
      // The answer to an SSLRequest is one bare byte; the tests connect with sslmode=disable.
      () => true,
      (type, message) => {
        if (type === 'Z') {
          ready += 1;
          if (ready > 1) roundTrips += 1;
        }
        client.write(message);
      },
    );
  });
  const spy: StatementSpy = {
    port: 0,
    statements: [],
    sent: [],
    rewrite: null,
    refuse: false,
    hold: false,
    onStatement: null,
    take() {
      const since = spy.statements.slice(taken);
      taken = spy.statements.length;
      return since;
    },
    takeRoundTrips() {
      const since = roundTrips;
      roundTrips = 0;
      return since;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        spy.cut();
        server.close(() => {
          resolve();
        });
      }),
  };

  function observe(type: string, message: Buffer, database: string): Buffer {
    if (type === 'Q') {
      const sql = message.toString('utf8', 5, message.length - 1);
      spy.statements.push(sql);
      spy.sent.push({ database, sql });
      spy.onStatement?.(sql);
      const replaced = spy.rewrite?.(sql) ?? null;
      if (replaced !== null) return simpleQuery(replaced);
    } else if (type === 'P') {
      const name = message.indexOf(0, 5);
      const sql = message.toString('utf8', name + 1, message.indexOf(0, name + 1));
      spy.statements.push(sql);
      spy.sent.push({ database, sql });
      spy.onStatement?.(sql);
    }
    return message;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the spy has no port');
  spy.port = address.port;
  return spy;
}

/** What the startup message says under `database`: names and values, each ended by a zero byte. */
function databaseOf(startup: Buffer): string {
  const parts = startup.toString('utf8', 8).split('\0');
  const at = parts.findIndex((part, index) => index % 2 === 0 && part === 'database');
  return at === -1 ? '' : (parts[at + 1] ?? '');
}

/** Protocol 3.0. */
export const startupCode = 196_608;

/** Cuts a stream into protocol messages; before start-up they carry no type. */
export function readMessages(
  socket: net.Socket,
  isStarted: () => boolean,
  onMessage: (type: string | null, message: Buffer) => void,
): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const offset = isStarted() ? 1 : 0;
      if (rest.length < offset + 4) return;
      const length = offset + rest.readInt32BE(offset);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      onMessage(offset === 1 ? String.fromCharCode(message[0] ?? 0) : null, message);
    }
  });
}

function simpleQuery(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5 + text.length);
  message.write('Q');
  message.writeInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return message;
}
