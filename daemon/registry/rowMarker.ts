import { markedEvidence } from './evidence/evidence.ts';
import type { Marker, RegistryRow } from './model.ts';
import type { RegistryPorts } from './ports.ts';

/**
 * What the marker of a row's database says.
 *
 * @param schemaVersion of the schema that was applied to it; null for none
 * @param forgottenAt ISO 8601, where the project is being unregistered
 */
export function rowMarker(
  row: RegistryRow,
  schemaVersion: string | null,
  { catalog, origin }: Pick<RegistryPorts, 'catalog' | 'origin'>,
  forgottenAt: string | null = null,
): Marker {
  return {
    registry: catalog.registry,
    projectId: row.id,
    name: row.name,
    createdAt: row.createdAt,
    schemaVersion,
    forgottenAt,
    ...markedEvidence(row, origin),
  };
}
