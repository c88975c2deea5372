import assert from 'node:assert/strict';
import type { RegistryRow, Sighting } from '../../daemon/registry/model.ts';
import type { Marker } from '../../daemon/registry/model.ts';
import { writeMarker } from '../../daemon/registry/marker.ts';
import type { Member } from './ground.ts';

/** The one row with this id, as a look finds it; null for none. */
export async function rowOf({ registry }: Member, id: string): Promise<Sighting | null> {
  const looked = await registry.look({ id, name: null }, true);
  assert.ok(looked.kind === 'seen');
  const [sighting = null, ...others] = looked.sightings;
  assert.deepEqual(others, []);
  return sighting;
}

/** A row that is in the registry, as it was read. */
export async function reserved(member: Member, row: RegistryRow): Promise<RegistryRow> {
  assert.deepEqual(await member.registry.reserve(row), { kind: 'reserved' });
  const sighting = await rowOf(member, row.id);
  assert.ok(sighting);
  return sighting.row;
}

/** A database's comment that says whose it is. */
export function markerFor(member: Member, row: RegistryRow, changes: Partial<Marker> = {}): string {
  const marker: Marker = {
    registry: member.catalog.registry,
    projectId: row.id,
    name: row.name,
    createdAt: row.createdAt,
    schemaVersion: null,
    forgottenAt: null,
    ...changes,
  };
  return writeMarker(marker, null);
}

/** What a row's database says now. */
export async function commentOf({ catalog }: Member, row: RegistryRow): Promise<string | null> {
  return (await catalog.lookDatabase(row.databaseName)).comment;
}
