/** What an index says about one path; `unknown` if the file is not understood, so that nothing is concluded from it. */
export type InIndex = 'tracked' | 'untracked' | 'unknown';

/** The mode of an entry that stands for a whole folder, in a sparse index. */
const folderMode = 0o040000;
/** The fixed fields before an entry's object name: times, device, inode, mode, user, group, size. */
const statBytes = 40;
const modeOffset = 24;
const longFlags = 0x4000;

/**
 * Looks for a path in git's index, versions 2 to 4 (gitformat-index). An index that is split in two files, one with an
 * extension that is required and not known, and one that does not end where it should, are not understood.
 *
 * @param index the file's bytes
 * @param path relative to the working tree's root, with `/`
 * @param repository `hashBytes`: 20 for SHA-1, 32 for SHA-256; `ignoreCase`: as `core.ignoreCase`
 */
export function findInIndex(
  index: Buffer,
  path: string,
  repository: { hashBytes: number; ignoreCase: boolean },
): InIndex {
  try {
    return search(index, path, repository);
  } catch (error) {
    // A read past the end: the file is cut off, or no index.
    if (error instanceof RangeError) return 'unknown';
    throw error;
  }
}

function search(
  index: Buffer,
  path: string,
  { hashBytes, ignoreCase }: { hashBytes: number; ignoreCase: boolean },
): InIndex {
  const version = index.readUInt32BE(4);
  if (index.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4) return 'unknown';
  const count = index.readUInt32BE(8);
  const isSame = comparison(path, ignoreCase);
  let found: InIndex = 'untracked';
  let name: Buffer = Buffer.alloc(0);
  let at = 12;
  for (let entry = 0; entry < count; entry += 1) {
    const mode = index.readUInt32BE(at + modeOffset);
    const flags = index.readUInt16BE(at + statBytes + hashBytes);
    const nameAt = at + statBytes + hashBytes + (version > 2 && (flags & longFlags) !== 0 ? 4 : 2);
    const next = version === 4 ? sharedName(index, nameAt, name) : ownName(index, nameAt, at);
    ({ name, end: at } = next);
    if (isSame(name)) found = 'tracked';
    // What is below such a folder is tracked, and listed nowhere but in git's objects.
    else if (mode === folderMode && found === 'untracked' && isSame.below(name)) found = 'unknown';
  }
  return extensionsAreKnown(index, at, index.length - hashBytes) ? found : 'unknown';
}

/** A name that ends with NUL; the entry is filled up with more of them to a multiple of eight. */
function ownName(index: Buffer, nameAt: number, entryAt: number): { name: Buffer; end: number } {
  const nul = endOfName(index, nameAt);
  return { name: index.subarray(nameAt, nul), end: entryAt + (Math.floor((nul - entryAt) / 8) + 1) * 8 };
}

/** Version 4: how much to take off the name before it, as git's variable-width number, and what to put there. */
function sharedName(index: Buffer, nameAt: number, before: Buffer): { name: Buffer; end: number } {
  let at = nameAt;
  let byte = index.readUInt8(at);
  let cut = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    at += 1;
    byte = index.readUInt8(at);
    cut = (cut + 1) * 128 + (byte & 0x7f);
  }
  const nul = endOfName(index, at + 1);
  if (cut > before.length) throw new RangeError('more is taken off a name than it has');
  return { name: Buffer.concat([before.subarray(0, before.length - cut), index.subarray(at + 1, nul)]), end: nul + 1 };
}

function endOfName(index: Buffer, from: number): number {
  const nul = index.indexOf(0, from);
  if (nul < 0) throw new RangeError('a name does not end');
  return nul;
}

/** An extension whose name begins with a capital letter may be skipped by whoever does not know it; `sdir` changes nothing here. */
function extensionsAreKnown(index: Buffer, from: number, end: number): boolean {
  let at = from;
  while (at < end) {
    const name = index.toString('latin1', at, at + 4);
    if (!/^[A-Z]/.test(name) && name !== 'sdir') return false;
    at += 8 + index.readUInt32BE(at + 4);
  }
  return at === end;
}

interface Comparison {
  (name: Buffer): boolean;
  /** Whether the path lies below a folder, which ends with a slash. */
  below(folder: Buffer): boolean;
}

/**
 * If case does not count, Unicode forms do not count either: file systems that ignore one ignore the other, or git's
 * macOS rules do.
 */
function comparison(path: string, ignoreCase: boolean): Comparison {
  if (!ignoreCase) {
    const wanted = Buffer.from(path);
    const isSame = (name: Buffer): boolean => name.equals(wanted);
    return Object.assign(isSame, {
      below: (folder: Buffer) => wanted.length > folder.length && wanted.subarray(0, folder.length).equals(folder),
    });
  }
  const plain = (name: string): string => name.normalize('NFC').toLowerCase();
  const wanted = plain(path);
  const isSame = (name: Buffer): boolean => plain(name.toString()) === wanted;
  return Object.assign(isSame, { below: (folder: Buffer) => wanted.startsWith(plain(folder.toString())) });
}
