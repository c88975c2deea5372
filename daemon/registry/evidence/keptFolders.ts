import { folderKey, type FileIdentity, type FolderGit, type KeptFolder, type RegistryRow } from '../model.ts';

/** This machine, as claims name it. */
export interface Host {
  /** Random, kept in the state folder. */
  id: string;
  /** The machine's name at present. */
  name: string;
}

/** A folder as it is now. `git` is null outside a repository, and undefined where it was not read. */
export interface FolderNow {
  path: string;
  identity: FileIdentity | null;
  dotGit: FileIdentity | null;
  configStamp: string | null;
  git: FolderGit | null | undefined;
}

/** If the file system keeps no time of birth, the next file may get the inode of a removed one. */
export function isSameFile(one: FileIdentity | null, other: FileIdentity | null): boolean {
  return (
    one !== null &&
    other !== null &&
    one.device === other.device &&
    one.inode === other.inode &&
    one.birth === other.birth &&
    one.birth !== '0'
  );
}

/** Whether a folder was kept on this machine: by this state folder, or by another one on a machine of this name. */
export function isOnHost(kept: KeptFolder, host: Host): boolean {
  return kept.hostId === host.id || kept.host === host.name;
}

/**
 * Whether a kept folder is the one at this path: kept by this state folder, or, by whatever state folder of this
 * machine, with the same device, inode and birth.
 */
export function isKeptOf(kept: KeptFolder, now: FolderNow, host: Host): boolean {
  if (kept.path !== now.path) return false;
  // Version 0.1 kept no host id, so the machine's present name has to do.
  if (kept.hostId === host.id || (kept.hostId === '' && kept.host === host.name)) return true;
  return kept.host === host.name && isSameFile(kept.identity, now.identity);
}

/**
 * Whether the folder at the path is still the one that claimed: its `.git` is the same directory, or its origin is one
 * of the recorded ones. If none is recorded, an origin that came later counts only while the folder itself is the same,
 * because another repository may have taken over the path.
 */
export function stillFits(kept: KeptFolder, now: FolderNow): boolean {
  if (isSameFile(kept.dotGit, now.dotGit)) return true;
  const origins = now.git?.origins ?? [];
  if (kept.origins.length > 0) return kept.origins.some((origin) => origins.includes(origin));
  // Version 0.1 noted neither folder nor `.git`.
  return origins.length === 0 || kept.hostId === '' || isSameFile(kept.identity, now.identity);
}

/** The folders that a row records, on whatever machine; those of a row of version 0.1 as far as they are evidence. */
export function recordedFolders({ registrar }: RegistryRow): KeptFolder[] {
  const { evidence } = registrar;
  if (evidence) return [...(evidence.folder ? [evidence.folder] : []), ...evidence.claims];
  const own = registrar.folder;
  return own ? [{ ...legacy(own.host, own.path), origins: registrar.git?.origins ?? [] }] : [];
}

/**
 * A claim of version 0.1, which counts for the row's own folder (see `recordedFolders`), and for another one where the
 * row's one origin is that folder's.
 */
export function legacyClaim({ registrar }: RegistryRow, now: FolderNow, host: Host): KeptFolder | null {
  const { evidence, claims, git } = registrar;
  const [origin, ...others] = git?.origins ?? [];
  if (evidence || origin === undefined || others.length > 0) return null;
  if (!claims?.[folderKey({ host: host.name, path: now.path })]) return null;
  return { ...legacy(host.name, now.path), origins: [origin] };
}

function legacy(host: string, path: string): Omit<KeptFolder, 'origins'> {
  return { hostId: '', host, path, identity: null, dotGit: null };
}
