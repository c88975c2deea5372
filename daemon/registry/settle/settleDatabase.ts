import { RegistrarError } from '../../protocol/registrarError.ts';
import { databaseNameFor } from '../../protocol/names.ts';
import { decideDatabase, type DatabaseCase, type DatabaseDecision } from './databaseRules.ts';
import {
  databaseForeign,
  databaseOccupied,
  databaseOfStranger,
  databaseRenamed,
  databaseVanished,
  nothingMade,
  projectDropping,
  projectForgotten,
  warning,
} from '../failures.ts';
import type { Folder, OwnedDatabase, Sighting } from '../model.ts';
import { isBelieved, requireBelieved } from '../evidence/owners.ts';
import { changeRow, databasesElsewhere, markerStanding, ownComment, ownerOf } from './rowChanges.ts';
import { requireCreation, wouldDo, type Run, type Settled } from './settleRun.ts';

/**
 * Observes the row's database and does one step towards a usable one.
 *
 * @returns the answer, or `again` after a step or a change that somebody else made
 * @throws RegistrarError with the refusal's code
 */
export async function settleDatabase(run: Run, sighting: Sighting, folder: Folder | null): Promise<Settled | 'again'> {
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
      // An entry that has left the outbox was given up or delivered: a database created for it now would belong to
      // nobody.
      if (sighting.sync.state !== 'synced' && run.ports.outbox.find({ id: row.id, name: null }).length === 0)
        return 'again';
      run.begun = true;
      if ((await catalog.createDatabase(row.databaseName)) === 'created') {
        run.createdDatabase = row.databaseName;
        // Each daemon has its own entry; only the server knows that this daemon created the database.
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

/** What people read while it happens. The steps that finish a database report themselves. */
const stepText = {
  'restore-marker': (database: string) => `marking database ${database}`,
  'finish-drop': (database: string) => `finishing the interrupted drop of database ${database}`,
  create: (database: string) => `creating database ${database}`,
  recreate: (database: string) => `database ${database} is gone; creating it again`,
  'next-name': (database: string) => `choosing another name, since ${database} is taken`,
} as const;

/**
 * The row's database, with its owner if that matters. It is enough if row and marker agree, or if this run created the
 * database. Anybody who may create databases could have planted anything else.
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
  // A database that this run has just created contains only what the template contains.
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
 * Schema and marker are one transaction in the project's database: relations in an unmarked database are therefore
 * never the schema of an interrupted creation.
 */
async function finish(run: Run, sighting: Sighting): Promise<void> {
  const { row, database } = sighting;
  const schema = await run.ports.catalog.projectSchema();
  const comment = ownComment(run, row, database, schema?.version ?? null);
  if (schema) {
    run.options.onStep?.(`applying the project schema to ${row.databaseName}`);
    if ((await run.ports.catalog.applySchema(schema, comment, row)) === 'lost') return;
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
