const byteOrderMark = '\uFEFF';

export interface DecodedText {
  /** The text with its byte order mark; with a fault, only what stands before the fault. */
  text: string;
  fault: { message: string; hint: string } | null;
}

/**
 * Decodes UTF-8 and finds the first byte that no text file has. The byte order mark stays in the text, so that encoding
 * it again gives the same bytes.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const hint = 'Save the file as UTF-8 text; NUL bytes usually mean UTF-16 or a damaged file.';
    return { text: decodeLossily(bytes.subarray(0, nul)), fault: { message: 'has a NUL byte', hint } };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), fault: null };
  } catch {
    const text = decodeLossily(bytes.subarray(0, firstInvalidByte(bytes)));
    return { text, fault: { message: 'is not UTF-8', hint: 'Save the file as UTF-8.' } };
  }
}

/** The text without the byte order mark that `decodeText` left in it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function decodeLossily(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** Lossy decoding replaces what is invalid, so the first difference after encoding again is where it stood. */
function firstInvalidByte(bytes: Uint8Array): number {
  const encoded = new TextEncoder().encode(decodeLossily(bytes));
  const index = bytes.findIndex((byte, at) => byte !== encoded[at]);
  return index >= 0 ? index : bytes.length;
}
