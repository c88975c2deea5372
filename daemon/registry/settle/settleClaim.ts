import type { ErrorReport } from '../../protocol/registrarError.ts';
import { quoted } from '../../protocol/visibleText.ts';
import { changeIdentity, reserve } from './claimChanges.ts';
import {
  identityCaseOf,
  judgeClaim,
  refusalOf,
  requireEvidence,
  type Claiming,
  type Seen,
} from '../evidence/claimEvidence.ts';
import { isAdmitted, person, type Asker } from '../evidence/evidence.ts';
import {
  conflictForAgent,
  droppedForAgent,
  forgottenForAgent,
  nameTakenForAgent,
} from '../evidence/evidenceFailures.ts';
import {
  contradiction,
  nameConflict,
  projectDropped,
  projectForgotten,
  projectMismatch,
  unlistedDatabase,
  warning,
} from '../failures.ts';
import { droppedFor, droppedSince } from '../changes/droppedProject.ts';
import { decideIdentity } from './identityRules.ts';
import { parseId } from '../ids.ts';
import { folderKey } from '../model.ts';
import type { Claim, DatabaseSighting, MarkedDatabase, RegistryEvent, RegistryRow, Sighting } from '../model.ts';
import type { ConfigIdPort, RegistryPorts } from '../ports.ts';
import { recordUse } from './recordUse.ts';
import { settledFromMemory } from './settledFromMemory.ts';
import { sightEntries, unregistered } from './sightEntries.ts';
import { isProject, settle } from './settle.ts';
import { startRun } from './settleRun.ts';
import type { Identified, Run, Settled, SettleOptions } from './settleRun.ts';

/**
 * Get or create: the project that a config file claims, created if it does not exist.
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
  const claiming: Claiming = { claim, group: 0, judged: null };
  const settled = await settle(run, () => identify(run, claiming, config), claim);
  if (!options.dryRun && settled.row && settled.stale === null) {
    await recordUse(run, settled, claiming.judged && { name: claim.name, judged: claiming.judged });
    if (claiming.claim.id === null && config) await writeId(settled, settled.row, config);
  }
  return settled;
}

async function identify(run: Run, claiming: Claiming, config: ConfigIdPort | null): Promise<Identified> {
  const { claim } = claiming;
  // The folder is identified while the server is asked.
  const identified = claim.folder ? run.ports.folders.identify(claim.folder.path) : undefined;
  const seen = await look(run, claim);
  if (seen.unreadable && !seen.byId && !seen.byName) {
    const stale = await recall(run, claim, seen.unreadable);
    if (stale) return { kind: 'done', settled: stale };
  }
  const chosen = seen.byId ?? seen.byName;
  const asker = run.options.asker ?? person;
  claiming.judged = chosen && (await judgeClaim(claim, chosen.row, run.ports, asker, identified));
  // Nobody learns which project a stranger's folder means, whatever they expected.
  if (!claiming.judged || isAdmitted(claiming.judged.decision))
    requireExpectedClaim(run.options.expect, claim, chosen?.row ?? null);
  const marked = seen.byId ? [] : await markedFor(run, seen, claim);
  const identityCase = await identityCaseOf(run.ports, seen, claiming, marked, asker);
  const decision = decideIdentity(identityCase);
  if (decision.startsWith('refuse-')) {
    if (marked.length > 0 && !isSameSeen(seen, await look(run, claim))) return { kind: 'again' };
    if (decision === 'refuse-conflict' && chosen && (await getsId(run, claiming, chosen.row, config)))
      return { kind: 'again' };
    if (decision !== 'refuse-conflict' && asker.kind === 'agent') {
      if (await hasIdByNow(claiming, config)) return { kind: 'again' };
      if (claim.folder === null) throw nameTakenForAgent(claim.name);
      throw decision === 'refuse-forgotten' ? forgottenForAgent() : conflictForAgent();
    }
  }
  const marker = marked[0];
  switch (decision) {
    case 'use':
    case 'use-name-differs':
      if (!chosen) break;
      if (chosen.sync.state !== 'synced' && chosen.database.presence === 'absent')
        requireNotDropped(seen.unreadable ? null : await droppedSince(chosen.row, run.ports), claim, asker);
      if (!(await agreeThroughConfig(run, claiming, chosen, config))) return { kind: 'again' };
      if (decision === 'use-name-differs') noteDifference(run, claim, chosen.row);
      return { kind: 'row', sighting: chosen };
    case 'refuse-contradiction':
      if (seen.byId && seen.byName) throw contradiction(claim, seen.byId.row, seen.byName.row);
      break;
    case 'refuse-conflict':
      if (chosen && claim.folder && !run.options.dryRun && !seen.unreadable)
        run.ports.events.refused(chosen.row, claim.folder.path);
      if (chosen && claiming.judged) throw await refusalOf(claim, chosen.row, claiming.judged, run.ports, asker);
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
      if (!seen.unreadable && run.options.anew !== true)
        requireNotDropped(await droppedFor(claim, run.ports), claim, asker);
      return reserve(run, claiming, null, seen.unreadable);
    case 'reserve-marked':
      return reserve(run, claiming, marker ?? null, seen.unreadable);
    case 'claim-folder':
    case 'move-folder':
    case 'rename':
    case 're-key':
      if (chosen) return changeIdentity(run, chosen, claiming, decision);
  }
  throw new Error(`identity decision ${decision} does not fit what was seen`);
}

function requireNotDropped(event: RegistryEvent | null, claim: Claim, asker: Asker): void {
  if (event) throw asker.kind === 'agent' ? droppedForAgent() : projectDropped(claim.name, event);
}

/** How long, in ms, Registrar assumes that whoever created a project is about to write its id into the same config. */
const freshRowMs = 60_000;
const idWaitMs = 5000;
const idEveryMs = 100;

/**
 * For a name alone that meets a project created a moment ago: whoever created it may be about to write its id into this
 * very config. Reads the file until the id is there, for at most five seconds.
 */
async function getsId(run: Run, claiming: Claiming, row: RegistryRow, config: ConfigIdPort | null): Promise<boolean> {
  const { origin } = run.ports;
  const isFresh = Date.parse(origin.now()) - Date.parse(row.createdAt) < freshRowMs;
  if (!isFresh || claiming.hasWaited || claiming.claim.id !== null || !config || run.options.dryRun) return false;
  claiming.hasWaited = true;
  for (let waitedMs = 0; waitedMs < idWaitMs; waitedMs += idEveryMs) {
    if (await hasIdByNow(claiming, config)) return true;
    await origin.pause(idEveryMs);
  }
  return hasIdByNow(claiming, config);
}

/**
 * Whether the config got an id since it was read; if so, the id says which project is meant. While the registry refuses
 * rows, another daemon's new project first appears as a database and as an id in the config.
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
  // The registry comes first: an entry that it already has is on its way out of the outbox.
  const waiting = outbox
    .find({ id: claim.id, name: claim.name })
    .filter(({ id }) => !sightings.some(({ row }) => row.id === id));
  const entries = looked.kind === 'seen' ? await unregistered(waiting, registry) : waiting;
  for (const sighting of await sightEntries(entries, run.ports)) {
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
    // A parked project and the one that has its name share the name. For a claim that has an id, the name therefore
    // agrees.
    byName: byId?.row.name === claim.name ? byId : (sightings.find(({ row }) => row.name === claim.name) ?? null),
    unreadable: looked.kind === 'unreadable' ? looked.failure : null,
  };
}

/**
 * Rows and markers are two statements: a project that was created, re-keyed or adopted in between shows a marker that
 * no row explains. If the rows are still the same after the markers were read, the refusal is correct.
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

/**
 * Without a registry, the config file decides between daemons that create the same project: the id in the file wins.
 * Before anyone creates a database for an entry that exists only as a file, they check the config, also when they
 * complete what a killed daemon left.
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
  // Two daemons that read the file and replace it at the same instant would both believe that theirs is the id.
  const written = await run.ports.catalog.oneAtATime(row.name, () => config.writeId(row.id));
  if (written.kind === 'failed' || written.kind === 'not-meant') return true;
  claiming.claim = { ...claiming.claim, id: written.kind === 'other' ? written.id : row.id };
  return written.kind === 'written';
}

function isOnlyReserved({ registrar }: RegistryRow, { presence }: DatabaseSighting): boolean {
  return registrar.state === 'provisioning' && registrar.recreating !== true && presence === 'absent';
}

/** Whether an entry lost to the id in its own folder's config, and exists only as a file yet. */
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

function noteDifference(run: Run, claim: Claim, row: RegistryRow): void {
  if (run.warnings.some(({ code }) => code === 'NAME_DIFFERS')) return;
  const message = `The config says ${quoted(claim.name)}, but this project's name is ${quoted(row.name)}.`;
  const hint = `Set project.name to ${quoted(row.name)}, or: registrar projects rename ${row.id} NAME`;
  run.warnings.push(warning('NAME_DIFFERS', message, hint));
}

async function recall(run: Run, claim: Claim, because: ErrorReport): Promise<Settled | null> {
  const recalled = run.ports.memory.recall({ id: claim.id, name: claim.name }, claim.folder);
  if (recalled) await requireEvidence(claim, recalled.row, run.ports, run.options.asker);
  return recalled && settledFromMemory(recalled, because);
}

async function writeId(settled: Settled, row: RegistryRow, config: ConfigIdPort): Promise<void> {
  const written = await config.writeId(row.id);
  if (written.kind === 'written' || written.kind === 'not-meant') return;
  const why = written.kind === 'failed' ? written.reason : `the file has the id ${written.id} by now`;
  settled.warnings.push(
    warning(
      'ID_NOT_WRITTEN',
      `The project's id could not be written into the config: ${why.replace(/\.$/, '')}.`,
      `Put "id": "${row.id}" under "project" yourself, so that a moved or copied folder stays this project.`,
    ),
  );
}

/** PROJECT_MISMATCH before anything is changed, unless the claim or the row that it may stand for is the expected project. */
function requireExpectedClaim(expect: string | null, claim: Claim, row: RegistryRow | null): void {
  if (expect === null || expect === claim.name || (row && isProject(expect, row))) return;
  const id = parseId(expect);
  if (id === null || id !== claim.id) throw projectMismatch(expect, row?.name ?? claim.name);
}
