import { parseEnv } from 'node:util';

type Values = ReadonlyMap<string, string>;

/**
 * The first key of a `.env` file that programs would not read as it was meant: one of `expected` that has another
 * value, or any other that has not the value from before. An unclosed quotation mark causes that, and so does anything
 * that only some readers treat as a line ending.
 *
 * @param before the text that was there, and `after` the one that is to be written
 * @param expected the new values by key; keys whose value nobody can foretell are given null
 * @returns null when all read it alike
 */
export function misreadKey(before: string, after: string, expected: ReadonlyMap<string, string | null>): string | null {
  for (const read of [readByNode, readByDotenv]) {
    const [old, now] = [read(before), read(after)];
    for (const [key, value] of expected) {
      if (value === null ? !now.has(key) : now.get(key) !== withoutBlankLines(value)) return key;
    }
    for (const key of new Set([...old.keys(), ...now.keys()])) {
      if (!expected.has(key) && old.get(key) !== now.get(key)) return key;
    }
  }
  return null;
}

function readByNode(text: string): Values {
  return new Map(
    Object.entries(parseEnv(withoutBlankLines(text))).map(([key, value]) => [key, withoutBlankLines(value ?? '')]),
  );
}

/** The rule of https://github.com/motdotla/dotenv (lib/main.js), which most readers in JavaScript share. */
function readByDotenv(text: string): Values {
  const line =
    /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm;
  const values = new Map<string, string>();
  for (const [, key = '', value = ''] of withoutBlankLines(text.replaceAll(/\r\n?/g, '\n')).matchAll(line)) {
    values.set(key, withoutBlankLines(value.trim().replace(/^(['"`])([^]*)\1$/, '$2')));
  }
  return values;
}

/** Both readers ignore blank lines; on thousands of them, dotenv's regular expression would take minutes. */
function withoutBlankLines(text: string): string {
  return text.replaceAll(/[\n\u2028\u2029]\s*[\n\u2028\u2029]/g, '\n');
}
