import type { ListedProject, ServerLabel } from '../protocol/model.ts';
import type { RegistrarApi, SyncStatus } from '../protocol/methods.ts';

/** `registrar://status` */
export async function readStatus(api: RegistrarApi): Promise<{ server: ServerLabel; sync: SyncStatus }> {
  return { server: api.server(), sync: await api.syncStatus() };
}

/** `registrar://projects/{id}`. Throws RegistrarError PROJECT_NOT_FOUND. */
export function readProject(id: string, api: RegistrarApi): Promise<ListedProject> {
  return api.showProject({ project: decodeURIComponent(id) });
}
