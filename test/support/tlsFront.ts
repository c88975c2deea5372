import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';

export interface Certificates {
  /** The authority's certificate, as a file. */
  ca: string;
  key: string;
  cert: string;
}

export interface TlsFront {
  port: number;
  /** What each connection began with, in order. */
  begun: ('tls' | 'plain')[];
  close(): Promise<void>;
}

/** Makes an authority and a certificate of it for `localhost` in a folder; null where there is no openssl to do it. */
export async function makeCertificates(folder: string): Promise<Certificates | null> {
  const run = promisify(execFile);
  const file = (name: string): string => path.join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    await run('openssl', ['version']);
  } catch {
    return null;
  }
  const ca = ['-keyout', file('ca.key'), '-out', file('ca.crt'), '-subj', '/CN=registrar test authority', '-days', '2'];
  await run('openssl', ['req', '-x509', ...newKey, ...ca]);
  await run('openssl', [
    'req',
    ...newKey,
    '-keyout',
    file('tls.key'),
    '-out',
    file('tls.csr'),
    '-subj',
    '/CN=localhost',
  ]);
  await writeFile(file('names'), 'subjectAltName=DNS:localhost');
  const signer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')];
  await run('openssl', ['x509', '-req', '-in', file('tls.csr'), ...signer, '-out', file('tls.crt'), '-days', '2']);
  return { ca: file('ca.crt'), key: file('tls.key'), cert: file('tls.crt') };
}

/**
 * Puts TLS in front of a PostgreSQL server that may have none, on a free port of 127.0.0.1.
 *
 * @param plain What becomes of a connection without TLS: forwarded, or answered with these bytes.
 */
export async function startTlsFront(
  target: { host: string; port: number },
  certificates: Certificates,
  plain: 'forward' | Buffer,
): Promise<TlsFront> {
  const context = tls.createSecureContext({
    key: await readFile(certificates.key),
    cert: await readFile(certificates.cert),
  });
  const begun: TlsFront['begun'] = [];
  const sockets = new Set<net.Socket>();
  const forward = (from: net.Socket, first?: Buffer): void => {
    const upstream = net.connect(target.port, target.host);
    if (first) upstream.write(first);
    upstream.on('error', () => from.destroy());
    // Else it would stay until the server gives up waiting for a login, and the test run with it.
    from.on('close', () => upstream.destroy());
    from.pipe(upstream).pipe(from);
  };
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (data) => {
      const wantsTls = data.length === 8;
      begun.push(wantsTls ? 'tls' : 'plain');
      if (!wantsTls) {
        if (plain === 'forward') forward(socket, data);
        else socket.end(plain);
        return;
      }
      socket.write('S');
      const secured = new tls.TLSSocket(socket, { isServer: true, secureContext: context });
      secured.on('error', () => socket.destroy());
      forward(secured);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the TLS front has no port');
  return {
    port: address.port,
    begun,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
