import type { UseParams } from '../protocol/methods.ts';
import type { OnStep } from '../protocol/operationModel.ts';
import type { Resolution } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import {
  askerOf,
  idsOf,
  isAdmitted,
  judge,
  originsOf,
  rowEvidence,
  type Asker,
  type Judged,
} from '../registry/evidence/evidence.ts';
import { conflictForAgent, originNotConfirmed } from '../registry/evidence/evidenceFailures.ts';
import { notSettled, projectDropping } from '../registry/failures.ts';
import { forgetProject } from '../registry/changes/forgetProject.ts';
import type { KeptClaim, RegistryRow, Sighting } from '../registry/model.ts';
import type { RowChange } from '../registry/ports.ts';
import { keptFolder } from '../registry/settle/recordUse.ts';
import { changeRow } from '../registry/settle/rowChanges.ts';
import { startRun } from '../registry/settle/settleRun.ts';
import { findSighting } from '../registry/settle/settleReference.ts';
import { requireNoVeto, vouching } from '../resolution/trust.ts';
import { configNotWritten, keepBinding, type CommandPorts } from './projectCommands.ts';

/** Changes of the row that one binding survives. If there are more, somebody keeps changing the project. */
const attempts = 16;

/**
 * Binds a folder to an existing project, by its own config file or, when asked, on this machine alone. The row keeps the
 * claim for good, so that whoever decided it is not asked again; a folder of another origin needs the project's typed.
 *
 * @throws RegistrarError PROJECT_NOT_FOUND, DIRECTORY_INVALID, CONFIRMATION_REQUIRED with the origin in its details,
 *   PROJECT_CONFLICT to an agent whose folder shows no evidence, CONFIG_… (CONFIG_NOT_TRUSTED among them)
 */
export async function useProject(params: UseParams, ports: CommandPorts, onStep?: OnStep): Promise<Resolution> {
  const asker = askerOf(params.agent);
  const folder = await ports.files.realFolder(params.directory);
  await requireNoVeto(folder, ports.resolution.trust);
  const path = ports.files.pathIn(folder);
  const hasConfig = await ports.files.exists(path);
  // Nothing about the project is recorded for a folder whose config may not be written.
  const mayRead = hasConfig && (params.local !== true || params.agent);
  const config = mayRead ? await ports.files.read(path, vouching(folder, ports.resolution.trust)) : null;
  const { row, claim } = await recordClaim(params, { folder, configId: config?.id ?? null }, asker, ports);
  const request = { directory: folder, ...(params.agent ? { agent: params.agent } : {}) };
  if (params.local === true) {
    await keepBinding(row.id, claim, ports);
    return ports.resolve(request, onStep);
  }
  await ports.bindings.remove(({ claim: bound }) => bound.path === folder);
  if (!hasConfig) {
    const created = await ports.files.create(folder, { name: row.name, id: row.id });
    if (created.failure) throw configNotWritten(path, created.failure.message);
    if (created.created) return ports.resolve(request, onStep);
  }
  const written = await ports.files.edit(path, (config) => [
    ...(config.id === row.id ? [] : [{ key: 'project.id' as const, value: row.id }]),
    ...(config.name === row.name ? [] : [{ key: 'project.name' as const, value: row.name }]),
    // An override that names another project's database would make the binding a contradiction.
    ...(config.databaseName === null || config.databaseName === row.databaseName
      ? []
      : [{ key: 'project.database_name' as const, value: null }]),
  ]);
  if (written.failure) throw configNotWritten(path, written.failure.message);
  await giveUpParked(folder, row, ports);
  return ports.resolve(request, onStep);
}

/**
 * Removes a folder's local binding; its config file counts again.
 *
 * @throws RegistrarError DIRECTORY_INVALID, INVALID_ARGUMENT when the folder has none
 */
export async function removeBinding(params: { directory: string }, ports: CommandPorts): Promise<Resolution> {
  const folder = await ports.files.realFolder(params.directory);
  if (!(await ports.bindings.remove(({ claim }) => claim.path === folder))) {
    throw new RegistrarError({
      code: 'INVALID_ARGUMENT',
      message: `${folder} has no local binding. Nothing was done.`,
      hint: 'registrar resolve shows which project it has, and why.',
      details: { directory: folder },
    });
  }
  return ports.resolve({ directory: folder });
}

/** Records in the row that a person bound this folder, once that person has shown that they know whose database it is. */
async function recordClaim(
  { project, confirm }: UseParams,
  { folder, configId }: { folder: string; configId: string | null },
  asker: Asker,
  ports: CommandPorts,
): Promise<{ row: RegistryRow; claim: KeptClaim }> {
  const { registry } = ports.resolution;
  const run = startRun(registry, { dryRun: false, expect: null });
  for (let attempt = 0; attempt < attempts; attempt++) {
    const sighting: Sighting = await findSighting(project, registry);
    const { row } = sighting;
    if (row.registrar.state === 'dropping') throw projectDropping(row);
    // Anybody who can list projects knows their ids, so an agent's id counts only if its folder's config has it.
    const by = asker.kind === 'person' || (configId !== null && idsOf(row).includes(configId)) ? 'id' : 'name';
    const judged = await judge({ row, by, folder, name: row.name, asker }, registry);
    const now = judged.now.git === undefined ? { ...judged.now, git: await registry.folders.git(folder) } : judged.now;
    const seen: Judged = { ...judged, now };
    if (asker.kind === 'agent' && !isAdmitted(judged.decision)) {
      registry.events.refused(row, folder);
      throw conflictForAgent();
    }
    requireConfirmed(row, seen, confirm ?? null, ports);
    // The claim applies to the repository that is here now: the person decided about this one and no other.
    const claim = {
      ...keptFolder({ ...seen, kept: null }, registry.origin),
      name: row.name,
      at: registry.origin.now(),
    };
    const evidence = rowEvidence(row);
    const claims = evidence.claims.filter(({ hostId, path }) => hostId !== claim.hostId || path !== claim.path);
    const change: RowChange = {
      registrar: { evidence: { ...evidence, claims: [...claims, claim] } },
      ...(asker.kind === 'person' ? { event: 'used' } : {}),
    };
    if ((await changeRow(run, sighting, change, null)) === 'done') {
      await registry.claims.keep(row.id, claim);
      return { row, claim };
    }
  }
  throw notSettled(project);
}

/**
 * To share another repository's database, a person types the project's origin, which neither a habit nor a pasted text
 * knows.
 */
function requireConfirmed(row: RegistryRow, judged: Judged, confirm: string | null, ports: CommandPorts): void {
  const { decision, now } = judged;
  if (isAdmitted(decision) && decision !== 'first-claim') return;
  const kept = [...originsOf(row).map(({ origin }) => origin), ...(row.registrar.git?.origins ?? [])];
  const own = now.git?.origins ?? [];
  if (kept.length === 0 || kept.some((origin) => own.includes(origin))) return;
  const typed = confirm === null ? [] : [confirm.trim(), ports.normaliseOrigin(confirm)];
  if (!kept.some((origin) => typed.includes(origin)))
    throw originNotConfirmed(row, kept[0] ?? '', own[0] ?? null, confirm);
}

/** A folder that switches to the project with its name has decided about its own project, which was parked until then. */
async function giveUpParked(folder: string, chosen: RegistryRow, ports: CommandPorts): Promise<void> {
  const { registry } = ports.resolution;
  for (const row of registry.outbox.rows()) {
    const { sync } = registry.outbox.sightingOf(row, { presence: 'present', comment: null });
    const recorded = row.registrar.folder;
    const isHere = recorded?.path === folder && recorded.host === ports.resolution.host;
    if (sync.state === 'parked' && isHere && row.id !== chosen.id) await forgetProject(row.id, registry);
  }
}
