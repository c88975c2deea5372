import { folderKey, type Folder, type GitEvidence, type RegistrarMetadata } from './model.ts';

/**
 * How a folder that knows only a project's name stands to the project of that name:
 * `unclaimed` the row records no folder yet, and not because it was made again from its marker; `same-folder` it is this one; `gone-folder` it was on this machine and is no
 * longer there; `same-origin` both come from the same place in the same git repository; `unrelated` nothing connects them.
 */
export type Evidence = 'unclaimed' | 'same-folder' | 'gone-folder' | 'same-origin' | 'unrelated';

/**
 * Compares what a row records with the folder that asks.
 *
 * @param recorded what the row keeps of the folders that claimed it
 * @param folder the folder that asks
 * @param git where the asking folder's content comes from, null outside a repository
 * @param recordedFolderExists whether the recorded folder is still there; only asked when it is on the same machine
 */
export function compareEvidence(
  recorded: RegistrarMetadata,
  folder: Folder,
  git: GitEvidence | null,
  recordedFolderExists: boolean,
): Evidence {
  if (recorded.claims?.[folderKey(folder)]) return 'same-folder';
  if (!recorded.folder) return recorded.rebuilt ? 'unrelated' : 'unclaimed';
  if (sameFolder(recorded.folder, folder)) return 'same-folder';
  if (recorded.folder.host === folder.host && !recordedFolderExists) return 'gone-folder';
  if (recorded.git && git && sameOrigin(recorded.git, git, recorded.folder.host === folder.host)) return 'same-origin';
  return 'unrelated';
}

function sameFolder(one: Folder, other: Folder): boolean {
  return one.host === other.host && one.path === other.path;
}

function sameOrigin(one: GitEvidence, other: GitEvidence, onSameHost: boolean): boolean {
  if (one.pathInRepository !== other.pathInRepository) return false;
  return one.origins.some((origin) => other.origins.includes(origin) && (onSameHost || !isLocalPath(origin)));
}

/** A path on this machine is another repository on the next one; `file://server/share` is the same from everywhere. */
function isLocalPath(origin: string): boolean {
  return /^file:(?!\/\/)/.test(origin);
}
