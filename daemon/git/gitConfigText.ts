/** One variable of a git config file. */
export interface GitConfigEntry {
  /** In lower case, as git compares it. */
  section: string;
  subsection: string | null;
  /** In lower case. */
  key: string;
  /** Null for a variable without `=`, which is true as a boolean. */
  value: string | null;
}

// Bounded, because a stranger's file must not exhaust the regular expressions' stack.
const headerShape = /\[([a-z0-9.-]{1,200})(?:[ \t]{1,200}"((?:[^"\\\n]|\\[^\n]){0,4000})")?\]/iy;
const keyShape = /([a-z][a-z0-9-]{0,200})[ \t]*(=?)/iy;
const blankShape = /[ \t\n\v\f\r]+|[#;][^\n]*/y;
const escapes: Record<string, string> = { t: '\t', b: '\b', n: '\n', '"': '"', '\\': '\\' };

/**
 * Reads the text of a git config file (git-config, "Syntax"). Includes are not followed.
 *
 * @returns the variables in their order; null where git would refuse the file
 */
export function parseGitConfig(text: string): GitConfigEntry[] | null {
  const source = `${text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')}\n`;
  const entries: GitConfigEntry[] = [];
  // Git takes variables before the first section, too; none of them means anything.
  let place: { section: string; subsection: string | null } = { section: '', subsection: null };
  let at = 0;
  const take = (shape: RegExp): RegExpExecArray | null => {
    shape.lastIndex = at;
    const match = shape.exec(source);
    if (match) at = shape.lastIndex;
    return match;
  };
  while (at < source.length) {
    if (take(blankShape)) continue;
    const header = take(headerShape);
    if (header) {
      place = placeOf(header[1] ?? '', header[2]);
      continue;
    }
    const variable = take(keyShape);
    if (!variable) return null;
    const key = (variable[1] ?? '').toLowerCase();
    if (variable[2] === '') {
      // Git takes a key without a value only at the end of its line.
      if (source[at] !== '\n') return null;
      entries.push({ ...place, key, value: null });
      continue;
    }
    const value = valueAt(source, at);
    if (!value) return null;
    entries.push({ ...place, key, value: value.text });
    at = value.end;
  }
  return entries;
}

/** The old form `[remote.origin]` has its subsection in the name, in lower case. */
function placeOf(name: string, quoted: string | undefined): { section: string; subsection: string | null } {
  const section = name.toLowerCase();
  if (quoted !== undefined) return { section, subsection: quoted.replace(/\\([^])/g, '$1') };
  const dot = section.indexOf('.');
  return dot < 0
    ? { section, subsection: null }
    : { section: section.slice(0, dot), subsection: section.slice(dot + 1) };
}

/** The value that begins at a position, up to the end of its line; null where a quote or an escape is wrong. */
function valueAt(source: string, start: number): { text: string; end: number } | null {
  const parts: string[] = [];
  // Blanks count only between other characters or in quotes.
  let kept = 0;
  let quoted = false;
  let at = start;
  for (; source[at] !== '\n'; at += 1) {
    const character = source[at] ?? '';
    if (character === '"') {
      quoted = !quoted;
      kept = parts.length;
    } else if (character === '\\') {
      at += 1;
      if (source[at] === '\n') continue;
      const escaped = escapes[source[at] ?? ''];
      if (escaped === undefined) return null;
      kept = parts.push(escaped);
    } else if (!quoted && (character === '#' || character === ';')) {
      at = source.indexOf('\n', at);
      break;
    } else if (!quoted && /\s/.test(character)) {
      if (parts.length > 0) parts.push(character);
    } else {
      kept = parts.push(character);
    }
  }
  return quoted ? null : { text: parts.slice(0, kept).join(''), end: at };
}

/**
 * The address of the one remote that says where a repository comes from: that of `origin`, else of the only remote.
 * Unrelated repositories share others, such as `upstream` or a template.
 *
 * @returns the address as in the file; null if there is none, or several without an `origin`
 */
export function originUrl(entries: readonly GitConfigEntry[]): string | null {
  const urls = new Map<string, string>();
  for (const { section, subsection, key, value } of entries) {
    if (section !== 'remote' || subsection === null || key !== 'url') continue;
    // An empty value discards those before it; of several, git fetches from the first.
    if (value === null || value === '') urls.delete(subsection);
    else if (!urls.has(subsection)) urls.set(subsection, value);
  }
  const [only] = urls.size === 1 ? urls.values() : [];
  return urls.get('origin') ?? only ?? null;
}

/** The last value of a variable, which is the one that holds; null when it is not set. */
export function lastValue(
  entries: readonly GitConfigEntry[],
  section: string,
  key: string,
): { value: string | null } | null {
  return entries.findLast((one) => one.section === section && one.subsection === null && one.key === key) ?? null;
}

/** Whether a variable is set to what git takes for true. */
export function isSet(entries: readonly GitConfigEntry[], section: string, key: string): boolean {
  const found = lastValue(entries, section, key);
  return found !== null && (found.value === null || /^(?:true|yes|on|[+-]?0*[1-9]\d*)$/i.test(found.value));
}
