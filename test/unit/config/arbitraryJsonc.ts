import fc from 'fast-check';

/** A JSON object as text, written as wildly as JSON with comments allows, beside what it means. */
export interface WildConfig {
  text: string;
  value: { version: string; project: Record<string, unknown> } & Record<string, unknown>;
  /** Every comment, in order. */
  comments: string[];
}

export type Formatting = 'wild' | 'tidy' | 'oneLine';

const commentWords = fc.constantFrom('', ' c', ' "id": "x",', ' }', ' {', ' , ', ' \\', ' * /', ' // ', ' é😀', '"');

type Trivia =
  { kind: 'space'; text: string } | { kind: 'line' | 'block' | 'longBlock'; text: string } | { kind: 'break' };

const trivia: fc.Arbitrary<Trivia> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', ' ', '  ', '\t').map((text) => ({ kind: 'space' as const, text })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'break' as const }) },
  { weight: 1, arbitrary: commentWords.map((text) => ({ kind: 'line' as const, text })) },
  { weight: 1, arbitrary: commentWords.map((text) => ({ kind: 'block' as const, text })) },
  { weight: 1, arbitrary: commentWords.map((text) => ({ kind: 'longBlock' as const, text })) },
);

const strings = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('//', '/* x */', '"', '\\', ',', '}', '"id"', '\u2028'),
);

const others = fc.dictionary(
  strings.filter((key) => !['version', 'project', 'name', 'id', 'database_name', '__proto__'].includes(key)),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 3 },
);

/** Any config file with a valid project name; other keys of any kind before, between and after. */
export function wildConfig(projectExtras: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<WildConfig> {
  return fc
    .record({
      before: others,
      beforeName: others,
      extras: projectExtras,
      afterName: others,
      after: others,
      name: fc.constantFrom('shop', 'My Shop', 'a-b_c'),
      trailingComma: fc.boolean(),
      byteOrderMark: fc.boolean(),
      lineBreak: fc.constantFrom('\n', '\r\n', '\r'),
      indent: fc.constantFrom('  ', '    ', '\t', ' '),
      formatting: fc.constantFrom<Formatting>('wild', 'tidy', 'oneLine'),
      trivia: fc.array(trivia, { minLength: 1, maxLength: 60 }),
    })
    .map(({ before, beforeName, extras, afterName, after, name, ...style }) => {
      const project = { ...beforeName, name, ...extras, ...afterName };
      const value = { ...before, version: '1.0', project, ...after };
      const writer = new WildWriter(style);
      const body = writer.document(value);
      return { text: (style.byteOrderMark ? '\uFEFF' : '') + body, value, comments: writer.comments };
    });
}

interface Style {
  trailingComma: boolean;
  lineBreak: string;
  indent: string;
  formatting: Formatting;
  trivia: Trivia[];
}

class WildWriter {
  readonly comments: string[] = [];
  readonly #style: Style;
  #used = 0;

  constructor(style: Style) {
    this.#style = style;
  }

  document(value: unknown): string {
    return `${this.#wild()}${this.#value(value, 0)}${this.#wild()}`;
  }

  #value(value: unknown, depth: number): string {
    if (Array.isArray(value)) {
      return this.#list(
        '[',
        value.map((item) => () => this.#value(item, depth + 1)),
        ']',
        depth,
      );
    }
    if (Object.is(value, -0)) return '-0';
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const members = Object.entries(value).map(([key, item]) => () => {
      // A comment inside `"id": …` goes with the key when that is removed, so there is none to account for.
      const colon = this.#style.formatting === 'wild' && key !== 'id' ? `${this.#wild()}:${this.#wild()}` : ': ';
      return JSON.stringify(key) + colon + this.#value(item, depth + 1);
    });
    return this.#list('{', members, '}', depth);
  }

  #list(open: string, items: (() => string)[], close: string, depth: number): string {
    const parts = items.map((item, index) => {
      const last = index === items.length - 1;
      const text = this.#gap(depth + 1, index === 0) + item();
      const comma = !last || this.#style.trailingComma ? `${this.#wild()},` : '';
      return text + comma + this.#lineComment();
    });
    return open + parts.join('') + (items.length === 0 ? this.#wild() : this.#gap(depth, true)) + close;
  }

  /** The space before a member, or before the closing bracket. */
  #gap(depth: number, atBracket: boolean): string {
    const { formatting, lineBreak, indent } = this.#style;
    if (formatting === 'wild') return this.#wild();
    return formatting === 'tidy' ? lineBreak + indent.repeat(depth) : atBracket ? '' : ' ';
  }

  /** A comment behind a member, as people write them. */
  #lineComment(): string {
    if (this.#style.formatting !== 'tidy') return '';
    const next = this.#next();
    return next.kind === 'line' ? ` ${this.#comment(`//${next.text}`)}` : '';
  }

  #wild(): string {
    if (this.#style.formatting !== 'wild') return '';
    const next = this.#next();
    const { lineBreak, indent } = this.#style;
    switch (next.kind) {
      case 'space':
        return next.text;
      case 'break':
        return lineBreak + indent;
      case 'line':
        return this.#comment(`//${next.text}`) + lineBreak;
      case 'block':
        return this.#comment(`/*${next.text}*/`);
      case 'longBlock':
        return this.#comment(`/*${next.text}${lineBreak}${indent}*/`);
    }
  }

  #comment(text: string): string {
    this.comments.push(text);
    return text;
  }

  #next(): Trivia {
    const { trivia: all } = this.#style;
    const next = all[this.#used % all.length];
    this.#used += 1;
    return next ?? { kind: 'break' };
  }
}
