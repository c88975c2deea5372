import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileIdentity } from '../registry/model.ts';

/**
 * What tells a file or folder from another one that stands at the same path later: it survives a rename on its file
 * system, and no copy has it. Symbolic links are followed.
 *
 * @returns null when there is nothing, or it cannot be looked at
 */
export async function fileIdentity(path: string): Promise<FileIdentity | null> {
  try {
    return identityIn(await stat(path, { bigint: true }));
  } catch {
    return null;
  }
}

/** The same of what was looked at already. */
export function identityIn({ dev, ino, birthtimeNs }: BigIntStats): FileIdentity {
  return { device: dev.toString(), inode: ino.toString(), birth: birthtimeNs.toString() };
}
