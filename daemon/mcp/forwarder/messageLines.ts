/** Cuts a stream into lines, bytes untouched, each with its line break. */
export class MessageLines {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;

  /** @param maxBytes of one line */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Gives the lines that this piece completes. Throws when a line is too long. */
  push(piece: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, from)) {
      lines.push(Buffer.concat([...this.#parts, piece.subarray(from, end + 1)]));
      this.#parts = [];
      this.#length = 0;
      from = end + 1;
    }
    const rest = piece.subarray(from);
    if (rest.length > 0) {
      this.#parts.push(rest);
      this.#length += rest.length;
      if (this.#length > this.#maxBytes) throw new Error(`a message is longer than ${this.#maxBytes} bytes`);
    }
    return lines;
  }

  /** What came after the last line break, as a line; null when nothing did. */
  rest(): Buffer | null {
    return this.#length === 0 ? null : Buffer.concat([...this.#parts, Buffer.from('\n')]);
  }
}
