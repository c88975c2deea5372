/**
 * Text for a registry whose encoding is not UTF8, as one that somebody else made may be: PostgreSQL refuses what the encoding
 * lacks (22P05), in JSON's escapes, too. Such a character is kept as HTML writes it in ASCII, `&#x65e5;`. That needs no
 * escaping in JSON, people can read it in psql, and it is read back as what it was.
 *
 * A registry in UTF8 stores everything but NUL and halves of surrogate pairs, for which U+FFFD stands.
 */
export class RegistryText {
  #storable: RegExp | null = null;
  #encoding = 'UTF8';

  /** @param encoding what the server calls `server_encoding` */
  set encoding(encoding: string) {
    if (encoding === this.#encoding) return;
    this.#encoding = encoding;
    this.#storable = storableIn(encoding);
  }

  /** A value of a statement as the registry can store it. */
  stored(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.stored(one));
    if (typeof value !== 'string') return value;
    const text = withoutGaps(value);
    const storable = this.#storable;
    if (!storable) return text;
    return text
      .replace(/&(?=#x[0-9a-f]+;)/g, reference)
      .replace(/\P{ASCII}/gu, (character) => (storable.test(character) ? character : reference(character)));
  }

  /** Rows as they were before they were stored. Comments of databases are in no column of the registry. */
  read<Row extends object>(rows: Row[]): Row[] {
    return this.#storable ? (readBack(rows) as Row[]) : rows;
  }
}

function reference(character: string): string {
  return `&#x${(character.codePointAt(0) ?? 0).toString(16)};`;
}

function readBack(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replace(/&#x([0-9a-f]{2,6});/g, (text, digits: string) => {
      const code = Number.parseInt(digits, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : text;
    });
  }
  if (Array.isArray(value)) return value.map(readBack);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, key === 'comment' ? inner : readBack(inner)] as const,
  );
  return Object.fromEntries(entries);
}

/** NUL, and halves of surrogate pairs, which `JSON.stringify` writes as escapes. */
function withoutGaps(text: string): string {
  const isJson = text.startsWith('{') || text.startsWith('[');
  if (isJson && text.includes('\\u'))
    return text.replace(/\\(?:u(?:0000|d[89a-f][0-9a-f]{2})|.)/g, (escape) =>
      escape.length === 6 ? '\ufffd' : escape,
    );
  return text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}

/** One character above ASCII that the encoding has; null if it has all; none for unknown encodings. */
function storableIn(encoding: string): RegExp | null {
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII') return null;
  if (encoding === 'LATIN1') return /[\x80-\xff]/u;
  const label = labels[encoding];
  const characters =
    label === undefined ? '' : new TextDecoder(label).decode(upperHalf).replace(/[\p{Cc}\ufffd]/gu, '');
  return characters === '' ? /(?!)/u : new RegExp(`[${characters}]`, 'u');
}

const upperHalf = Uint8Array.from({ length: 0x60 }, (_, index) => 0xa0 + index);

/** PostgreSQL's names for encodings of one byte, and the Web's: https://encoding.spec.whatwg.org/#names-and-labels */
const labels: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN9: 'iso-8859-15',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_7: 'iso-8859-7',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1257: 'windows-1257',
  KOI8R: 'koi8-r',
};
