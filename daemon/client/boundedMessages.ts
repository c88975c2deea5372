import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

const maxHeaderBytes = 4096;
const headerEnd = Buffer.from('\r\n\r\n');

/**
 * Lets framed messages through and fails at the first that is longer than allowed or has no proper header. The JSON-RPC
 * reader behind it keeps whatever it gets until a message is complete, so without this a peer could fill the memory.
 *
 * @param maxBytes of one message's content
 */
export function boundedMessages(maxBytes: number): Transform {
  let header = Buffer.alloc(0);
  let contentLeft = 0;

  /** Reads on from `offset`; gives where the header ended, or null when it is not complete yet. */
  function endOfHeader(chunk: Buffer, offset: number): number | null {
    const before = header.length;
    header = Buffer.concat([header, chunk.subarray(offset, offset + maxHeaderBytes)]);
    const end = header.indexOf(headerEnd);
    if (end === -1) {
      if (header.length >= maxHeaderBytes) throw new Error('a message has no header');
      return null;
    }
    const length = /^content-length: *(\d{1,15})\r?$/im.exec(header.toString('latin1', 0, end + 1))?.[1];
    if (length === undefined) throw new Error('a message has no length');
    contentLeft = Number(length);
    if (contentLeft > maxBytes) throw new Error(`a message of ${length} bytes is too long`);
    header = Buffer.alloc(0);
    return offset + end + headerEnd.length - before;
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      try {
        let offset = 0;
        while (offset < chunk.length) {
          if (contentLeft === 0) {
            const end = endOfHeader(chunk, offset);
            if (end === null) break;
            offset = end;
          }
          const taken = Math.min(contentLeft, chunk.length - offset);
          contentLeft -= taken;
          offset += taken;
        }
        done(null, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}
