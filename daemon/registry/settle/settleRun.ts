import type { OnStep } from '../../protocol/operationModel.ts';
import type { SyncState, Warning } from '../../protocol/model.ts';
import { type ErrorReport } from '../../protocol/registrarError.ts';
import { mayNotCreate, serverReadOnly } from '../failures.ts';
import type { Asker } from '../evidence/evidence.ts';
import type { RegistryRow, Sighting } from '../model.ts';
import type { Abilities, RegistryPorts } from '../ports.ts';

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
