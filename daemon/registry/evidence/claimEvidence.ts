import type { ErrorReport } from '../../protocol/registrarError.ts';
import { hashedFolder, hostOf, idsOf, isAdmitted, judge, person, type Asker, type Judged } from './evidence.ts';
import { belongsElsewhere, otherId, waitsForPerson } from './evidenceFailures.ts';
import type { IdentityCase } from '../settle/identityRules.ts';
import { folderKey, type Claim, type MarkedDatabase, type RegistryRow, type Sighting } from '../model.ts';
import type { FolderIdentity, RegistryPorts } from '../ports.ts';

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
  /** What the evidence says about the folder and the row that the claim stands for. */
  judged: Judged | null;
  /** The config was read again until its id could have come. */
  hasWaited?: boolean;
}

/**
 * Whether a claim may be answered from a remembered row. The same evidence is required as for any other row.
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

/** Null for a claim that no folder makes: it can only have the id that it reserved. */
export async function judgeClaim(
  claim: Claim,
  row: RegistryRow,
  ports: RegistryPorts,
  asker: Asker,
  identified?: Promise<FolderIdentity>,
): Promise<Judged | null> {
  if (!claim.folder) return null;
  const by = claim.id !== null && idsOf(row).includes(claim.id) ? 'id' : 'name';
  return judge({ row, by, folder: claim.folder.path, name: claim.name, asker }, ports, identified);
}

export async function refusalOf(
  claim: Claim,
  row: RegistryRow,
  { decision, now }: Judged,
  ports: RegistryPorts,
  asker: Asker,
): Promise<Error> {
  if (decision === 'refuse-agent') return waitsForPerson(now.path);
  // A folder of the project, whose config has an id that the project does not have.
  if (isAdmitted(decision)) return otherId(claim, row, asker);
  const git = now.git === undefined ? await ports.folders.git(now.path) : now.git;
  return belongsElsewhere(claim, row, git, asker, hostOf(ports));
}

export async function identityCaseOf(
  ports: RegistryPorts,
  seen: Seen,
  { claim, judged }: Claiming,
  marked: MarkedDatabase[],
  asker: Asker,
): Promise<IdentityCase> {
  const { byId, byName } = seen;
  const id = claim.id === null ? 'absent' : !byId ? 'unknown' : seen.byIdIsFormer ? 'former' : 'row';
  const name = !byName ? 'none' : byName.row.id === byId?.row.id ? 'same' : 'other';
  const isReKeying = id === 'unknown' && byName !== null && judged !== null;
  const evidence =
    isReKeying && isAdmitted(judged.decision) && (await isLinkedWorktree(ports, judged.now.path))
      ? 'worktree'
      : judged
        ? evidenceOf[judged.decision]
        : claim.folder
          ? 'none'
          : claimWithoutFolder(id);
  const isNewName = byId !== null && name === 'none' && evidence === 'own';
  return {
    id,
    name,
    marker: marked[0] ? await markerOf(ports, claim, marked[0], asker) : 'none',
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

/** A claim that no folder makes has its id from its own reservation; a name alone shows nothing. */
function claimWithoutFolder(id: IdentityCase['id']): 'own' | 'none' {
  return id === 'row' || id === 'former' ? 'own' : 'none';
}

/** A database whose row was lost is judged like the row that its marker would restore. */
async function markerOf(
  ports: RegistryPorts,
  claim: Claim,
  { marker, databaseName }: MarkedDatabase,
  asker: Asker,
): Promise<IdentityCase['marker']> {
  if (marker.forgottenAt !== null) return 'forgotten';
  const { projectId: id, name, createdAt, evidence: hashes = [] } = marker;
  const registrar = { rebuilt: true, evidence: { origins: [], folder: null, claims: [], hashes } };
  const columns = { id, name, databaseName, description: null, createdAt, updatedAt: createdAt, metadata: {} };
  const judged = await judgeClaim(claim, { ...columns, registrar }, ports, asker);
  if (!judged || isAdmitted(judged.decision)) return 'shown';
  // If the project had an origin, another repository may have been put into the same folder.
  if (hashes.length > 0) return 'live';
  const { path, identity } = judged.now;
  const folder = hashedFolder({ host: ports.origin.host, path, identity });
  return folder !== null && ports.origin.hash(folder) === marker.folder ? 'shown' : 'live';
}

/**
 * Whether the name that this folder's config last claimed is the row's name; if so, a new name there is a rename. A
 * linked worktree renames nothing, because its branch may simply be older.
 */
async function claimedRowName(ports: RegistryPorts, claim: Claim, row: RegistryRow): Promise<boolean> {
  if (!claim.folder) return false;
  const kept = ports.claims.of(idsOf(row)).find(({ path }) => path === claim.folder?.path);
  const last = kept?.name ?? row.registrar.claims?.[folderKey(claim.folder)]?.name;
  if (last !== row.name) return false;
  return !(await isLinkedWorktree(ports, claim.folder.path));
}

async function isLinkedWorktree({ folders }: RegistryPorts, path: string): Promise<boolean> {
  const git = await folders.git(path);
  return git !== null && git.worktree !== null;
}
