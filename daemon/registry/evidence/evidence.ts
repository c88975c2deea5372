import { decideEvidence, type EvidenceCase, type EvidenceDecision } from './evidenceRules.ts';
import {
  isKeptOf,
  isOnHost,
  isSameFile,
  legacyClaim,
  recordedFolders,
  stillFits,
  type FolderNow,
  type Host,
} from './keptFolders.ts';
import type { FolderGit, KeptFolder, KeptOrigin, Marker, RegistryRow, RowEvidence } from '../model.ts';
import type { ClaimsPort, FolderIdentity, FolderPort, OriginPort } from '../ports.ts';

/** Who asks, as far as evidence goes. */
export type Asker = { kind: 'person' } | { kind: 'agent'; folders: () => Promise<readonly string[]> };

export const person: Asker = { kind: 'person' };

/** @param agent of a call that an agent makes; absent for a person's */
export function askerOf(agent: { folders: () => Promise<readonly string[]> } | undefined): Asker {
  return agent ? { kind: 'agent', folders: agent.folders } : person;
}

/** What deciding about a claim needs to read. */
export interface EvidencePorts {
  folders: FolderPort;
  claims: ClaimsPort;
  origin: Pick<OriginPort, 'host' | 'hostId' | 'hash'>;
}

/** A folder's claim to a row. */
export interface EvidenceQuestion {
  row: RegistryRow;
  by: EvidenceCase['by'];
  /** The folder's real path. */
  folder: string;
  /** The name that its config says. */
  name: string;
  asker: Asker;
}

/** The decision, and what was observed of the folder, for recording it. */
export interface Judged {
  decision: EvidenceDecision;
  now: FolderNow;
  /** The claim of this folder that it still fits. */
  kept: KeptFolder | null;
}

/** Whether a decision lets the folder use the project, even if only after recording the folder. */
export function isAdmitted(decision: EvidenceDecision): boolean {
  return decision !== 'refuse' && decision !== 'refuse-agent';
}

/**
 * Gathers what connects a folder with a project, and decides. A folder that claimed before costs a few file system
 * calls; its repository is read again only if its config was written since, or if it is a different repository.
 *
 * @param identified the folder as `FolderPort.identify` finds it, if the caller began to identify it before it had the
 *   row
 */
export async function judge(
  question: EvidenceQuestion,
  ports: EvidencePorts,
  identified: Promise<FolderIdentity> = ports.folders.identify(question.folder),
): Promise<Judged> {
  const found = await identified;
  const now: FolderNow = { path: question.folder, ...found, git: undefined };
  const own = keptOf(question.row, now, ports);
  const sameGit = own.find(
    ({ dotGit, configStamp }) => isSameFile(dotGit, now.dotGit) && (configStamp ?? null) === now.configStamp,
  );
  if (sameGit) return { decision: 'claimed', now, kept: sameGit };
  now.git = now.dotGit && (await ports.folders.git(question.folder));
  const kept = own.find((folder) => stillFits(folder, now)) ?? null;
  const claimed = kept ? 'fits' : own.length > 0 ? 'taken-over' : 'never';
  return { decision: decideEvidence(await caseOf(question, now, claimed, ports)), now, kept };
}

/** Everything that is kept of the folder at this path for the project. */
function keptOf(row: RegistryRow, now: FolderNow, ports: EvidencePorts): KeptFolder[] {
  const host = hostOf(ports);
  const legacy = legacyClaim(row, now, host);
  return [...ports.claims.of(idsOf(row)), ...recordedFolders(row), ...(legacy ? [legacy] : [])].filter((folder) =>
    isKeptOf(folder, now, host),
  );
}

async function caseOf(
  question: EvidenceQuestion,
  now: FolderNow,
  claimed: EvidenceCase['claimed'],
  ports: EvidencePorts,
): Promise<EvidenceCase> {
  const { row, by } = question;
  const git = now.git ?? null;
  const matches = matchingOrigins(row, git, ports);
  const originHere = await originHereOf(row, git, matches, ports);
  return {
    by,
    claimed,
    worktree: claimed === 'fits' ? 'none' : await worktreeOf(question, git, ports),
    originHere,
    originInProject: originInProject(row),
    // A local claimer was looked for at the same place.
    path: originHere === 'local-claimer' ? 'same' : await pathOf(question, git, matches, ports),
    ...(await foldersOf(row, now, claimed, ports)),
    asker: await standingOf(question, git, ports),
  };
}

/**
 * The main checkout is judged in the worktree's place: same path inside, same config. It does not vouch for a project
 * that it would first have to claim itself.
 */
async function worktreeOf(
  question: EvidenceQuestion,
  git: FolderGit | null,
  ports: EvidencePorts,
): Promise<EvidenceCase['worktree']> {
  const main = git?.worktree?.main ?? null;
  if (git === null || main === null) return 'none';
  const folder = git.pathInRepository === '' ? main : `${main}/${git.pathInRepository}`;
  if (!(await ports.folders.exists(folder))) return 'of-refused';
  const { decision } = await judge({ ...question, folder }, ports);
  return vouching.has(decision) ? 'of-resolved' : 'of-refused';
}

const vouching: ReadonlySet<EvidenceDecision> = new Set(['claimed', 'origin', 'origin-moved', 'local-clone']);

/** The origins that project and folder share, each with the place in the repository that is recorded with it. */
function matchingOrigins(row: RegistryRow, git: FolderGit | null, { origin }: EvidencePorts): KeptOrigin[] {
  if (!git) return [];
  const hashes = row.registrar.evidence?.hashes ?? [];
  const hashed = git.origins
    .map((address) => ({ origin: address, path: git.pathInRepository }))
    .filter((one) => hashes.includes(origin.hash(hashedOrigin(one))));
  const kept = originsOf(row).filter(
    ({ origin: address, hostId }) => git.origins.includes(address) && isReachable(address, hostId, row, origin),
  );
  return [...kept, ...hashed];
}

/** What a marker keeps a hash of, so that a rebuilt registry can still recognize its projects' clones. */
export function hashedOrigin({ origin, path }: Pick<KeptOrigin, 'origin' | 'path'>): string {
  return `${origin}\0${path}`;
}

/** A path on this machine means another repository on the next one. */
function isReachable(
  address: string,
  hostId: string | undefined,
  row: RegistryRow,
  host: EvidencePorts['origin'],
): boolean {
  if (!isLocalPath(address)) return true;
  if (row.registrar.evidence) return hostId === host.hostId;
  return row.registrar.folder?.host === host.host;
}

/** `file://server/share` is the same from everywhere. */
export function isLocalPath(origin: string): boolean {
  return /^file:(?!\/\/)/.test(origin);
}

/** What the marker of a row's database keeps of its evidence. */
export function markedEvidence(
  row: RegistryRow,
  { hash }: Pick<OriginPort, 'hash'>,
): Pick<Marker, 'evidence' | 'folder'> {
  const { hashes = [], folder = null } = row.registrar.evidence ?? {};
  const hashed = folder && hashedFolder(folder);
  return {
    evidence: [...new Set([...originsOf(row).map((one) => hash(hashedOrigin(one))), ...hashes])],
    ...(hashed === null ? {} : { folder: hash(hashed) }),
  };
}

/**
 * What a marker keeps a hash of, so that every state folder of the machine recognizes the folder; null for an unknown
 * one.
 */
export function hashedFolder({ host, path, identity }: Pick<KeptFolder, 'host' | 'path' | 'identity'>): string | null {
  // Without a time of birth, the next folder there may have the same inode.
  if (!identity || identity.birth === '0') return null;
  return [host, path, identity.device, identity.inode, identity.birth].join('\0');
}

/** The project's origins; none of a row of version 0.1 that lists several remotes, since any of them may be a template’s. */
export function originsOf({ registrar }: RegistryRow): KeptOrigin[] {
  if (registrar.evidence) return registrar.evidence.origins;
  const { origins = [], pathInRepository = '' } = registrar.git ?? {};
  return origins.length === 1 ? origins.map((origin) => ({ origin, path: pathInRepository })) : [];
}

/** What the row keeps; for a row of version 0.1, what counts of it. */
export function rowEvidence(row: RegistryRow): RowEvidence {
  return row.registrar.evidence ?? { origins: originsOf(row), folder: recordedFolders(row)[0] ?? null, claims: [] };
}

export function originInProject(row: RegistryRow): EvidenceCase['originInProject'] {
  const { evidence, git } = row.registrar;
  if (originsOf(row).length > 0 || (evidence?.hashes?.length ?? 0) > 0) return 'known';
  return (git?.origins.length ?? 0) > 1 ? 'unclear' : 'none';
}

async function originHereOf(
  row: RegistryRow,
  git: FolderGit | null,
  matches: readonly KeptOrigin[],
  ports: EvidencePorts,
): Promise<EvidenceCase['originHere']> {
  if (!git || git.origins.length === 0) return 'none';
  if (matches.length > 0) return 'project’s';
  for (const origin of git.origins.filter(isLocalPath)) {
    const root = origin.slice('file:'.length);
    const path = git.pathInRepository === '' ? root : `${root}/${git.pathInRepository}`;
    if (await hasClaimed(row, path, ports)) return 'local-claimer';
  }
  return 'other';
}

/** Whether the folder at a path of this machine claimed the project, and is still what it was, or gone. */
async function hasClaimed(row: RegistryRow, path: string, ports: EvidencePorts): Promise<boolean> {
  const found = await ports.folders.identify(path);
  const now: FolderNow = { path, ...found, git: undefined };
  const kept = keptOf(row, now, ports);
  if (kept.length === 0 || found.identity === null) return kept.length > 0;
  now.git = await ports.folders.git(path);
  return kept.some((folder) => stillFits(folder, now));
}

async function pathOf(
  { folder, name }: EvidenceQuestion,
  git: FolderGit | null,
  matches: readonly KeptOrigin[],
  { folders }: EvidencePorts,
): Promise<EvidenceCase['path']> {
  if (!git || matches.length === 0) return 'other';
  if (matches.some(({ path }) => path === git.pathInRepository)) return 'same';
  for (const { path } of matches) {
    if (path === '' || (await folders.exists(`${git.root}/${path}`))) return 'other';
  }
  return (await folders.isOnlyConfigNamed(git.root, folder, name)) ? 'moved' : 'other';
}

async function foldersOf(
  row: RegistryRow,
  now: FolderNow,
  claimed: EvidenceCase['claimed'],
  ports: EvidencePorts,
): Promise<Pick<EvidenceCase, 'folders' | 'isSameFolder'>> {
  const host = hostOf(ports);
  const all = [...recordedFolders(row), ...ports.claims.of(idsOf(row))];
  const same = all.filter(({ identity }) => isSameFile(identity, now.identity));
  const isSameFolder = same.length > 0;
  if (all.length === 0) return { folders: row.registrar.rebuilt === true ? 'lost' : 'none', isSameFolder };
  const here = all.filter((folder) => isOnHost(folder, host));
  if (here.length === 0) return { folders: 'elsewhere', isSameFolder };
  const isNew = claimed === 'never';
  // A moved folder is no copy, whatever other folders there are, such as worktrees of the same repository.
  if (isNew && isSameFolder && (await hasLeft(same, now, ports))) return { folders: 'gone', isSameFolder };
  // Neither is a folder in the place of the only known one.
  const others = here.filter(({ path }) => !isNew || path !== now.path);
  const presences = await Promise.all(
    others.map(({ path, identity }) => ports.folders.presence(path, identity?.device ?? null)),
  );
  // If nobody can tell, for example because a disk is not mounted, the folder may well exist.
  return { folders: presences.every((presence) => presence === 'gone') ? 'gone' : 'there', isSameFolder };
}

/** Whether a folder exists at none of its recorded paths: a mount can show one folder at several. */
async function hasLeft(same: readonly KeptFolder[], now: FolderNow, { folders }: EvidencePorts): Promise<boolean> {
  const found = await Promise.all(
    same.filter(({ path }) => path !== now.path).map(({ path }) => folders.identify(path)),
  );
  return found.every(({ identity }) => !isSameFile(identity, now.identity));
}

async function standingOf(
  { asker, folder }: EvidenceQuestion,
  git: FolderGit | null,
  { folders }: EvidencePorts,
): Promise<EvidenceCase['asker']> {
  if (asker.kind === 'person') return 'person';
  const own = await asker.folders();
  if (own.some((path) => path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}\\`))) {
    return 'agent';
  }
  if (!git) return 'agent-below';
  const repositories = await Promise.all(own.map((path) => folders.git(path)));
  const isOwn = repositories.some((other) => other?.repository.path === git.repository.path);
  return isOwn ? 'agent-in-repository' : 'agent-below';
}

export function hostOf({ origin }: EvidencePorts): Host {
  return { id: origin.hostId, name: origin.host };
}

/** Every id that the project has or had. */
export function idsOf(row: RegistryRow): string[] {
  return [row.id, ...(row.registrar.formerIds ?? [])];
}
