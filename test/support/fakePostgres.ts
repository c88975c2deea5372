import net from 'node:net';

export interface FakePostgres {
  port: number;
  /** The startup parameters of each connection that got so far, in order; a request for TLS is noted as `tls`. */
  startups: Record<string, string>[];
  /** Bytes that clients sent after their startup message. */
  bytesAfterStartup(): number;
  close(): Promise<void>;
}

const sslRequestCode = 80_877_103;

/** A server that refuses TLS and answers every startup message with the same bytes: for answers a real one rarely gives. */
export async function startFakePostgres(answer: Buffer): Promise<FakePostgres> {
  const startups: Record<string, string>[] = [];
  const sockets = new Set<net.Socket>();
  let bytesAfterStartup = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let started = false;
    socket.on('data', (data) => {
      if (started) {
        bytesAfterStartup += data.length;
      } else if (data.readInt32BE(4) === sslRequestCode) {
        startups.push({ tls: 'requested' });
        socket.write('N');
      } else {
        started = true;
        startups.push(readStartup(data));
        socket.write(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server has no port');
  return {
    port: address.port,
    startups,
    bytesAfterStartup: () => bytesAfterStartup,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** An ErrorResponse message with severity FATAL. */
export function errorResponse(sqlState: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`);
  return framed('E', fields);
}

/** AuthenticationCleartextPassword. */
export function cleartextPasswordRequest(): Buffer {
  return framed('R', Buffer.from([0, 0, 0, 3]));
}

/** AuthenticationOk and ReadyForQuery: in without a password. */
export function welcome(): Buffer {
  return Buffer.concat([framed('R', Buffer.from([0, 0, 0, 0])), framed('Z', Buffer.from('I'))]);
}

function framed(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

function readStartup(data: Buffer): Record<string, string> {
  const words = data.subarray(8).toString('utf8').split('\0');
  const parameters: Record<string, string> = {};
  for (let index = 0; (words[index] ?? '') !== ''; index += 2) {
    parameters[words[index] ?? ''] = words[index + 1] ?? '';
  }
  return parameters;
}
