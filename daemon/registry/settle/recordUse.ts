import { RegistrarError } from '../../protocol/registrarError.ts';
import { isLocalPath, originInProject, originsOf, type Judged } from '../evidence/evidence.ts';
import { isKeptOf } from '../evidence/keptFolders.ts';
import type { KeptClaim, KeptFolder, KeptOrigin, RegistrarMetadata, RegistryRow, RowEvidence } from '../model.ts';
import type { OriginPort, RegistryPorts } from '../ports.ts';
import { changeRow, commentFollowing } from './rowChanges.ts';
import type { Run, Settled } from './settleRun.ts';

/** A folder that was admitted, and the name in its config. */
export interface Claimed {
  name: string;
  judged: Judged;
}

const maxOrigins = 32;

/**
 * Records the day of use on the row, the folder's claim in the state folder, and on the row the evidence for others'
 * claims. These help later decisions but do not affect this one, so a role that may not write them still gets its
 * answer.
 */
export async function recordUse(run: Run, settled: Settled, claimed: Claimed | null): Promise<void> {
  const { row, sync, sighting } = settled;
  if (!row || !sync || !sighting) return;
  if (claimed) await keepClaim(row, claimed, run.ports);
  const now = run.ports.origin.now();
  const usedToday = row.registrar.lastUsedAt?.slice(0, 10) === now.slice(0, 10);
  const evidence = claimed && addedEvidence(row, claimed.judged, run.ports.origin);
  if ((usedToday && !evidence) || run.ports.unnoted.has(row.id)) return;
  const registrar: RegistrarMetadata = { lastUsedAt: now, ...(evidence ? { evidence } : {}) };
  try {
    const comment = evidence ? commentFollowing(run, sighting, { registrar }) : null;
    await changeRow(run, sighting, { registrar }, comment).catch(async (error: unknown) => {
      // A role that may write rows but does not own the database leaves its marker as it is.
      if (comment === null || !(error instanceof RegistrarError)) throw error;
      await changeRow(run, sighting, { registrar }, null);
    });
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    // Not tried again at every resolve.
    run.ports.unnoted.add(row.id);
  }
}

/** The folder as it is now, in the form in which it is kept. */
export function keptFolder({ now, kept }: Judged, origin: Pick<OriginPort, 'host' | 'hostId'>): KeptFolder {
  const { path, identity, dotGit, git } = now;
  const origins = [...new Set([...(kept?.origins ?? []), ...(git?.origins ?? [])])];
  return { hostId: origin.hostId, host: origin.host, path, identity, dotGit, origins };
}

/** Origins as a row keeps them. */
export function keptOrigins({ now }: Judged, origin: Pick<OriginPort, 'hostId'>): KeptOrigin[] {
  const { git } = now;
  return (git?.origins ?? []).map((address) => ({
    origin: address,
    path: git?.pathInRepository ?? '',
    ...(isLocalPath(address) ? { hostId: origin.hostId } : {}),
  }));
}

async function keepClaim(row: RegistryRow, { name, judged }: Claimed, ports: RegistryPorts): Promise<void> {
  const folder = keptFolder(judged, ports.origin);
  const before = ports.claims.of([row.id]).find(({ path, hostId }) => path === folder.path && hostId === folder.hostId);
  const stamp = judged.now.configStamp;
  const claim: KeptClaim = {
    ...folder,
    name,
    at: before?.at ?? ports.origin.now(),
    ...(stamp === null ? {} : { configStamp: stamp }),
  };
  if (before && JSON.stringify(before) === JSON.stringify(claim)) return;
  await ports.claims.keep(row.id, { ...claim, at: ports.origin.now() });
}

/**
 * What the row should keep in addition, or null for nothing new: an origin that the project's own folder got later, its
 * new place in the repository, and everything that version 0.1 or a marker did not keep.
 */
function addedEvidence(row: RegistryRow, judged: Judged, origin: OriginPort): RowEvidence | null {
  const { evidence } = row.registrar;
  const { decision, now } = judged;
  if (!evidence) {
    const isOwnFolder = decision === 'claimed' && row.registrar.folder?.path === now.path;
    if (!isOwnFolder || now.git === undefined) return null;
    const folder = keptFolder(judged, origin);
    return { origins: bounded([...originsOf(row), ...keptOrigins(judged, origin)]), folder, claims: [] };
  }
  const isAdding =
    decision === 'origin-moved' || (decision === 'claimed' && isOwn(row, judged, origin)) || wasHashed(row, judged);
  if (!isAdding) return null;
  const origins = bounded([...evidence.origins, ...keptOrigins(judged, origin)]);
  return JSON.stringify(origins) === JSON.stringify(evidence.origins) ? null : { ...evidence, origins };
}

/**
 * Whether the origin of a folder that claimed before is the project's. A folder that a person bound shares the database
 * but adds no origin; otherwise every clone of its repository would be admitted too.
 */
function isOwn(row: RegistryRow, { kept, now }: Judged, { host, hostId }: OriginPort): boolean {
  const { folder = null, claims = [] } = row.registrar.evidence ?? {};
  const isThis = (one: KeptFolder): boolean => isKeptOf(one, now, { id: hostId, name: host });
  const isRowsFolder = folder !== null && isThis(folder);
  switch (originInProject(row)) {
    case 'none':
      return isRowsFolder || !claims.some(isThis);
    case 'unclear':
      return isRowsFolder;
    case 'known':
      return kept?.origins.some((one) => originsOf(row).some((own) => own.origin === one)) === true;
  }
}

/** A row that was rebuilt from its marker knew its origin only by a hash. */
function wasHashed({ registrar: { evidence } }: RegistryRow, { decision }: Judged): boolean {
  return decision === 'origin' && evidence?.hashes !== undefined && evidence.origins.length === 0;
}

/** Each one once: the first, by which a person may know the project, and the most recent ones. */
function bounded(origins: readonly KeptOrigin[]): KeptOrigin[] {
  const unique = origins.filter(
    (one, index) => origins.findIndex(({ origin, path }) => origin === one.origin && path === one.path) === index,
  );
  return unique.length <= maxOrigins ? unique : [...unique.slice(0, 1), ...unique.slice(1 - maxOrigins)];
}
