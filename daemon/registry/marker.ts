import type { Marker, RegistryRow } from './model.ts';
import { parseId } from './ids.ts';

/** What a database's comment says about who owns it. */
export type MarkerReading = { kind: 'none' } | { kind: 'marker'; marker: Marker };

/**
 * Reads a database's comment. A comment that is not ours (a person's note, another tool's JSON) reads as `none`.
 */
export function readMarker(comment: string | null): MarkerReading {
  const fields = registrarFields(comment);
  if (!fields) return { kind: 'none' };
  const projectId = parseId(text(fields['project_id']) ?? '');
  const registry = text(fields['registry']);
  if (!projectId || registry === null) return { kind: 'none' };
  return {
    kind: 'marker',
    marker: {
      registry,
      projectId,
      name: text(fields['name']) ?? '',
      createdAt: text(fields['created_at']) ?? '',
      schemaVersion: text(fields['schema_version']),
      forgottenAt: text(fields['forgotten_at']),
      ...evidenceIn(fields['evidence']),
      ...(isHash(fields['folder']) ? { folder: fields['folder'] } : {}),
    },
  };
}

/** Who owns a database: the row, nobody, another project or registry, or the row, but forgotten. */
export type MarkerStanding = 'mine' | 'none' | 'other' | 'forgotten';

/**
 * How a database's comment relates to a row. A marker with a former id comes from a restored dump and counts as none.
 *
 * @param registry the registry's name as markers carry it
 */
export function standingOf(comment: string | null, row: RegistryRow, registry: string): MarkerStanding {
  const reading = readMarker(comment);
  if (reading.kind === 'none') return 'none';
  const { marker } = reading;
  if (marker.registry !== registry) return 'other';
  if (row.registrar.formerIds?.includes(marker.projectId)) return 'none';
  if (marker.projectId !== row.id) return 'other';
  return marker.forgottenAt === null ? 'mine' : 'forgotten';
}

/**
 * The comment that makes `marker` the database's identity. Marking keeps everything that the comment contained before,
 * because it belongs to the user: a person's note under `comment`, another tool's keys as they are, and what a newer
 * version keeps in the same project's marker.
 *
 * @param formerId the id that the project's marker has so far; the marker's own when absent
 */
export function writeMarker(marker: Marker, previous: string | null, formerId = marker.projectId): string {
  const kept = jsonObject(previous) ?? (previous ? { comment: previous } : {});
  return JSON.stringify({
    ...kept,
    registrar: {
      ...unknownFields(marker, previous, formerId),
      registry: marker.registry,
      project_id: marker.projectId,
      name: marker.name,
      created_at: marker.createdAt,
      schema_version: marker.schemaVersion,
      ...(marker.forgottenAt === null ? {} : { forgotten_at: marker.forgottenAt }),
      ...(marker.evidence === undefined || marker.evidence.length === 0 ? {} : { evidence: marker.evidence }),
      ...(marker.folder === undefined ? {} : { folder: marker.folder }),
    },
  });
}

/** Hashes as this version writes them; anything else is ignored. */
function evidenceIn(value: unknown): Pick<Marker, 'evidence'> {
  if (!Array.isArray(value)) return {};
  const hashes = value.filter(isHash);
  return hashes.length === 0 ? {} : { evidence: hashes };
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

const knownFields = ['registry', 'project_id', 'name', 'created_at', 'schema_version', 'forgotten_at'];
/** A writer that knows the project's evidence knows all of it; one that does not leaves the marker's as it is. */
const evidenceFields = ['evidence', 'folder'];

function unknownFields(
  { registry, projectId, evidence }: Marker,
  previous: string | null,
  formerId: string,
): Record<string, unknown> {
  const reading = readMarker(previous);
  if (reading.kind === 'none' || reading.marker.registry !== registry) return {};
  if (reading.marker.projectId !== projectId && reading.marker.projectId !== formerId) return {};
  const fields = Object.entries(registrarFields(previous) ?? {});
  const written = evidence === undefined ? knownFields : [...knownFields, ...evidenceFields];
  return Object.fromEntries(fields.filter(([key]) => !written.includes(key)));
}

function registrarFields(comment: string | null): Record<string, unknown> | null {
  const fields = jsonObject(comment)?.['registrar'];
  return isObject(fields) ? fields : null;
}

function jsonObject(comment: string | null): Record<string, unknown> | null {
  if (!comment?.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(comment);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
