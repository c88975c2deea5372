import type { ErrorReport } from '../protocol/registrarError.ts';
import { compareEvidence, type Evidence } from './evidence.ts';
import {
  contradiction,
  databaseForeign,
  nameConflict,
  projectForgotten,
  projectMismatch,
  unlistedDatabase,
  warning,
} from './failures.ts';
import { decideIdentity, type IdentityCase } from './identityRules.ts';
import { parseId } from './ids.ts';
import { folderKey } from './model.ts';
import type { Claim, DatabaseSighting, MarkedDatabase, RegistryRow, Sighting } from './model.ts';
import { databaseNameFor } from './names.ts';
import type { ConfigIdPort, RegistryPorts } from './ports.ts';
import { recordUse } from './recordUse.ts';
import { settledFromMemory } from './settledFromMemory.ts';
import { sightEntries } from './sightEntries.ts';
import {
  changeRow,
  commentFollowing,
  isProject,
  requireCreation,
  requireExpected,
  settle,
  startRun,
  wouldDo,
} from './settle.ts';
import type { Identified, Run, SettleOptions, Settled } from './settle.ts';

/** What the places that may know the claimed project say about it. */
interface Seen {
  byId: Sighting | null;
  byIdIsFormer: boolean;
  byName: Sighting | null;
  /** Why the registry could not be read, though its server answers. */
  unreadable: ErrorReport | null;
}

/**
 * Get or create: the project that a config file claims, made if it does not exist.
 *
 * @param claim what the config file says
 * @param config writes the id into the file; null when no file makes the claim
 * @throws RegistrarError with the refusal's code
 */
export async function settleClaim(
  claim: Claim,
  config: ConfigIdPort | null,
  ports: RegistryPorts,
  options: SettleOptions,
): Promise<Settled> {
  const run = startRun(ports, options);
  const claiming = { claim, group: 0 };
  const settled = await settle(run, () => identify(run, claiming, config), claim);
  if (!options.dryRun && settled.row && settled.stale === null) {
    await recordUse(run, settled, claim.folder && { folder: claim.folder, name: claim.name });
    if (claiming.claim.id === null && config) await writeId(settled, settled.row, config);
  }
  return settled;
}

/** The claim as it stands now: the config's winner may have given it an id meanwhile. */
interface Claiming {
  claim: Claim;
  /** Which group of the id's digits the database name carries. */
  group: number;
}

async function identify(run: Run, claiming: Claiming, config: ConfigIdPort | null): Promise<Identified> {
  const { claim } = claiming;
  const seen = await look(run, claim);
  if (seen.unreadable && !seen.byId && !seen.byName) {
    const stale = recall(run, claim, seen.unreadable);
    if (stale) return { kind: 'done', settled: stale };
  }
  requireExpectedClaim(run.options.expect, claim, (seen.byId ?? seen.byName)?.row ?? null);
  const marked = seen.byId ? [] : await markedFor(run, seen, claim);
  const identityCase = await identityCaseOf(run, seen, claim, marked);
  const decision = decideIdentity(identityCase);
  if (decision.startsWith('refuse-') && marked.length > 0 && !isSameSeen(seen, await look(run, claim))) {
    return { kind: 'again' };
  }
  const chosen = seen.byId ?? seen.byName;
  const marker = marked[0];
  switch (decision) {
    case 'use':
    case 'use-name-differs':
      if (!chosen) break;
      if (!(await agreeThroughConfig(run, claiming, chosen, config))) return { kind: 'again' };
      if (decision === 'use-name-differs') noteDifference(run, claim, chosen.row);
      return { kind: 'row', sighting: chosen };
    case 'refuse-contradiction':
      if (seen.byId && seen.byName) throw contradiction(claim, seen.byId.row, seen.byName.row);
      break;
    case 'refuse-conflict':
      if (chosen) throw nameConflict(claim, chosen.row);
      break;
    case 'refuse-unlisted':
      if (await hasIdByNow(claiming, config)) return { kind: 'again' };
      if (marker) throw unlistedDatabase(claim, marker.databaseName, marker.marker.projectId);
      break;
    case 'refuse-forgotten':
      if (marker) throw projectForgotten(claim.name, marker.databaseName);
      break;
    case 'reserve':
    case 'reserve-marked':
      return reserve(run, claiming, config, decision === 'reserve-marked' ? (marker ?? null) : null, seen.unreadable);
    case 'claim-folder':
    case 'move-folder':
    case 'rename':
    case 're-key':
      if (chosen) return changeIdentity(run, chosen, claim, decision);
  }
  throw new Error(`identity decision ${decision} does not fit what was seen`);
}

/**
 * Whether the config got an id since it was read: then that says which project is meant. While the registry refuses rows,
 * another daemon's new project shows first by its database and by the id in the config.
 */
async function hasIdByNow(claiming: Claiming, config: ConfigIdPort | null): Promise<boolean> {
  if (!config || claiming.claim.id !== null) return false;
  const id = await config.readId();
  if (id !== null) claiming.claim = { ...claiming.claim, id };
  return id !== null;
}

async function look(run: Run, claim: Claim): Promise<Seen> {
  const { registry, outbox } = run.ports;
  const looked = await registry.look({ id: claim.id, name: claim.name }, run.options.patient ?? true);
  const sightings = looked.kind === 'seen' ? [...looked.sightings] : [];
  // The registry is asked first; an entry that it has by now is on its way out of the outbox.
  const waiting = outbox
    .find({ id: claim.id, name: claim.name })
    .filter(({ id }) => !sightings.some(({ row }) => row.id === id));
  for (const sighting of await sightEntries(waiting, run.ports)) {
    if (!givesWay(claim, sighting)) sightings.push(sighting);
    else if (!run.options.dryRun) await outbox.remove(sighting.row.id);
  }
  let byId = sightings.find(({ row }) => row.id === claim.id) ?? null;
  const byIdIsFormer = !byId;
  if (!byId && claim.id !== null) {
    const { id } = claim;
    byId = sightings.find(({ row }) => row.registrar.formerIds?.includes(id)) ?? null;
    if (!byId && looked.kind === 'seen') byId = await registry.lookFormerId(id);
  }
  return {
    byId,
    byIdIsFormer: byIdIsFormer && byId !== null,
    // A parked project and the one that has its name share it: for the claim that says which by id, the name agrees.
    byName: byId?.row.name === claim.name ? byId : (sightings.find(({ row }) => row.name === claim.name) ?? null),
    unreadable: looked.kind === 'unreadable' ? looked.failure : null,
  };
}

/**
 * Rows and markers are two statements: a project that was created, re-keyed or adopted between them shows a marker that no
 * row explains. Rows that are still the same after the markers were read make the refusal true.
 */
function isSameSeen(before: Seen, after: Seen): boolean {
  return before.byId?.row.id === after.byId?.row.id && before.byName?.row.id === after.byName?.row.id;
}

/** Databases that carry the claim's id or, where neither id nor name has a row, its name; forgotten ones first. */
async function markedFor(run: Run, seen: Seen, claim: Claim): Promise<MarkedDatabase[]> {
  if (claim.id === null && seen.byName) return [];
  const keys = claim.id === null ? { id: null, name: claim.name } : { id: claim.id, name: null };
  const marked = await run.ports.catalog.findMarked(keys);
  return marked.sort(
    (one, other) => Number(other.marker.forgottenAt !== null) - Number(one.marker.forgottenAt !== null),
  );
}

async function identityCaseOf(run: Run, seen: Seen, claim: Claim, marked: MarkedDatabase[]): Promise<IdentityCase> {
  const { byId, byName } = seen;
  const id = claim.id === null ? 'absent' : !byId ? 'unknown' : seen.byIdIsFormer ? 'former' : 'row';
  const name = !byName ? 'none' : byName.row.id === byId?.row.id ? 'same' : 'other';
  const marker = !marked[0] ? 'none' : marked[0].marker.forgottenAt === null ? 'live' : 'forgotten';
  const lastClaimed = claim.folder && byId?.row.registrar.claims?.[folderKey(claim.folder)]?.name;
  return {
    id,
    name,
    marker,
    evidence: byName && !byId ? await evidenceFor(run, claim, byName.row) : 'unrelated',
    folderClaimedRowName: byId !== null && lastClaimed === byId.row.name,
  };
}

async function evidenceFor(run: Run, claim: Claim, row: RegistryRow): Promise<Evidence> {
  // A claim that no folder makes has nothing to show for itself.
  if (!claim.folder) return 'unrelated';
  const { folders } = run.ports;
  const recorded = row.registrar.folder;
  const exists = recorded?.host === claim.folder.host ? await folders.exists(recorded.path) : true;
  return compareEvidence(row.registrar, claim.folder, await folders.git(claim.folder.path), exists);
}

async function reserve(
  run: Run,
  claiming: Claiming,
  config: ConfigIdPort | null,
  marked: MarkedDatabase | null,
  unreadable: ErrorReport | null,
): Promise<Identified> {
  const { claim } = claiming;
  const { origin, registry, outbox, folders } = run.ports;
  const id = claim.id ?? origin.newId();
  const databaseName = claim.databaseName ?? marked?.databaseName ?? databaseNameFor(claim.name, id, claiming.group);
  if (run.options.dryRun) return { kind: 'done', settled: wouldDo(run, null, creationSteps(claim, databaseName)) };
  await requireCreation(run);
  const now = origin.now();
  const git = claim.folder ? await folders.git(claim.folder.path) : null;
  const row: RegistryRow = {
    id,
    name: claim.name,
    databaseName,
    description: claim.description,
    createdAt: now,
    updatedAt: now,
    metadata: {},
    registrar: {
      state: 'provisioning',
      creator: origin.creator,
      lastUsedAt: now,
      ...(claim.folder
        ? { folder: claim.folder, claims: { [folderKey(claim.folder)]: { name: claim.name, at: now } } }
        : {}),
      ...(git ? { git } : {}),
      ...(claim.databaseName === null ? {} : { databaseNameChosen: true }),
    },
  };
  run.begun = true;
  run.options.onStep?.(`registering project "${claim.name}"`);
  const reserved = await registry.reserve(row);
  switch (reserved.kind) {
    case 'reserved':
      run.created = true;
      knowReservation(claiming, id);
      return { kind: 'again' };
    case 'lost':
      return { kind: 'again' };
    case 'database-taken':
      if (claim.databaseName !== null || claiming.group === 3)
        throw databaseForeign(row, databaseName, 'another project has it');
      claiming.group += 1;
      return { kind: 'again' };
    case 'unwritable':
      // Only a server that still answers can make the database: where it went away altogether, nothing is kept either.
      await requireCreation(run);
  }
  // Why the table cannot be read says what to grant; what the INSERT then met is only a consequence.
  if ((await outbox.add(row, unreadable ?? reserved.failure)) === 'added') knowReservation(claiming, id);
  return { kind: 'again' };
}

/** A claim that no folder makes has nothing but the id to show that the row it meets next is the one that it reserved. */
function knowReservation(claiming: Claiming, id: string): void {
  if (claiming.claim.folder === null) claiming.claim = { ...claiming.claim, id };
}

/**
 * Without a registry the config file decides between daemons that create the same project: the id that is in the file wins.
 * Everyone who would make a database for an entry of which nothing but its file exists asks the config first, also who
 * completes what a killed one left.
 *
 * @returns false when the file has another id by now: the claim stands for that one
 */
async function agreeThroughConfig(
  run: Run,
  claiming: Claiming,
  { row, database, sync }: Sighting,
  config: ConfigIdPort | null,
): Promise<boolean> {
  const isUnmade = sync.state !== 'synced' && isOnlyReserved(row, database);
  if (!isUnmade || !config || claiming.claim.id !== null || run.options.dryRun) return true;
  // Two daemons that look at the file and rename over it at the same instant would both believe that theirs is the id.
  const written = await run.ports.catalog.oneAtATime(row.name, () => config.writeId(row.id));
  if (written.kind === 'failed') return true;
  claiming.claim = { ...claiming.claim, id: written.kind === 'other' ? written.id : row.id };
  return written.kind === 'written';
}

function isOnlyReserved({ registrar }: RegistryRow, { presence }: DatabaseSighting): boolean {
  return registrar.state === 'provisioning' && registrar.recreating !== true && presence === 'absent';
}

/** Whether an entry lost to the id that the config of its own folder has, and nothing but its file was made yet. */
function givesWay(claim: Claim, { row, database }: Sighting): boolean {
  const { folder } = row.registrar;
  return (
    claim.id !== null &&
    claim.folder !== null &&
    folder !== undefined &&
    folderKey(folder) === folderKey(claim.folder) &&
    row.id !== claim.id &&
    isOnlyReserved(row, database)
  );
}

async function changeIdentity(
  run: Run,
  sighting: Sighting,
  claim: Claim,
  decision: 'claim-folder' | 'move-folder' | 'rename' | 're-key',
): Promise<Identified> {
  const { row } = sighting;
  const { folder } = claim;
  const newId = claim.id ?? row.id;
  const plan = {
    'claim-folder': { step: `record ${folder?.path ?? ''} as the folder of project "${row.name}"`, change: {} },
    'move-folder': { step: `record ${folder?.path ?? ''} as the new folder of project "${row.name}"`, change: {} },
    rename: { step: `rename project "${row.name}" to "${claim.name}"`, change: { name: claim.name } },
    're-key': { step: `change the id of project "${row.name}" from ${row.id} to ${newId}`, change: { id: newId } },
  }[decision];
  // A rename can take away the very name that was expected.
  if (decision === 'rename') requireExpected(run.options.expect, { ...row, name: claim.name });
  if (run.options.dryRun) return { kind: 'done', settled: wouldDo(run, sighting, [plan.step]) };

  const git = folder ? await run.ports.folders.git(folder.path) : null;
  const claims = folder
    ? { ...row.registrar.claims, [folderKey(folder)]: { name: claim.name, at: run.ports.origin.now() } }
    : (row.registrar.claims ?? {});
  const change = {
    ...plan.change,
    registrar: {
      claims,
      ...(decision !== 'rename' && folder ? { folder, ...(git ? { git } : {}) } : {}),
      ...(decision === 're-key' ? { formerIds: [...new Set([...(row.registrar.formerIds ?? []), row.id])] } : {}),
    },
  };
  const changed = await changeRow(run, sighting, change, commentFollowing(run, sighting, plan.change));
  if (changed === 'done') noteChange(run, row, claim, decision);
  return { kind: 'again' };
}

function noteChange(run: Run, row: RegistryRow, claim: Claim, decision: string): void {
  const { warnings } = run;
  if (decision === 'rename') {
    const hint = 'If that was not meant, change project.name back.';
    warnings.push(warning('RENAMED', `Project "${row.name}" is now named "${claim.name}", as the config says.`, hint));
  } else if (decision === 're-key') {
    const message = `Project "${row.name}" has the config's id ${claim.id ?? ''} now; it is still found by ${row.id}.`;
    warnings.push(warning('REKEYED', message, 'If that was not meant, change project.id back; both ids find it.'));
  } else if (decision === 'move-folder') {
    const message = `Project "${row.name}" was in ${row.registrar.folder?.path ?? ''}, which is gone; it is here now.`;
    warnings.push(warning('FOLDER_MOVED', message, 'If this is another project, give it another project.name.'));
  }
}

function noteDifference(run: Run, claim: Claim, row: RegistryRow): void {
  if (run.warnings.some(({ code }) => code === 'NAME_DIFFERS')) return;
  const message = `The config says "${claim.name}", but this project's name is "${row.name}".`;
  const hint = `Set project.name to "${row.name}", or: registrar projects rename ${row.id} NAME`;
  run.warnings.push(warning('NAME_DIFFERS', message, hint));
}

function recall(run: Run, claim: Claim, because: ErrorReport): Settled | null {
  const recalled = run.ports.memory.recall({ id: claim.id, name: claim.name }, claim.folder);
  return recalled && settledFromMemory(recalled, because);
}

async function writeId(settled: Settled, row: RegistryRow, config: ConfigIdPort): Promise<void> {
  const written = await config.writeId(row.id);
  if (written.kind === 'written') return;
  const why = written.kind === 'failed' ? written.reason : `the file has the id ${written.id} by now`;
  settled.warnings.push(
    warning(
      'ID_NOT_WRITTEN',
      `The project's id could not be written into the config: ${why.replace(/\.$/, '')}.`,
      `Put "id": "${row.id}" under "project" yourself, so that a moved or copied folder stays this project.`,
    ),
  );
}

function creationSteps(claim: Claim, databaseName: string): string[] {
  const shown =
    claim.id === null && claim.databaseName === null ? databaseName.replace(/[0-9a-f]{8}$/, '…') : databaseName;
  return [
    `register project "${claim.name}"`,
    `create database ${shown}`,
    ...(claim.id === null && claim.folder ? ["write the project's id into the config"] : []),
  ];
}

/** PROJECT_MISMATCH before anything is changed, unless the claim or the row that it may stand for is the expected project. */
function requireExpectedClaim(expect: string | null, claim: Claim, row: RegistryRow | null): void {
  if (expect === null || expect === claim.name || (row && isProject(expect, row))) return;
  const id = parseId(expect);
  if (id === null || id !== claim.id) throw projectMismatch(expect, row?.name ?? claim.name);
}
