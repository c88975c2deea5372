import type { ListedProject, ServerLabel } from '../protocol/model.ts';
import type { RegistrarApi, SyncStatus } from '../protocol/methods.ts';

/** `registrar://status` */
export async function readStatus(api: RegistrarApi): Promise<{ server: ServerLabel; sync: SyncStatus }> {
  return { server: api.server(), sync: await api.syncStatus() };
}

/**
 * `registrar://projects/{id}`
 *
 * @param id as it stands in the address: percent-encoded
 * @throws RegistrarError PROJECT_NOT_FOUND
 */
export function readProject(id: string, api: RegistrarApi): Promise<ListedProject> {
  return api.showProject({ project: decoded(id) });
}

/** What is not encoded is nobody's id, and is said not to be found as it was given. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
