import type { ListedProject, ServerLabel } from '../../protocol/model.ts';
import type { SyncStatus } from '../../protocol/answers.ts';
import type { RegistrarApi } from '../../protocol/methods.ts';
import { notices } from './fence.ts';
import { decodedText } from '../../protocol/decodedText.ts';

interface Noticed {
  notice: string;
}

/** `registrar://status` */
export async function readStatus(api: RegistrarApi): Promise<Noticed & { server: ServerLabel; sync: SyncStatus }> {
  return { notice: notices.registry, server: api.server(), sync: await api.syncStatus() };
}

/**
 * `registrar://projects/{id}`
 *
 * @param id as it stands in the address: percent-encoded
 * @throws RegistrarError PROJECT_NOT_FOUND
 */
export async function readProject(id: string, api: RegistrarApi): Promise<Noticed & ListedProject> {
  // What is not encoded is nobody's id, and is said not to be found as it was given.
  return { notice: notices.registry, ...(await api.showProject({ project: decodedText(id) })) };
}
