import type { IncomingMessage } from 'node:http';

/**
 * Reads a request's JSON.
 *
 * @param maxBytes of the body; nothing more than that is kept
 * @returns undefined when it is longer, or not JSON
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ kind: 'json'; value: unknown } | { kind: 'too-long' } | { kind: 'malformed' }> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return { kind: 'too-long' };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return { kind: 'too-long' };
    chunks.push(chunk);
  }
  try {
    return { kind: 'json', value: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown };
  } catch {
    return { kind: 'malformed' };
  }
}
