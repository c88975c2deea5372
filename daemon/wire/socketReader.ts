import type { Socket } from 'node:net';
import { AbstractMessageReader, Message } from 'vscode-jsonrpc/node';
import type { DataCallback, Disposable, MessageReader } from 'vscode-jsonrpc/node';
import { maxMessageBytes } from '../protocol/control.ts';

const maxHeaderBytes = 4096;
const headerEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

/**
 * Reads framed messages. If a peer sends an improper header, a message that is too long, or something that is not
 * JSON-RPC, that is an error, and nothing after it is read. The library's own reader would keep everything that comes,
 * ignore what it does not understand, and keep a timer forever if a peer leaves in the middle of a message.
 */
export class SocketReader extends AbstractMessageReader implements MessageReader {
  readonly #socket: Socket;
  #header: Buffer = nothing;
  /** Null while the header is read. */
  #content: Buffer | null = null;
  #filled = 0;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  listen(callback: DataCallback): Disposable {
    const read = (chunk: Buffer): void => {
      try {
        this.#restFor(this.#read(chunk, callback));
      } catch (error) {
        stop();
        this.fireError(error);
      }
    };
    const stop = (): void => {
      this.#socket.off('data', read);
    };
    this.#socket.on('data', read);
    return { dispose: stop };
  }

  /** Gives how many messages were complete. */
  #read(chunk: Buffer, callback: DataCallback): number {
    let rest = chunk;
    let messages = 0;
    while (rest.length > 0) {
      if (this.#content === null) {
        rest = this.#readHeader(rest);
      } else {
        const copied = rest.copy(this.#content, this.#filled);
        this.#filled += copied;
        rest = rest.subarray(copied);
      }
      if (this.#content?.length === this.#filled) {
        callback(parsed(this.#content));
        this.#content = null;
        messages += 1;
      }
    }
    return messages;
  }

  /** Gives what comes behind the header. */
  #readHeader(chunk: Buffer): Buffer {
    const before = this.#header.length;
    const header = Buffer.concat([this.#header, chunk.subarray(0, maxHeaderBytes)]);
    const end = header.indexOf(headerEnd);
    if (end === -1) {
      if (header.length >= maxHeaderBytes) throw new Error('a message has no header');
      this.#header = header;
      return nothing;
    }
    const length = /^content-length: *(\d{1,15})\r?$/im.exec(header.toString('latin1', 0, end))?.[1];
    if (length === undefined) throw new Error('a message has no length');
    if (Number(length) > maxMessageBytes) throw new Error(`a message of ${length} bytes is too long`);
    this.#header = nothing;
    this.#content = Buffer.allocUnsafe(Number(length));
    this.#filled = 0;
    return chunk.subarray(end + headerEnd.length - before);
  }

  /** The library takes one message in a turn of the event loop and queues the others; no peer may make that queue grow. */
  #restFor(turns: number): void {
    if (turns === 0) return;
    this.#socket.pause();
    const turn = (left: number): void => {
      if (left === 0) this.#socket.resume();
      else setImmediate(turn, left - 1);
    };
    turn(turns);
  }
}

function parsed(content: Buffer): Message {
  const value: unknown = JSON.parse(content.toString());
  if (!isMessage(value)) throw new Error('a message is not JSON-RPC');
  return value;
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const message = value as Message;
  return Message.isRequest(message) || Message.isNotification(message) || Message.isResponse(message);
}
