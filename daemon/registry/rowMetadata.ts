import type { Claimed, Folder, GitEvidence, RegistrarMetadata, RowState } from './model.ts';

/**
 * Reads `metadata.registrar` as another program or an older version may have left it: what does not have the expected
 * shape counts as absent, so that a damaged note can never stop a resolution or pass for evidence.
 */
export function readRegistrarMetadata(metadata: unknown): RegistrarMetadata {
  const fields = objectOf(objectOf(metadata)?.['registrar']);
  if (!fields) return {};
  const state = rowStateOf(fields['state']);
  const folder = folderOf(fields['folder']);
  const git = gitOf(fields['git']);
  const claims = claimsOf(fields['claims']);
  return {
    ...(state ? { state } : {}),
    ...(folder ? { folder } : {}),
    ...(git ? { git } : {}),
    ...(claims ? { claims } : {}),
    ...(Array.isArray(fields['formerIds']) ? { formerIds: fields['formerIds'].filter(isString) } : {}),
    ...(isString(fields['creator']) ? { creator: fields['creator'] } : {}),
    ...(isString(fields['lastUsedAt']) ? { lastUsedAt: fields['lastUsedAt'] } : {}),
    ...(fields['rebuilt'] === true ? { rebuilt: true } : {}),
    ...(fields['recreating'] === true ? { recreating: true } : {}),
    ...(fields['databaseNameChosen'] === true ? { databaseNameChosen: true } : {}),
  };
}

function rowStateOf(value: unknown): RowState | null {
  return value === 'provisioning' || value === 'ready' || value === 'dropping' ? value : null;
}

function folderOf(value: unknown): Folder | null {
  const fields = objectOf(value);
  return fields && isString(fields['host']) && isString(fields['path'])
    ? { host: fields['host'], path: fields['path'] }
    : null;
}

function gitOf(value: unknown): GitEvidence | null {
  const fields = objectOf(value);
  if (!fields || !Array.isArray(fields['origins']) || !isString(fields['pathInRepository'])) return null;
  return { origins: fields['origins'].filter(isString), pathInRepository: fields['pathInRepository'] };
}

function claimsOf(value: unknown): Record<string, Claimed> | null {
  const fields = objectOf(value);
  if (!fields) return null;
  const claims: Record<string, Claimed> = {};
  for (const [key, entry] of Object.entries(fields)) {
    const claim = objectOf(entry);
    if (claim && isString(claim['name']) && isString(claim['at']))
      claims[key] = { name: claim['name'], at: claim['at'] };
  }
  return claims;
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
