import { RegistrarError } from '../../protocol/registrarError.ts';
import { databaseForeign, interrupted, notSettled, overrideMissing, projectMismatch } from '../failures.ts';
import { parseId } from '../ids.ts';
import type { Claim, RegistryRow, Sighting } from '../model.ts';
import { requireBelieved } from '../evidence/owners.ts';
import { changeRow, markerStanding, ownerOf } from './rowChanges.ts';
import { settleDatabase } from './settleDatabase.ts';
import { wouldDo, type Identified, type Run, type Settled } from './settleRun.ts';
import { isSilence } from '../silence.ts';

/**
 * More than any legitimate chain of steps and lost races needs. If there are more, two programs are undoing each
 * other's changes.
 */
const passLimit = 24;

/**
 * Brings a project into the state in which it may be used: observe, decide one step, do it, observe again. Every step
 * is conditional on what was observed, and every pass starts from what really exists, so it makes no difference who
 * does which step or who died in between.
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

/** If adopting the database is offered, adopting completes the reservation, under the config's id. */
function isForeign({ code, details }: RegistrarError): boolean {
  const choices = details?.['choices'];
  return code === 'DATABASE_FOREIGN' && !(Array.isArray(choices) && choices.includes('adopt'));
}

/**
 * Removes what this run has just reserved: it has no database, and would take the name of whoever was refused. If
 * somebody else has continued with it meanwhile, it stays.
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
    // The caller needs to know why the claim was refused; drift names the reservation that is left.
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

async function applyOverride(run: Run, sighting: Sighting, claim: Claim | null): Promise<Settled | 'again' | null> {
  const wanted = claim?.databaseName ?? null;
  const { row } = sighting;
  if (wanted === null || wanted === row.databaseName) return null;
  const database = await run.ports.catalog.lookDatabase(wanted);
  await requireBelieved(wanted, database, row, run.ports.catalog);
  if (database.presence === 'present' && markerStanding(run, row, database) !== 'mine') {
    throw databaseForeign(row, wanted, ownerOf(run, database));
  }
  // A reservation whose database was never created may still get another database name; an existing project keeps its
  // own.
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
