import type { Project } from '../../daemon/protocol/model.ts';
import { readMarker } from '../../daemon/registry/marker.ts';
import type { RegistrarMetadata } from '../../daemon/registry/model.ts';
import type { StateFolder } from '../support/world/daemon.ts';
import { formerIdsIn, registrarIn } from '../support/world/registry.ts';
import type { World } from '../support/world.ts';

/** What was promised, and what somebody did on purpose since. */
export class Ledger {
  /** Projects that a caller was told to have, by id, with their databases. */
  readonly acknowledged = new Map<string, string>();
  /** Ids that somebody asked to forget or drop, and databases that somebody took away or marked behind our back. */
  readonly excused = new Set<string>();

  acknowledge({ id, databaseName }: Project): void {
    this.acknowledged.set(id, databaseName);
  }
}

/** The promises that hold after every single step. Throws with the one that is broken. */
export function checkStep(world: World, states: readonly StateFolder[], ledger: Ledger): void {
  const rows = [...world.server.rows.values()];
  const entries = states.flatMap(({ outbox }) => [...outbox.values()]);
  // 1 and 2: what says that it is ready has its database, and that says whose it is.
  for (const { id, name, databaseName, metadata } of rows) {
    if ((registrarIn(metadata)['state'] ?? 'ready') !== 'ready') continue;
    if (ledger.excused.has(databaseName)) continue;
    const reading = readMarker(world.server.databases.get(databaseName)?.comment ?? null);
    const isOwn = reading.kind === 'marker' && reading.marker.projectId === id;
    if (!isOwn && !ledger.excused.has(id)) throw new Error(`row ${name} is ready, and ${databaseName} is not its own`);
  }
  // 3 and 8: a project that somebody was told to have is known somewhere that survives, and so is its database.
  for (const [id, databaseName] of ledger.acknowledged) {
    if (ledger.excused.has(id) || ledger.excused.has(databaseName)) continue;
    const isRow = rows.some((row) => row.id === id || formerIdsIn(row.metadata).includes(id));
    const isEntry = entries.some(({ row }) => row.id === id || row.registrar.formerIds?.includes(id) === true);
    if (!isRow && !isEntry) throw new Error(`project ${id} was acknowledged and is known nowhere`);
    if (!world.server.databases.has(databaseName)) throw new Error(`database ${databaseName} of ${id} is gone`);
  }
}

/** 4: an answer is the project that the folder's config means, for a reason. */
export function checkAnswer(folder: string, configId: string | null, project: Project, claimed: Set<string>): void {
  const { evidence, formerIds = [] } = (project.metadata['registrar'] ?? {}) as RegistrarMetadata;
  if (configId !== null && project.id !== configId && !formerIds.includes(configId))
    throw new Error(`${folder} asked for ${configId} and got ${project.id}`);
  const isClaimed = [project.id, ...formerIds].some((id) => claimed.has(`${folder} ${id}`));
  claimed.add(`${folder} ${project.id}`);
  if (isClaimed || !evidence) return;
  const isRecorded = evidence.folder?.path === folder || evidence.claims.some(({ path }) => path === folder);
  // A row that was made again from a marker has hashes in the place of origins.
  const hasOrigin = evidence.origins.length > 0 || (evidence.hashes?.length ?? 0) > 0;
  if (!isRecorded && !hasOrigin) throw new Error(`${folder} got ${project.name} without evidence`);
}
