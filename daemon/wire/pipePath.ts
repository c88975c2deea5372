import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Node 20 cuts a longer one silently, Node 24 refuses it; systems differ between 104 and 108. */
const maxBytes = 100;

/** Where the clients and the daemon of one state folder connect. */
export interface PipePath {
  path: string;
  /** A private folder that has to be made for it; null when it is the state folder, or none is needed. */
  runtimeFolder: string | null;
}

/**
 * The same for everybody who uses the state folder, whatever their environment: two different paths would mean two
 * daemons. So a path that is too long moves below `/tmp`, and not to where `XDG_RUNTIME_DIR` or `TMPDIR` say.
 *
 * @param stateFolder a real path
 * @param user the numeric user id; null on Windows
 */
export function pipePath(stateFolder: string, platform: NodeJS.Platform, user: number | null): PipePath {
  const hash = createHash('sha256').update(stateFolder).digest('hex').slice(0, 32);
  if (platform === 'win32') return { path: String.raw`\\.\pipe\project-registrar-${hash}`, runtimeFolder: null };
  const path = join(stateFolder, 'daemon.sock');
  // While it is made it has a name of the same length plus a few.
  if (Buffer.byteLength(path) + temporarySuffixBytes <= maxBytes) return { path, runtimeFolder: null };
  const runtimeFolder = `/tmp/project-registrar-${user ?? 0}`;
  return { path: join(runtimeFolder, `${hash}.sock`), runtimeFolder };
}

/** What the claim of a path adds to it for a moment: a dot and eight hex digits. */
const temporarySuffixBytes = 9;
