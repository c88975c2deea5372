const namePattern = /^[a-zA-Z0-9_ -]+$/;
const databaseNamePattern = /^cb_proj_[a-z0-9_]+_[a-f0-9]{8}$/;
const maxNameLength = 255;
const maxSlugLength = 30;
/** PostgreSQL cuts longer identifiers silently, so two long names could mean one database. */
const maxDatabaseNameBytes = 63;

export type NameCheck = { ok: true } | { ok: false; reason: string; proposal: string };
export type DatabaseNameCheck = { ok: true } | { ok: false; reason: string };

/**
 * Says whether a text may be a project's name: 1 to 255 ASCII letters, digits, spaces, `-` and `_`, no space at either
 * end, and not `default`, which is the name of the shared default project.
 *
 * @returns ok, or why not, as the end of a sentence that begins with the name, and a name close to it that is valid.
 */
export function checkName(name: string): NameCheck {
  const reason = reasonAgainst(name);
  return reason === null ? { ok: true } : { ok: false, reason, proposal: proposeName(name) };
}

function reasonAgainst(name: string): string | null {
  if (name === '') return 'is empty';
  if (name.length > maxNameLength) return `has ${name.length} characters; at most ${maxNameLength} are allowed`;
  if (!namePattern.test(name)) return 'may contain only the letters a to z, digits, spaces, "-" and "_"';
  if (name.trim() === '') return 'contains only spaces';
  if (name.trim() !== name) return 'begins or ends with a space';
  if (name.toLowerCase() === 'default') return 'is reserved for the shared default project';
  return null;
}

/** A valid name as near as possible to a text, such as a folder's name: `Café Été` becomes `Cafe Ete`. */
export function proposeName(name: string): string {
  const readable = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-zA-Z0-9_ -]+/g, '-')
    .replace(/^[ -]+/, '')
    .slice(0, maxNameLength)
    .replace(/[ -]+$/, '');
  if (readable === '') return 'project';
  return readable.toLowerCase() === 'default' ? `${readable}-project` : readable;
}

/**
 * The readable part of a database name.
 *
 * @returns 1 to 30 characters of `a-z`, `0-9` and single `_`, with none at either end; `project` when nothing is left.
 */
export function slug(name: string): string {
  const short = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_/, '')
    .slice(0, maxSlugLength)
    .replace(/_$/, '');
  return short === '' ? 'project' : short;
}

/**
 * The database name that a project gets when its config does not choose one.
 *
 * @param id the project's id in canonical form
 * @param group which eight of the id's 32 hex digits end the name, 0 to 3: the next is tried when another project
 *   already holds the database of that name
 */
export function databaseNameFor(name: string, id: string, group = 0): string {
  const digits = id.replaceAll('-', '').slice(group * 8, group * 8 + 8);
  if (!/^[0-9a-f]{8}$/.test(digits)) throw new RangeError(`No digits of group ${group} in the id ${id}`);
  return `cb_proj_${slug(name)}_${digits}`;
}

/** Whether a text, as a whole, may be the name of a project's database; if not, why, as the end of a sentence. */
export function checkDatabaseName(name: string): DatabaseNameCheck {
  if (!databaseNamePattern.test(name)) {
    return { ok: false, reason: 'must be cb_proj_, then a-z, 0-9 or "_", then "_" and eight digits of 0-9 and a-f' };
  }
  // The pattern leaves only ASCII, so characters are bytes.
  if (name.length > maxDatabaseNameBytes) {
    return { ok: false, reason: `has ${name.length} bytes; PostgreSQL keeps only ${maxDatabaseNameBytes}` };
  }
  return { ok: true };
}
