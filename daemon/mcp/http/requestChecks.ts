import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The answer to a refused request; null for an allowed one. No answer reveals what is behind it. */
export type Refusal = 401 | 403 | 404 | null;

/**
 * Whether a request may reach the endpoint. A web page can make a browser send requests here, under a name of its own
 * that leads to this machine (hence the check of Host) or across origins (hence that of Origin); neither knows the token.
 *
 * @param port that the endpoint listens on
 * @param path without query
 */
export function checkRequest(headers: IncomingHttpHeaders, path: string, port: number, token: string): Refusal {
  const hosts = loopbackNames.map((name) => `${name}:${port}`);
  if (!hosts.includes(headers.host?.toLowerCase() ?? '')) return 403;
  const { origin } = headers;
  if (origin !== undefined && !hosts.includes(origin.toLowerCase().replace(/^http:\/\//, ''))) return 403;
  if (path !== '/mcp') return 404;
  return hasToken(headers.authorization, token) ? null : 401;
}

const loopbackNames = ['127.0.0.1', 'localhost'];

function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1] ?? '';
  // Of the same length whatever was given, so that the time of the comparison says nothing.
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
