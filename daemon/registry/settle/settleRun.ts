import type { OnStep } from '../../protocol/operationModel.ts';
import type { SyncState, Warning } from '../../protocol/model.ts';
import { type ErrorReport } from '../../protocol/registrarError.ts';
import { mayNotCreate, serverReadOnly } from '../failures.ts';
import type { Asker } from '../evidence/evidence.ts';
import type { RegistryRow, Sighting } from '../model.ts';
import type { Abilities, RegistryPorts } from '../ports.ts';

export interface SettleOptions {
  /** Observe, decide, and say what would be done; change nothing. */
  dryRun: boolean;
  /** Id or name that the project must have; anything else is PROJECT_MISMATCH before anything is made. */
  expect: string | null;
  /** Waits longer for a slow server, for callers that memory could not answer. True when absent. */
  patient?: boolean;
  /** Throws when the row must not be used for another reason; asked before anything is changed. */
  check?: (row: RegistryRow) => void;
  /**
   * A person asked for a new, empty database in the place of the project's, which is gone. Otherwise nothing takes its
   * place.
   */
  remake?: boolean;
  /** A person asked for a new project, also in the place of one that was dropped. */
  anew?: boolean;
  /** Called before each step that creates or changes something. */
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
  /** The row with its database, as observed when it was found usable; absent if nobody observed it. */
  sighting?: Sighting;
}

/**
 * The outcome of identifying: a sighting to continue with, `again` after a change or a lost race, or a finished answer.
 */
export type Identified = { kind: 'row'; sighting: Sighting } | { kind: 'again' } | { kind: 'done'; settled: Settled };

/** Whatever one resolution has done so far. */
export interface Run {
  readonly ports: RegistryPorts;
  readonly options: SettleOptions;
  readonly warnings: Warning[];
  created: boolean;
  /**
   * The run tried a step that creates something. Even if the answer was lost, it may exist, and the next run continues
   * from it.
   */
  begun: boolean;
  /** The id under which this run reserved a project; a refusal removes the reservation. */
  reserved: string | null;
  /**
   * The database that this run's CREATE DATABASE acknowledged: if it is absent again, the server did not tell the
   * truth.
   */
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
 * Checks CREATEDB, a writable server and a readable schema before anything of a project exists anywhere.
 *
 * @returns the role that asks, and the database's future owner
 */
export async function requireCreation(run: Run): Promise<Abilities> {
  const abilities = await run.ports.catalog.abilities();
  if (abilities.readOnly) throw serverReadOnly(run.ports.catalog.label);
  if (!abilities.mayCreateDatabases) throw mayNotCreate(abilities.role, run.ports.catalog.label);
  await run.ports.catalog.projectSchema();
  return abilities;
}
