import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OwnServer } from '../../test/support/ownServer.ts';
import { makeCertificates, startTlsFront, type Certificates } from '../../test/support/tlsFront.ts';
import { placeNames, type PlaceName } from './programs.ts';

export interface Place {
  name: PlaceName;
  /** The address that Registrar is given, without the path. */
  login: string;
  parameters: string;
}

/** Everything that a URL, a shell or a file could take for something else. */
const oddPassword = String.raw`p@s:s/w?o#r%d&'"\ $HOME +;é`;

/**
 * Puts what is not there in front of a server that listens on 127.0.0.1 alone: a socket, TLS, IPv6.
 *
 * @returns the places that this machine has, and what closes them
 */
export async function openPlaces(
  server: OwnServer,
  folder: string,
): Promise<{ places: Place[]; missing: PlaceName[]; close: () => Promise<void> }> {
  await server.sql(`create role plain superuser login password 'plain'`);
  await server.sql(`create role odd superuser login password '${oddPassword.replaceAll("'", "''")}'`);
  const odd = `postgresql://odd:${encodeURIComponent(oddPassword)}@`;
  const sockets = join(folder, 'sockets');
  await mkdir(sockets);
  const target = { host: '127.0.0.1', port: server.port };
  const closers = [await forward(server.port, { path: join(sockets, `.s.PGSQL.${server.port}`) })];
  const places: Place[] = [
    { name: 'TCP', login: `postgresql://plain:plain@127.0.0.1:${server.port}`, parameters: '' },
    { name: 'odd password', login: `${odd}127.0.0.1:${server.port}`, parameters: '' },
    { name: 'socket', login: `${odd}${encodeURIComponent(sockets)}:${server.port}`, parameters: '' },
    { name: 'two hosts', login: `${odd}127.0.0.1:9,127.0.0.1:${server.port}`, parameters: '' },
  ];
  const missing: PlaceName[] = [];
  const certificates = await makeCertificates(folder);
  if (certificates === null) missing.push('TLS', 'self-signed');
  else {
    const tls = await startTlsFront(target, certificates, Buffer.from(''));
    const alone = await startTlsFront(target, await selfSigned(folder, certificates), Buffer.from(''));
    closers.push(
      () => tls.close(),
      () => alone.close(),
    );
    const parameters = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificates.ca)}`;
    places.push({ name: 'TLS', login: `${odd}localhost:${tls.port}`, parameters });
    places.push({ name: 'self-signed', login: `${odd}localhost:${alone.port}`, parameters: '?sslmode=require' });
  }
  const ipv6 = await forward(server.port, { host: '::1', port: server.port, ipv6Only: true }).catch(() => null);
  if (ipv6 === null) missing.push('IPv6');
  else {
    closers.push(ipv6);
    places.push({ name: 'IPv6', login: `${odd}[::1]:${server.port}`, parameters: '' });
  }
  return {
    places: placeNames.flatMap((name) => places.filter((place) => place.name === name)),
    missing,
    async close() {
      for (const close of closers) await close();
    },
  };
}

async function forward(port: number, where: ListenOptions): Promise<() => Promise<void>> {
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    open.add(client);
    client.on('close', () => open.delete(client));
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(where, resolve);
  });
  return () =>
    new Promise((resolve) => {
      listener.close(() => {
        resolve();
      });
      for (const socket of open) socket.destroy();
    });
}

/** What most servers have that nobody bought a certificate for. */
async function selfSigned(folder: string, { key }: Certificates): Promise<Certificates> {
  const cert = join(folder, 'self-signed.crt');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await promisify(execFile)('openssl', ['req', '-x509', '-key', key, '-out', cert, ...subject, '-days', '2']);
  return { ca: cert, key, cert };
}
