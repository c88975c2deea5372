import type { RegistryEvents } from '../postgres/registry/registryEvents.ts';
import type { ListedEvents } from '../protocol/answers.ts';
import type { RegistrarApi } from '../protocol/methods.ts';
import { parseId } from '../registry/ids.ts';

/** What one answer holds at most. */
const most = 1000;

/** Who did what, of all projects or of one by its id or by any name that it had. */
export async function listEvents(
  { project, sinceMs }: Parameters<RegistrarApi['listEvents']>[0],
  events: Pick<RegistryEvents, 'list' | 'trouble'>,
): Promise<ListedEvents> {
  const id = typeof project === 'string' ? parseId(project) : null;
  const keys = typeof project === 'string' ? { id, name: id === null ? project : null } : null;
  const found = await events.list({ project: keys, sinceMs, limit: most + 1 });
  const trouble = await events.trouble();
  return { events: found.slice(0, most), truncated: found.length > most, missing: trouble?.reason ?? null };
}
