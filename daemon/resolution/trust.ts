import { registrarCommand } from '../protocol/commandText.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';

/**
 * Checks whether somebody vouches for a file, before anything in it counts or is reported. Throws CONFIG_NOT_TRUSTED.
 */
export type Vouch = (file: {
  /** The folder that holds `.codebase-mcp`. */
  folder: string;
  uid: number;
}) => Promise<void>;

/** A workspace folder that some window has open, and whether VS Code trusts it. */
export interface WindowFolder {
  path: string;
  trusted: boolean;
}

export interface TrustQuestion {
  /** The directory that the caller works in. */
  directory: string;
  /** The folder that holds the config file. */
  folder: string;
  /** The config file's owner; -1 where files have none. */
  ownerUid: number;
  /** The daemon's user; null where there is none. */
  daemonUid: number | null;
  windows: readonly WindowFolder[];
  /** Folders that `registrar trust` listed. */
  trustedFolders: readonly string[];
  /** `/` or `\`. */
  separator: string;
}

/** Who vouches for config files, and who refuses them. */
export interface TrustPort {
  windows(): readonly WindowFolder[];
  /** Real paths. */
  trustedFolders(): Promise<readonly string[]>;
  daemonUid: number | null;
  separator: string;
  /** The real path, or the path itself where there is none. */
  realPath(path: string): Promise<string>;
}

/**
 * Vouches for config files as `requireTrust` does, for paths as clients give them: a window may have opened its folder
 * through a link that the agent in the same folder does not use.
 *
 * @param directory that the caller works in
 */
export function vouching(directory: string, trust: TrustPort): Vouch {
  return async ({ folder, uid }) => {
    const windows = await realWindows(trust);
    requireTrust({
      // Only windows are compared with it.
      directory: windows.length === 0 ? directory : await trust.realPath(directory),
      folder,
      ownerUid: uid,
      daemonUid: trust.daemonUid,
      windows,
      trustedFolders: await trust.trustedFolders(),
      separator: trust.separator,
    });
  };
}

/**
 * Called before anything is written into a folder: throws if a window has refused it.
 *
 * @param folder a real path
 * @throws RegistrarError CONFIG_NOT_TRUSTED
 */
export async function requireNoVeto(folder: string, trust: TrustPort): Promise<void> {
  refuseVetoed({ directory: folder, folder, windows: await realWindows(trust), separator: trust.separator });
}

async function realWindows(trust: TrustPort): Promise<WindowFolder[]> {
  return Promise.all(trust.windows().map(async ({ path, trusted }) => ({ path: await trust.realPath(path), trusted })));
}

/**
 * A config file can create databases and point agents at them, so Registrar acts on it only if somebody vouches for it.
 * A window that has the folder open as untrusted vetoes it for everyone: an agent must not do what its user refused.
 *
 * @param question all paths are real paths
 * @throws RegistrarError CONFIG_NOT_TRUSTED
 */
export function requireTrust(question: TrustQuestion): void {
  refuseVetoed(question);
  const { windows, folder, separator, ownerUid, daemonUid } = question;
  if (windows.some(({ path, trusted }) => trusted && isWithin(folder, path, separator))) return;
  if (question.trustedFolders.some((path) => isWithin(folder, path, separator))) return;
  if (daemonUid === null || daemonUid === 0 || ownerUid === daemonUid) return;
  throw new RegistrarError({
    code: 'CONFIG_NOT_TRUSTED',
    message: `The config file in ${named(folder)} belongs to another user (uid ${ownerUid}). Nothing was created.`,
    hint: `If you trust its content: ${registrarCommand('trust', [folder])}`,
    details: { folder, ownerUid },
  });
}

function refuseVetoed(question: Pick<TrustQuestion, 'directory' | 'folder' | 'windows' | 'separator'>): void {
  const { directory, folder, windows, separator } = question;
  const vetoed = windows.find(
    ({ path, trusted }) => !trusted && (isWithin(folder, path, separator) || isWithin(directory, path, separator)),
  );
  if (!vetoed) return;
  throw new RegistrarError({
    code: 'CONFIG_NOT_TRUSTED',
    message: 'VS Code has this folder in Restricted Mode. Nothing was created.',
    hint: 'trust the folder in VS Code',
    details: { folder: vetoed.path },
  });
}

function isWithin(path: string, root: string, separator: string): boolean {
  return path === root || path.startsWith(root.endsWith(separator) ? root : root + separator);
}
