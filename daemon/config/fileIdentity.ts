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
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
    return { device: dev.toString(), inode: ino.toString(), birth: birthtimeNs.toString() };
  } catch {
    return null;
  }
}
