import { RegistrarError } from '../protocol/registrarError.ts';
import type { RegistryRow, Sighting } from '../registry/model.ts';
import type { RegistryPorts } from '../registry/ports.ts';
import type { ProjectHere } from './engine.ts';

/** What the registry holds, then what waits for it. Without the server only the latter is known, and not its marks. */
export async function projectsHere({ lookingOnly, outbox }: RegistryPorts): Promise<ProjectHere[]> {
  const sightings: Sighting[] = [];
  let isReachable = true;
  try {
    for (let after: string | null | undefined = null; after !== undefined;) {
      const page: Sighting[] = await lookingOnly.registry.list({ query: null, after, limit: 1000 });
      sightings.push(...page);
      after = page.at(-1)?.row.name;
    }
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    isReachable = false;
  }
  const registered = sightings
    .filter(
      ({ row, database }) => database.presence === 'present' && outbox.find({ id: row.id, name: null }).length === 0,
    )
    .map(({ row, database }) => ({ ...placeOf(row), pending: false, comment: database.comment }));
  const waiting: ProjectHere[] = [];
  for (const row of outbox.rows()) {
    const database = isReachable ? await lookingOnly.catalog.lookDatabase(row.databaseName) : null;
    waiting.push({ ...placeOf(row), pending: true, comment: database?.comment ?? null });
  }
  return [...registered, ...waiting];
}

function placeOf({ name, databaseName }: RegistryRow): { name: string; databaseName: string } {
  return { name, databaseName };
}
