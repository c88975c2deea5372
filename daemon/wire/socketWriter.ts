import type { Socket } from 'node:net';
import { AbstractMessageWriter, ResponseError } from 'vscode-jsonrpc/node';
import type { Message, MessageWriter } from 'vscode-jsonrpc/node';
import { maxMessageBytes, wireErrors } from '../protocol/control.ts';
import type { ErrorReport } from '../protocol/registrarError.ts';

/** A peer that does not read gets no more, because what it has not read stays in this process's memory. */
const maxUnsentBytes = 2 * maxMessageBytes;

/**
 * Writes framed messages, each complete and at once, so that everything that waits for the peer is counted in one
 * place.
 */
export class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  /** Resolves when the system has taken the message. */
  async write(message: Message): Promise<void> {
    const content = Buffer.from(JSON.stringify(message));
    // The library sends this error instead of the answer.
    if (content.length > maxMessageBytes) throw tooLong(content.length);
    const header = Buffer.from(`Content-Length: ${content.length}\r\n\r\n`);
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(Buffer.concat([header, content]), (error) => {
        if (error) reject(error);
        else resolve();
      });
      if (this.#socket.writableLength > maxUnsentBytes) this.#socket.destroy();
    });
  }

  end(): void {
    this.#socket.end();
  }
}

function tooLong(bytes: number): ResponseError<ErrorReport> {
  const message = `The message has ${bytes} bytes, and no more than ${maxMessageBytes} can be sent.`;
  const report: ErrorReport = {
    code: 'INVALID_ARGUMENT',
    message,
    hint: 'Ask for less, such as fewer projects at once.',
  };
  return new ResponseError(wireErrors.registrar, message, report);
}
