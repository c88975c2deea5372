import type { RegistrarApi, ListParams } from '../protocol/methods.ts';
import type { ListedProject } from '../protocol/model.ts';
import { rowLimit } from '../protocol/rowLimit.ts';
import { projectOf, type Sighting } from '../registry/model.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import type { Outbox } from '../sync/outbox.ts';

/** A page of the projects by name. Throws INVALID_ARGUMENT for a limit that is none. */
export async function listProjects(
  params: ListParams,
  ports: RegistryPorts,
  outbox: Outbox,
): ReturnType<RegistrarApi['listProjects']> {
  const limit = rowLimit(params.limit);
  const query = params.query ?? null;
  const cursor = params.cursor ?? null;
  const rows = await ports.registry.list({ query, after: cursor, limit: limit + 1 });
  const page = rows.slice(0, limit);
  // Projects that wait for the registry come first, on the first page.
  const waiting = cursor !== null ? [] : outbox.entries().filter(({ row }) => includes(row.name, query));
  const projects = [
    ...waiting.map(({ row }) => listed(outbox.sightingOf(row, { presence: 'present', comment: null }))),
    ...page.filter(({ row }) => !waiting.some((entry) => entry.row.id === row.id)).map(listed),
  ];
  return { projects, nextCursor: rows.length > limit ? (page.at(-1)?.row.name ?? null) : null };
}

function includes(name: string, query: string | null): boolean {
  return query === null || name.toLowerCase().includes(query.toLowerCase());
}

export function listed({ row, sync }: Sighting): ListedProject {
  return { ...projectOf(row), sync };
}
