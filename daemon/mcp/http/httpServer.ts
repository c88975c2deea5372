import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readBody } from './readBody.ts';
import { checkRequest } from './requestChecks.ts';

export interface HttpLimits {
  /** Longest body, bytes. */
  bodyBytes: number;
  /** Longest header block, bytes. */
  headerBytes: number;
  /** A client has to have sent its headers, and its whole request, by then, ms. */
  headersMs: number;
  requestMs: number;
  /** A connection over which nothing has gone for so long is cut, as when nobody reads its answer; a stream says something every 15 s, ms. */
  silentMs: number;
  connections: number;
}

export const httpLimits: HttpLimits = {
  bodyBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  silentMs: 60_000,
  connections: 256,
};

export interface HttpServerOptions {
  /** The port that was used before; another when it is taken. */
  preferredPort: number | null;
  token: () => string;
  limits: HttpLimits;
  /** A request that may be answered. @param body undefined unless it is a POST */
  onRequest: (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;
  onFault: (error: unknown) => void;
}

export interface HttpEndpoint {
  port: number;
  /** Accepts no more connections and ends every open one. */
  close(): Promise<void>;
}

/**
 * Listens on the loopback interface. A client without the token gets only a status: no version, no names, no reason.
 *
 * @throws the operating system's error when no port can be had
 */
export async function openHttp(options: HttpServerOptions): Promise<HttpEndpoint> {
  const { limits, preferredPort } = options;
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(limits.headersMs, 5000) / 2,
      keepAliveTimeout: 60_000,
    },
    (request, response) => {
      answer(request, response, options, port).catch((error: unknown) => {
        options.onFault(error);
        bare(response, 500);
      });
    },
  );
  server.maxConnections = limits.connections;
  server.timeout = limits.silentMs;
  server.on('clientError', (_error, socket) => {
    // Node's own answers say which limit it was.
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  const port = await listen(server, preferredPort);
  return {
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { token, limits, onRequest }: HttpServerOptions,
  port: number,
): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/, '');
  const refused = checkRequest(request.headers, path, port, token());
  if (refused !== null) {
    bare(response, refused);
    return;
  }
  if (request.method !== 'POST') {
    await onRequest(request, response, undefined);
    return;
  }
  const body = await readBody(request, limits.bodyBytes).catch(() => null);
  // It ended before it was complete: nobody waits for an answer.
  if (body === null) response.destroy();
  else if (body.kind === 'too-long') bare(response, 413);
  else if (body.kind === 'malformed') bare(response, 400);
  else await onRequest(request, response, body.value);
}

/** A status and nothing else. The connection ends, so that the rest of a body need not be read. */
export function bare(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.sendDate = false;
  response.writeHead(status, { 'Content-Length': 0, Connection: 'close' }).end();
}

async function listen(server: Server, preferredPort: number | null): Promise<number> {
  if (preferredPort !== null && (await tryListen(server, preferredPort))) return preferredPort;
  if (!(await tryListen(server, 0))) throw new Error('no port of the loopback interface is free');
  return (server.address() as AddressInfo).port;
}

/** False if somebody else has the port, or if it is not allowed. */
function tryListen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening);
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    const listening = (): void => {
      server.off('error', failed);
      resolve(true);
    };
    server.once('error', failed).once('listening', listening);
    server.listen(port, '127.0.0.1');
  });
}
