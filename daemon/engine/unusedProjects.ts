import type { UnusedProjects } from '../protocol/answers.ts';
import { projectOf, type Sighting } from '../registry/model.ts';
import type { RegistryPort } from '../registry/ports.ts';

export interface UnusedPorts {
  registry: RegistryPort;
  /** Sizes in bytes by the database's name. */
  sizes(databaseNames: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/**
 * Registered projects that nobody has used since a time, the longest unused first. A row that never had a use noted, as
 * codebase-mcp writes them, counts as used when it was last changed.
 *
 * @param before ISO 8601 in UTC
 */
export async function unusedProjects(
  query: string | null,
  before: string,
  ports: UnusedPorts,
): Promise<UnusedProjects> {
  const unused: Sighting[] = [];
  for (let after: string | null | undefined = null; after !== undefined;) {
    const page: Sighting[] = await ports.registry.list({ query, after, limit: 1000 });
    unused.push(...page.filter((sighting) => lastUse(sighting) < before));
    after = page.at(-1)?.row.name;
  }
  unused.sort((one, other) => lastUse(one).localeCompare(lastUse(other)));
  let sizes: ReadonlyMap<string, number> = new Map();
  let sizesMissing: string | null = null;
  try {
    sizes = await ports.sizes(unused.map(({ row }) => row.databaseName));
  } catch (error) {
    // People who clean up can decide without them.
    sizesMissing = error instanceof Error ? error.message : String(error);
  }
  const projects = unused.map(({ row, sync }) => ({
    ...projectOf(row),
    sync,
    creator: row.registrar.creator ?? null,
    lastUsedAt: row.registrar.lastUsedAt ?? null,
    sizeBytes: sizes.get(row.databaseName) ?? null,
  }));
  return { projects, sizesMissing };
}

function lastUse({ row }: Sighting): string {
  return row.registrar.lastUsedAt ?? row.updatedAt;
}
