import type { ErrorReport } from '../protocol/registrarError.ts';
import {
  hashedFolder,
  hashedOrigin,
  hostOf,
  idsOf,
  isAdmitted,
  judge,
  person,
  type Asker,
  type Judged,
} from './evidence.ts';
import { belongsElsewhere, waitsForPerson } from './evidenceFailures.ts';
import type { IdentityCase } from './identityRules.ts';
import { folderKey, type Claim, type MarkedDatabase, type RegistryRow, type Sighting } from './model.ts';
import type { RegistryPorts } from './ports.ts';

/** What the places that may know the claimed project say about it. */
export interface Seen {
  byId: Sighting | null;
  byIdIsFormer: boolean;
  byName: Sighting | null;
  /** Why the registry could not be read, though its server answers. */
  unreadable: ErrorReport | null;
}

/** The claim as it stands now: the config's winner may have given it an id meanwhile. */
export interface Claiming {
  claim: Claim;
  /** Which group of the id's digits the database name carries. */
  group: number;
  /** What the evidence said of the folder and the row that the claim stands for. */
  judged: Judged | null;
  /** The config was read again until its id could have come. */
  hasWaited?: boolean;
}

/**
 * Whether a claim may be answered from a row that was kept: the evidence of the folder is asked of it as of any other.
 *
 * @throws RegistrarError PROJECT_CONFLICT
 */
export async function requireEvidence(
  claim: Claim,
  row: RegistryRow,
  ports: RegistryPorts,
  asker: Asker = person,
): Promise<void> {
  const judged = await judgeClaim(claim, row, ports, asker);
  if (judged && !isAdmitted(judged.decision)) throw await refusalOf(claim, row, judged, ports, asker);
}

/** Null for a claim that no folder makes: the id that it reserved is all that it can have. */
export async function judgeClaim(
  claim: Claim,
  row: RegistryRow,
  ports: RegistryPorts,
  asker: Asker,
): Promise<Judged | null> {
  if (!claim.folder) return null;
  const by = claim.id !== null && idsOf(row).includes(claim.id) ? 'id' : 'name';
  return judge({ row, by, folder: claim.folder.path, name: claim.name, asker }, ports);
}

export async function refusalOf(
  claim: Claim,
  row: RegistryRow,
  { decision, now }: Judged,
  ports: RegistryPorts,
  asker: Asker,
): Promise<Error> {
  if (decision === 'refuse-agent') return waitsForPerson(now.path);
  const git = now.git === undefined ? await ports.folders.git(now.path) : now.git;
  return belongsElsewhere(claim, row, git, asker, hostOf(ports));
}

export async function identityCaseOf(
  ports: RegistryPorts,
  seen: Seen,
  { claim, judged }: Claiming,
  marked: MarkedDatabase[],
): Promise<IdentityCase> {
  const { byId, byName } = seen;
  const id = claim.id === null ? 'absent' : !byId ? 'unknown' : seen.byIdIsFormer ? 'former' : 'row';
  const name = !byName ? 'none' : byName.row.id === byId?.row.id ? 'same' : 'other';
  const evidence = judged ? evidenceOf[judged.decision] : claim.folder ? 'none' : claimWithoutFolder(id);
  const isNewName = byId !== null && name === 'none' && evidence === 'own';
  return {
    id,
    name,
    marker: marked[0] ? await markerOf(ports, claim, marked[0]) : 'none',
    evidence,
    folderClaimedRowName: isNewName && (await claimedRowName(ports, claim, byId.row)),
  };
}

const evidenceOf = {
  claimed: 'own',
  origin: 'own',
  'origin-moved': 'own',
  'local-clone': 'own',
  worktree: 'worktree',
  'first-claim': 'first',
  moved: 'moved',
  elsewhere: 'moved',
  'refuse-agent': 'none',
  refuse: 'none',
} as const;

/** A claim that no folder makes has its id from the reservation that it made itself; a name alone shows nothing. */
function claimWithoutFolder(id: IdentityCase['id']): 'own' | 'none' {
  return id === 'row' || id === 'former' ? 'own' : 'none';
}

async function markerOf(
  ports: RegistryPorts,
  claim: Claim,
  { marker }: MarkedDatabase,
): Promise<IdentityCase['marker']> {
  if (marker.forgottenAt !== null) return 'forgotten';
  if (!claim.folder || ports.claims.of([marker.projectId]).some(({ path }) => path === claim.folder?.path))
    return 'shown';
  const { path } = claim.folder;
  const [git, { identity }] = await Promise.all([ports.folders.git(path), ports.folders.identify(path)]);
  const folder = hashedFolder({ host: ports.origin.host, path, identity });
  if (folder !== null && ports.origin.hash(folder) === marker.folder) return 'shown';
  const shown = (git?.origins ?? []).map((origin) =>
    ports.origin.hash(hashedOrigin({ origin, path: git?.pathInRepository ?? '' })),
  );
  return shown.some((hash) => marker.evidence?.includes(hash)) ? 'shown' : 'live';
}

/**
 * Whether the name that this folder's config last claimed is the row's: then another one there is a rename. A linked
 * worktree renames nothing: its branch may only be older.
 */
async function claimedRowName(ports: RegistryPorts, claim: Claim, row: RegistryRow): Promise<boolean> {
  if (!claim.folder) return false;
  const kept = ports.claims.of(idsOf(row)).find(({ path }) => path === claim.folder?.path);
  const last = kept?.name ?? row.registrar.claims?.[folderKey(claim.folder)]?.name;
  if (last !== row.name) return false;
  return (await ports.folders.git(claim.folder.path))?.worktree == null;
}
