import type {
  Claimed,
  FileIdentity,
  Folder,
  GitEvidence,
  KeptClaim,
  KeptFolder,
  KeptOrigin,
  RegistrarMetadata,
  RowEvidence,
  RowState,
} from './model.ts';

/**
 * Reads `metadata.registrar` as another program or an older version may have left it: whatever does not have the
 * expected shape counts as absent, so that a damaged value can never stop a resolution or pass for evidence.
 */
export function readRegistrarMetadata(metadata: unknown): RegistrarMetadata {
  const fields = objectOf(objectOf(metadata)?.['registrar']);
  if (!fields) return {};
  const state = rowStateOf(fields['state']);
  const folder = folderOf(fields['folder']);
  const git = gitOf(fields['git']);
  const claims = claimsOf(fields['claims']);
  const evidence = evidenceOf(fields['evidence']);
  return {
    ...(state ? { state } : {}),
    ...(folder ? { folder } : {}),
    ...(git ? { git } : {}),
    ...(claims ? { claims } : {}),
    ...(evidence ? { evidence } : {}),
    ...(Array.isArray(fields['formerIds']) ? { formerIds: fields['formerIds'].filter(isString) } : {}),
    ...(isString(fields['creator']) ? { creator: fields['creator'] } : {}),
    ...(isString(fields['lastUsedAt']) ? { lastUsedAt: fields['lastUsedAt'] } : {}),
    ...(fields['rebuilt'] === true ? { rebuilt: true } : {}),
    ...(fields['recreating'] === true ? { recreating: true } : {}),
    ...(fields['databaseNameChosen'] === true ? { databaseNameChosen: true } : {}),
    ...(isString(fields['madeAs']) ? { madeAs: fields['madeAs'] } : {}),
    ...(isString(fields['adoptedOwner']) ? { adoptedOwner: fields['adoptedOwner'] } : {}),
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

function evidenceOf(value: unknown): RowEvidence | null {
  const fields = objectOf(value);
  if (!fields) return null;
  const hashes = Array.isArray(fields['hashes']) ? fields['hashes'].filter(isString) : [];
  return {
    origins: listOf(fields['origins'], originOf),
    folder: keptFolderOf(fields['folder']),
    claims: listOf(fields['claims'], readKeptClaim),
    ...(hashes.length > 0 ? { hashes } : {}),
  };
}

function listOf<T>(value: unknown, read: (entry: unknown) => T | null): T[] {
  return Array.isArray(value) ? value.flatMap((entry) => read(entry) ?? []) : [];
}

function originOf(value: unknown): KeptOrigin | null {
  const fields = objectOf(value);
  if (!fields || !isString(fields['origin']) || !isString(fields['path'])) return null;
  const hostId = fields['hostId'];
  return { origin: fields['origin'], path: fields['path'], ...(isString(hostId) ? { hostId } : {}) };
}

function keptFolderOf(value: unknown): KeptFolder | null {
  const fields = objectOf(value);
  const { hostId, host, path } = fields ?? {};
  if (!isString(hostId) || !isString(host) || !isString(path)) return null;
  return {
    hostId,
    host,
    path,
    identity: identityOf(fields?.['identity']),
    dotGit: identityOf(fields?.['dotGit']),
    origins: listOf(fields?.['origins'], (origin) => (isString(origin) ? origin : null)),
  };
}

/** A claim as a row or the state folder keeps it; null for anything of another shape. */
export function readKeptClaim(value: unknown): KeptClaim | null {
  const folder = keptFolderOf(value);
  const { name, at, configStamp } = objectOf(value) ?? {};
  if (!folder || !isString(name) || !isString(at)) return null;
  return { ...folder, name, at, ...(isString(configStamp) ? { configStamp } : {}) };
}

function identityOf(value: unknown): FileIdentity | null {
  const { device, inode, birth } = objectOf(value) ?? {};
  return isString(device) && isString(inode) && isString(birth) ? { device, inode, birth } : null;
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
