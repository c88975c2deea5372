import { isatty } from 'node:tty';
import type { TextOutput } from './cliContext.ts';

/**
 * The process's standard streams, opened when they are first used: opening a pipe makes it non-blocking for everyone who
 * shares it, such as a command that takes this process's place and does not expect that.
 */
export class StandardStreams {
  readonly stdout = new LazyOutput(1, () => process.stdout);
  readonly stderr = new LazyOutput(2, () => process.stderr);
  #stdinIsOpen = false;

  get stdin(): NodeJS.ReadStream {
    this.#stdinIsOpen = true;
    return process.stdin;
  }

  /** A terminal does not count: Node opens it anew for itself. */
  areOpen(): boolean {
    return this.#stdinIsOpen || [this.stdout, this.stderr].some(({ isOpen, isTTY }) => isOpen && !isTTY);
  }
}

class LazyOutput implements TextOutput {
  readonly isTTY: boolean;
  readonly #stream: () => NodeJS.WriteStream;
  readonly #listeners: ((error: Error) => void)[] = [];
  #opened: NodeJS.WriteStream | null = null;

  constructor(descriptor: number, stream: () => NodeJS.WriteStream) {
    this.isTTY = isatty(descriptor);
    this.#stream = stream;
  }

  get isOpen(): boolean {
    return this.#opened !== null;
  }

  get columns(): number | undefined {
    return this.isTTY ? this.#open().columns : undefined;
  }

  write(text: string): boolean {
    return this.#open().write(text);
  }

  on(event: 'error', listener: (error: Error) => void): void {
    if (this.#opened) this.#opened.on(event, listener);
    else this.#listeners.push(listener);
  }

  #open(): NodeJS.WriteStream {
    if (this.#opened) return this.#opened;
    this.#opened = this.#stream();
    for (const listener of this.#listeners) this.#opened.on('error', listener);
    return this.#opened;
  }
}
