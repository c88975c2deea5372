import type { OnStep } from '../protocol/methods.ts';
import type { SyncState, Warning } from '../protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import { decideDatabase, type DatabaseCase, type DatabaseDecision } from './databaseRules.ts';
import {
  databaseForeign,
  databaseOccupied,
  databaseOfStranger,
  databaseRenamed,
  databaseVanished,
  interrupted,
  mayNotCreate,
  notSettled,
  nothingMade,
  overrideMissing,
  projectDropping,
  projectForgotten,
  projectMismatch,
  serverReadOnly,
  warning,
} from './failures.ts';
import { markedEvidence, type Asker } from './evidence.ts';
import { ownerByMarker } from './handOver.ts';
import { parseId } from './ids.ts';
import { readMarker, standingOf, writeMarker } from './marker.ts';
import type { Claim, DatabaseSighting, Folder, Marker, OwnedDatabase, RegistryRow, Sighting } from './model.ts';
import { databaseNameFor } from '../protocol/names.ts';
import { isBelieved, requireBelieved } from './owners.ts';
import { isSilence } from './silence.ts';
import type { Abilities, Changed, CommentChange, RegistryPorts, RowChange } from './ports.ts';

export interface SettleOptions {
  /** Look, decide, and say what would be done; change nothing. */
  dryRun: boolean;
  /** Id or name that the project must have; anything else is PROJECT_MISMATCH before anything is made. */
  expect: string | null;
  /** Waits longer for a slow server: for those whom memory could not answer. True when absent. */
  patient?: boolean;
  /** Throws when the row must not be used for another reason; asked before anything is changed. */
  check?: (row: RegistryRow) => void;
  /** A person asked for a new, empty database where the project's is gone; without it nothing is put in its place. */
  remake?: boolean;
  /** A person asked for a new project, also in the place of one that was dropped. */
  anew?: boolean;
  /** Told before each step that makes or changes something. */
  onStep?: OnStep | undefined;
  /** A person when absent. */
  asker?: Asker | undefined;
}

/** A project that may be used, and how it came to be so. */
export interface Settled {
  /** Null only in a dry run of a project that does not exist yet. */
  row: RegistryRow | null;
  sync: SyncState | null;
  created: boolean;
  /** When memory answered: the time it was last confirmed, ISO 8601, and why nobody else did. */
  stale: { since: string; because: ErrorReport } | null;
  warnings: Warning[];
  identity: { outcome: 'matched' | 'skipped'; reason: string };
  wouldDo: string[] | null;
  /** The row with its database, as it was when it was found usable; absent where nobody looked. */
  sighting?: Sighting;
}

/** What identifying gave: a sighting to go on with, `again` after a change or a lost race, or a finished answer. */
export type Identified = { kind: 'row'; sighting: Sighting } | { kind: 'again' } | { kind: 'done'; settled: Settled };

/** Whatever one resolution has done so far. */
export interface Run {
  readonly ports: RegistryPorts;
  readonly options: SettleOptions;
  readonly warnings: Warning[];
  created: boolean;
  /** A step was tried that makes something: even where its answer was lost it may be there, and the next run goes on from it. */
  begun: boolean;
  /** The id under which this run reserved a project, which a refusal takes back. */
  reserved: string | null;
  /** The database that this run's CREATE DATABASE acknowledged: absent again means that the server did not tell the truth. */
  createdDatabase: string | null;
  recreated: boolean;
}

/** More than any legitimate chain of steps and lost races needs; beyond it two programs undo each other's changes. */
const passLimit = 24;

export function startRun(given: RegistryPorts, options: SettleOptions): Run {
  const ports = options.dryRun ? { ...given, ...given.lookingOnly } : given;
  return {
    ports,
    options,
    warnings: [],
    created: false,
    begun: false,
    reserved: null,
    createdDatabase: null,
    recreated: false,
  };
}

/**
 * Brings a project into the state in which it may be used: observe, decide one step, do it, observe again. Since every step
 * is conditional on what was observed and every pass starts from what is really there, it makes no difference who does
 * which step, or who died in between.
 *
 * @param identify says which row is meant, or does one step towards it
 * @param claim the config's claim, null when an explicit reference chose the row
 * @throws RegistrarError with the refusal's code; PROVISION_FAILED when it does not settle
 */
export async function settle(run: Run, identify: () => Promise<Identified>, claim: Claim | null): Promise<Settled> {
  try {
    return await settleInPasses(run, identify, claim);
  } catch (error) {
    if (error instanceof RegistrarError && isForeign(error)) await takeBack(run);
    throw run.begun && isSilence(error) ? interrupted(error) : error;
  }
}

/** Where adopting the database is offered, that completes the reservation, under the id that the config has. */
function isForeign({ code, details }: RegistrarError): boolean {
  const choices = details?.['choices'];
  return code === 'DATABASE_FOREIGN' && !(Array.isArray(choices) && choices.includes('adopt'));
}

/**
 * Removes what this run has just reserved: its project has no database, and whoever was refused would find his name taken by
 * it. Somebody else may have gone on with it meanwhile: then it stays.
 */
async function takeBack(run: Run): Promise<void> {
  const { reserved, ports } = run;
  if (reserved === null || run.createdDatabase !== null) return;
  try {
    const looked = await ports.registry.look({ id: reserved, name: null }, true);
    const row = looked.kind === 'seen' ? looked.sightings.find((seen) => seen.row.id === reserved)?.row : undefined;
    if (row?.registrar.state === 'provisioning') await ports.registry.remove(row, null);
    const [entry] = ports.outbox.find({ id: reserved, name: null });
    if (entry?.registrar.state === 'provisioning') await ports.outbox.remove(reserved);
  } catch (error) {
    // Why the claim was refused is what has to be heard; drift names the reservation that is left.
    if (!(error instanceof RegistrarError)) throw error;
  }
}

async function settleInPasses(run: Run, identify: () => Promise<Identified>, claim: Claim | null): Promise<Settled> {
  let name = claim?.name ?? '';
  for (let pass = 0; pass < passLimit; pass++) {
    const identified = await identify();
    if (identified.kind === 'done') return identified.settled;
    if (identified.kind === 'again') continue;
    const { sighting } = identified;
    name = sighting.row.name;
    requireExpected(run.options.expect, sighting.row);
    run.options.check?.(sighting.row);
    const settled =
      (await applyOverride(run, sighting, claim)) ?? (await settleDatabase(run, sighting, claim?.folder ?? null));
    if (settled !== 'again') return settled;
  }
  throw notSettled(name);
}

/** PROJECT_MISMATCH unless the row is the expected project by id, former id or name. */
export function requireExpected(expect: string | null, row: RegistryRow): void {
  if (expect !== null && !isProject(expect, row)) throw projectMismatch(expect, `${row.name} (${row.id})`);
}

export function isProject(reference: string, row: RegistryRow): boolean {
  const id = parseId(reference);
  if (id && (id === row.id || row.registrar.formerIds?.includes(id))) return true;
  return reference === row.name;
}

/** Applies a change where the row lives: in the registry, or in the outbox until it is delivered. */
export async function changeRow(
  run: Run,
  sighting: Sighting,
  change: RowChange,
  comment: CommentChange | null,
): Promise<Changed> {
  const { registry, catalog, outbox } = run.ports;
  if (sighting.sync.state === 'synced') return registry.change(sighting.row, change, comment);
  if (change.id !== undefined) {
    // The entry says which id was the former one, so a kill in between leaves a marker that is still known for its own.
    // The other way round it would leave a database with an id that nobody has.
    const changed = await outbox.change(sighting.row, change);
    if (changed === 'done' && comment) await catalog.comment(comment);
    return changed;
  }
  if (comment && (await catalog.comment(comment)) === 'lost') return 'lost';
  return outbox.change(sighting.row, change);
}

/** The comment that makes `row` the owner of its database, or null where that database is not (yet) its own. */
export function commentFollowing(run: Run, sighting: Sighting, change: RowChange): CommentChange | null {
  const { row, database } = sighting;
  if (database.presence !== 'present' || markerStanding(run, row, database) !== 'mine') return null;
  const marker = readMarker(database.comment);
  const schemaVersion = marker.kind === 'marker' ? marker.marker.schemaVersion : null;
  const registrar = { ...row.registrar, ...change.registrar };
  const changed = { ...row, id: change.id ?? row.id, name: change.name ?? row.name, registrar };
  return ownComment(run, changed, database, schemaVersion, row.id);
}

/** Says what a dry run would do, as a finished answer. */
export function wouldDo(run: Run, sighting: Sighting | null, steps: string[]): Settled {
  return {
    row: sighting?.row ?? null,
    sync: sighting?.sync ?? null,
    created: false,
    stale: null,
    warnings: run.warnings,
    identity: { outcome: 'skipped', reason: 'dry run' },
    wouldDo: steps,
  };
}

/**
 * CREATEDB, a writable server and a readable schema are checked before the first trace of a project is left anywhere.
 *
 * @returns who asks, and whose the database will be
 */
export async function requireCreation(run: Run): Promise<Abilities> {
  const abilities = await run.ports.catalog.abilities();
  if (abilities.readOnly) throw serverReadOnly(run.ports.catalog.label);
  if (!abilities.mayCreateDatabases) throw mayNotCreate(abilities.role, run.ports.catalog.label);
  await run.ports.catalog.projectSchema();
  return abilities;
}

async function applyOverride(run: Run, sighting: Sighting, claim: Claim | null): Promise<Settled | 'again' | null> {
  const wanted = claim?.databaseName ?? null;
  const { row } = sighting;
  if (wanted === null || wanted === row.databaseName) return null;
  const database = await run.ports.catalog.lookDatabase(wanted);
  await requireBelieved(wanted, database, row, run.ports.catalog);
  if (database.presence === 'present' && markerStanding(run, row, database) !== 'mine') {
    throw databaseForeign(row, wanted, ownerOf(run, database));
  }
  // A reservation whose database was never made may still take another name; an existing project keeps its own.
  const reservedOnly = row.registrar.state === 'provisioning' && sighting.database.presence === 'absent';
  if (database.presence !== 'present' && !reservedOnly) throw overrideMissing(row, wanted);
  if (run.options.dryRun) return wouldDo(run, sighting, [`point project "${row.name}" at database ${wanted}`]);
  const changed = await changeRow(
    run,
    sighting,
    { databaseName: wanted, registrar: { databaseNameChosen: true } },
    null,
  );
  if (changed === 'taken') throw databaseForeign(row, wanted, 'another project has it');
  return 'again';
}

async function settleDatabase(run: Run, sighting: Sighting, folder: Folder | null): Promise<Settled | 'again'> {
  const { row } = sighting;
  const { catalog } = run.ports;
  const looked = await lookOwner(run, sighting);
  // Marked or replaced since the row was read.
  if (looked && (looked.presence !== sighting.database.presence || looked.comment !== sighting.database.comment))
    return 'again';
  const decision = decideDatabase(await databaseCaseOf(run, sighting, looked));
  if (decision === 'use') {
    return usable(run, sighting, folder, { outcome: 'matched', reason: 'the database carries the same id' });
  }
  if (decision === 'refuse-occupied' && (await isMarkedMeanwhile(run, sighting))) return 'again';
  if (isRefusal(decision)) throw await refusalOf(run, sighting, decision, looked);
  if (run.options.dryRun) return wouldDo(run, sighting, [dryRunText[decision](row.databaseName)]);
  if (decision !== 'finish') run.options.onStep?.(stepText[decision](row.databaseName));
  switch (decision) {
    case 'restore-marker':
      return restoreMarker(run, sighting, folder);
    case 'finish-drop':
      await catalog.finishDrop(row.databaseName);
      return 'again';
    case 'create':
      if (run.createdDatabase === row.databaseName) throw nothingMade(row.databaseName);
      await requireCreation(run);
      // An entry that left the outbox meanwhile was given up or delivered: a database made for it now would be nobody's.
      if (sighting.sync.state !== 'synced' && run.ports.outbox.find({ id: row.id, name: null }).length === 0)
        return 'again';
      run.begun = true;
      if ((await catalog.createDatabase(row.databaseName)) === 'created') {
        run.createdDatabase = row.databaseName;
        // Each daemon has an entry of its own; that the database was made by this one only the server knows.
        if (sighting.sync.state !== 'synced' && row.registrar.recreating !== true) run.created = true;
      }
      return 'again';
    case 'finish':
      await finish(run, sighting);
      return 'again';
    case 'recreate':
      await recreate(run, sighting);
      return 'again';
    case 'next-name': {
      await nextName(run, sighting);
      return 'again';
    }
  }
}

async function recreate(run: Run, sighting: Sighting): Promise<void> {
  const { owner } = await requireCreation(run);
  const registrar = { state: 'provisioning', recreating: true, madeAs: owner } as const;
  if ((await changeRow(run, sighting, { registrar }, null)) === 'done') run.recreated = true;
}

type Refusal = Extract<DatabaseDecision, `refuse-${string}`>;

function isRefusal(decision: DatabaseDecision): decision is Refusal {
  return decision.startsWith('refuse-');
}

async function refusalOf(
  run: Run,
  { row, database }: Sighting,
  decision: Refusal,
  looked: OwnedDatabase | null,
): Promise<RegistrarError> {
  switch (decision) {
    case 'refuse-stranger': {
      const { role } = await run.ports.catalog.abilities();
      return databaseOfStranger(row.databaseName, looked?.owner ?? null, role);
    }
    case 'refuse-dropping':
      return projectDropping(row);
    case 'refuse-forgotten':
      return projectForgotten(row.name, row.databaseName);
    case 'refuse-foreign':
      return databaseForeign(row, row.databaseName, ownerOf(run, database));
    case 'refuse-occupied':
      return databaseOccupied(row);
    case 'refuse-renamed':
      return databaseRenamed(row, (await databasesElsewhere(run, row))[0] ?? '');
    case 'refuse-missing':
      return databaseVanished(row, run.ports.catalog.label);
  }
}

const dryRunText = {
  'restore-marker': (database: string) => `mark database ${database}`,
  'finish-drop': (database: string) => `finish the interrupted drop of database ${database}`,
  create: (database: string) => `create database ${database}`,
  finish: (database: string) => `finish database ${database}`,
  recreate: (database: string) => `create database ${database} again, empty`,
  'next-name': (database: string) => `create a database with another name, since ${database} is taken`,
} as const;

/** As people hear it while it is done; what finishes a database are steps of its own. */
const stepText = {
  'restore-marker': (database: string) => `marking database ${database}`,
  'finish-drop': (database: string) => `finishing the interrupted drop of database ${database}`,
  create: (database: string) => `creating database ${database}`,
  recreate: (database: string) => `database ${database} is gone, and is made again`,
  'next-name': (database: string) => `choosing another name, since ${database} is taken`,
} as const;

/**
 * The row's database with its owner, where it matters: row and marker that agree are enough, and so is that this run made
 * the database. Anything else could be planted by whoever may make databases.
 */
async function lookOwner(run: Run, { row, database }: Sighting): Promise<OwnedDatabase | null> {
  const agrees = (row.registrar.state ?? 'ready') === 'ready' && markerStanding(run, row, database) === 'mine';
  if (database.presence !== 'present' || agrees || row.registrar.state === 'dropping') return null;
  if (run.createdDatabase === row.databaseName) return null;
  return run.ports.catalog.lookDatabase(row.databaseName);
}

async function databaseCaseOf(run: Run, sighting: Sighting, looked: OwnedDatabase | null): Promise<DatabaseCase> {
  const { row, database } = sighting;
  const state = row.registrar.state ?? 'ready';
  const marker = markerStanding(run, row, database);
  const { presence } = database;
  const owner = looked === null || isBelieved(looked, row) ? 'believed' : 'stranger';
  const asksRelations = state === 'provisioning' && presence === 'present' && marker === 'none' && owner === 'believed';
  // What this run just created holds what the template holds, and nobody's data.
  const isOwnNew = run.createdDatabase === row.databaseName;
  const relations =
    asksRelations && !isOwnNew && (await run.ports.catalog.hasUserRelations(row.databaseName)) ? 'some' : 'none';
  const elsewhere = state === 'ready' && presence === 'absent' && (await databasesElsewhere(run, row)).length > 0;
  return {
    state,
    presence,
    marker,
    owner,
    relations,
    elsewhere,
    nameChosen: row.registrar.databaseNameChosen === true,
    remake: run.options.remake === true,
  };
}

/** Another daemon's schema and marker appear together: relations seen after an absent marker may be the project's own. */
async function isMarkedMeanwhile(run: Run, { row, database }: Sighting): Promise<boolean> {
  return (await run.ports.catalog.lookDatabase(row.databaseName)).comment !== database.comment;
}

function markerStanding(run: Run, row: RegistryRow, database: DatabaseSighting): DatabaseCase['marker'] {
  return standingOf(database.comment, row, run.ports.catalog.registry);
}

/** Whose the database is by its marker, as the end of a sentence. */
export function ownerOf(run: Run, database: DatabaseSighting): string {
  return ownerByMarker(database.comment, run.ports.catalog.registry);
}

/** Other databases that carry the row's marker: its own, renamed behind our back. */
export async function databasesElsewhere(run: Run, row: RegistryRow): Promise<string[]> {
  const marked = await run.ports.catalog.findMarked({ id: row.id, name: null }, row);
  return marked
    .filter(({ databaseName, marker }) => databaseName !== row.databaseName && marker.forgottenAt === null)
    .map(({ databaseName }) => databaseName);
}

const notMarked = {
  forbidden: 'this role may not write one',
  'read-only': 'the registry takes no writes at present',
} as const;

async function restoreMarker(run: Run, sighting: Sighting, folder: Folder | null): Promise<Settled | 'again'> {
  const { row, database } = sighting;
  const commented = await run.ports.catalog.comment(ownComment(run, row, database, null)).catch((error: unknown) => {
    if (error instanceof RegistrarError && error.code === 'REGISTRY_READ_ONLY') return 'read-only' as const;
    throw error;
  });
  if (commented === 'lost') return 'again';
  if (commented === 'forbidden' || commented === 'read-only') {
    const reason = `the database carries no marker, and ${notMarked[commented]}`;
    return usable(run, sighting, folder, { outcome: 'skipped', reason });
  }
  run.warnings.push(
    warning(
      'MARKER_RESTORED',
      `Database ${row.databaseName} carried no marker; it was marked as project "${row.name}"'s.`,
      'If the database is not this project’s, correct the registry entry.',
    ),
  );
  return 'again';
}

/**
 * Schema and marker are one transaction in the project's database: whoever meets an unmarked database with relations in it
 * can be sure that they are not the schema of an interrupted creation.
 */
async function finish(run: Run, sighting: Sighting): Promise<void> {
  const { row, database } = sighting;
  const schema = await run.ports.catalog.projectSchema();
  const comment = ownComment(run, row, database, schema?.version ?? null);
  if (schema) {
    run.options.onStep?.(`applying the project schema to ${row.databaseName}`);
    await run.ports.catalog.applySchema(schema, comment, row);
  }
  run.options.onStep?.(`marking database ${row.databaseName} as the project's`);
  const { recreating } = row.registrar;
  await changeRow(
    run,
    sighting,
    { registrar: { state: 'ready', ...(recreating ? { recreating: false } : {}) } },
    comment,
  );
  if (recreating) run.recreated = true;
}

async function nextName(run: Run, sighting: Sighting): Promise<void> {
  const { row, database } = sighting;
  for (let group = 0; group < 4; group++) {
    if (databaseNameFor(row.name, row.id, group) !== row.databaseName) continue;
    if (group === 3) break;
    await changeRow(run, sighting, { databaseName: databaseNameFor(row.name, row.id, group + 1) }, null);
    return;
  }
  await requireBelieved(
    row.databaseName,
    await run.ports.catalog.lookDatabase(row.databaseName),
    row,
    run.ports.catalog,
  );
  throw databaseForeign(row, row.databaseName, ownerOf(run, database));
}

/**
 * The comment that makes the row the owner of its database.
 *
 * @param formerId the id that its marker has so far, where the row is about to get another
 */
export function ownComment(
  run: Run,
  row: RegistryRow,
  database: DatabaseSighting,
  schemaVersion: string | null,
  formerId = row.id,
): CommentChange {
  const marker: Marker = {
    registry: run.ports.catalog.registry,
    projectId: row.id,
    name: row.name,
    createdAt: row.createdAt,
    schemaVersion,
    forgottenAt: null,
    ...markedEvidence(row, run.ports.origin),
  };
  return { databaseName: row.databaseName, comment: writeMarker(marker, database.comment, formerId) };
}

function usable(run: Run, sighting: Sighting, folder: Folder | null, identity: Settled['identity']): Settled {
  const { row, sync } = sighting;
  if (run.recreated) {
    run.warnings.push(
      warning(
        'DATABASE_RECREATED',
        `Database ${row.databaseName} was gone and was made again, empty; its data is lost.`,
        'Restore it from a backup if you have one.',
      ),
    );
  }
  run.ports.memory.remember(row, folder);
  return { row, sync, created: run.created, stale: null, warnings: run.warnings, identity, wouldDo: null, sighting };
}
