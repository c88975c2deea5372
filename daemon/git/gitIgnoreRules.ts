/** What the rules of one file say of a path: the last rule that fits decides; null when none does. */
export type IgnoreRules = (path: string, isFolder: boolean) => 'ignored' | 'kept' | null;

interface Rule {
  keeps: boolean;
  foldersOnly: boolean;
  fits(segments: readonly string[]): boolean;
}

/**
 * Reads the rules of a `.gitignore` file (gitignore(5)).
 *
 * The rules are a stranger's, and so may be the paths: matching takes time in proportion to the lengths of both, which
 * regular expressions made from such rules do not guarantee. A rule with a named class of characters (`[[:alpha:]]`), a
 * backslash before a slash, or three stars never ignores anything and always keeps, so that nothing doubtful counts as
 * ignored.
 *
 * @param ignoreCase as `core.ignoreCase`
 * @returns to be asked for paths relative to the file's folder, with `/`
 */
export function parseIgnoreRules(text: string, ignoreCase: boolean): IgnoreRules {
  const rules = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((line) => ruleOf(line.replace(/\r$/, ''), ignoreCase) ?? []);
  return (path, isFolder) => {
    const segments = bytesOf(path, ignoreCase).split('/');
    const rule = rules.findLast((one) => (isFolder || !one.foldersOnly) && one.fits(segments));
    return rule === undefined ? null : rule.keeps ? 'kept' : 'ignored';
  };
}

function ruleOf(line: string, ignoreCase: boolean): Rule | null {
  if (line.startsWith('#')) return null;
  const keeps = line.startsWith('!');
  const shown = withoutTrailingSpaces(keeps ? line.slice(1) : line);
  const foldersOnly = shown.endsWith('/');
  const pattern = bytesOf(foldersOnly ? shown.slice(0, -1) : shown, ignoreCase);
  if (pattern === '') return null;
  if (/\[:|\\\/|\*{3}/.test(pattern)) return { keeps, foldersOnly, fits: () => keeps };
  if (!pattern.includes('/')) {
    const name = globOf(pattern);
    return { keeps, foldersOnly, fits: (segments) => name(segments.at(-1) ?? '') };
  }
  const globs = pattern
    .replace(/^\//, '')
    .split('/')
    .map((segment) => (segment === '**' ? null : globOf(segment)));
  return { keeps, foldersOnly, fits: (segments) => fitsPath(globs, segments) };
}

/** A space at the end counts only behind a backslash. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '\\' && at + 1 < line.length) at += 1;
    else if (line[at] === ' ') continue;
    end = at + 1;
  }
  return line.slice(0, end);
}

/** Git compares bytes. */
function bytesOf(text: string, ignoreCase: boolean): string {
  const bytes = Buffer.from(text).toString('latin1');
  return ignoreCase ? bytes.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : bytes;
}

type Glob = (name: string) => boolean;

/** @param globs null stands for `**`: any number of folders; at the end at least one name */
function fitsPath(globs: readonly (Glob | null)[], segments: readonly string[]): boolean {
  let reached = new Set([0]);
  for (const [index, glob] of globs.entries()) {
    const next = new Set<number>();
    for (const at of reached) {
      if (glob === null) {
        const least = index === globs.length - 1 ? at + 1 : at;
        for (let to = least; to <= segments.length; to += 1) next.add(to);
      } else if (at < segments.length && glob(segments[at] ?? '')) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(segments.length);
}

type Token = 'many' | ((character: string) => boolean);

/** One segment of a pattern, with `*`, `?`, `[a-z]`, `[!a]` and `\`; malformed, it fits nothing. */
function globOf(pattern: string): Glob {
  const tokens = tokensOf(pattern);
  if (tokens === null) return () => false;
  return (name) => {
    // All places in the pattern that the name's beginning can have led to.
    let reached = skipMany(tokens, new Set([0]));
    for (const character of name) {
      const next = new Set<number>();
      for (const at of reached) {
        const token = tokens[at];
        if (token === 'many') next.add(at);
        else if (token?.(character)) next.add(at + 1);
      }
      reached = skipMany(tokens, next);
    }
    return reached.has(tokens.length);
  };
}

function skipMany(tokens: readonly Token[], reached: Set<number>): Set<number> {
  // A set is walked through to what is added meanwhile.
  for (const at of reached) if (tokens[at] === 'many') reached.add(at + 1);
  return reached;
}

function tokensOf(pattern: string): Token[] | null {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    let literal = pattern[at] ?? '';
    if (literal === '*') {
      if (tokens.at(-1) !== 'many') tokens.push('many');
    } else if (literal === '?') {
      tokens.push(() => true);
    } else if (literal === '[') {
      const found = setAt(pattern, at);
      if (!found) return null;
      tokens.push(found.token);
      at = found.last;
    } else {
      if (literal === '\\') {
        at += 1;
        if (at === pattern.length) return null;
        literal = pattern[at] ?? '';
      }
      tokens.push((character) => character === literal);
    }
  }
  return tokens;
}

function setAt(pattern: string, start: number): { token: Token; last: number } | null {
  const ranges: [from: string, to: string][] = [];
  const isNegated = /[!^]/.test(pattern[start + 1] ?? '');
  const first = start + (isNegated ? 2 : 1);
  let at = first;
  const next = (): string => {
    if (pattern[at] === '\\') at += 1;
    at += 1;
    return pattern[at - 1] ?? '';
  };
  // A bracket that comes first is a member.
  while (at < pattern.length && (pattern[at] !== ']' || at === first)) {
    const from = next();
    let to = from;
    if (pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']') {
      at += 1;
      to = next();
    }
    ranges.push([from, to]);
  }
  if (at >= pattern.length) return null;
  const token = (character: string): boolean =>
    ranges.some(([from, to]) => from <= character && character <= to) !== isNegated;
  return { token, last: at };
}
