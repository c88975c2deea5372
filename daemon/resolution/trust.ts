import { RegistrarError } from '../protocol/registrarError.ts';

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

/**
 * A config file can make databases and point agents at them, so it is acted on only when somebody vouches for it. A window
 * that has the folder open as untrusted vetoes it for everyone: an agent must not do what its user refused.
 *
 * @throws RegistrarError CONFIG_NOT_TRUSTED
 */
export function requireTrust(question: TrustQuestion): void {
  const { windows, folder, directory, separator } = question;
  const isWithin = (path: string, root: string): boolean =>
    path === root || path.startsWith(root.endsWith(separator) ? root : root + separator);
  const vetoed = windows.find(({ path, trusted }) => !trusted && (isWithin(folder, path) || isWithin(directory, path)));
  if (vetoed) {
    throw new RegistrarError({
      code: 'CONFIG_NOT_TRUSTED',
      message: 'VS Code has this folder in Restricted Mode. Nothing was created.',
      hint: 'trust the folder in VS Code',
      details: { folder: vetoed.path },
    });
  }
  if (windows.some(({ path, trusted }) => trusted && isWithin(folder, path))) return;
  if (question.trustedFolders.some((path) => isWithin(folder, path))) return;
  const { ownerUid, daemonUid } = question;
  if (daemonUid === null || daemonUid === 0 || ownerUid === daemonUid) return;
  throw new RegistrarError({
    code: 'CONFIG_NOT_TRUSTED',
    message: `The config file in ${folder} belongs to another user (uid ${ownerUid}). Nothing was created.`,
    hint: `If you trust what is in it: registrar trust ${folder}`,
    details: { folder, ownerUid },
  });
}
