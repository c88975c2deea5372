import type { Project } from '../../daemon/protocol/model.ts';
import { readMarker } from '../../daemon/registry/marker.ts';
import type { RegistrarMetadata } from '../../daemon/registry/model.ts';
import type { StateFolder } from '../support/world/daemon.ts';
import { formerIdsIn } from '../support/world/registry.ts';
import { registrarIn } from '../support/world/server.ts';
import type { World } from '../support/world.ts';

/** What was promised, and what somebody did on purpose since. */
export class Ledger {
  /** Projects that a caller was told to have, by id, with their databases. */
  readonly acknowledged = new Map<string, string>();
  /** Ids that somebody asked to forget or drop, and databases that somebody took away or marked behind our back. */
  readonly excused = new Set<string>();

  /** Databases that somebody registered by hand. */
  readonly adopted = new Set<string>();
  /** Projects that a person bound a folder to by hand: whom else that lets in is not judged here. */
  readonly #vouched = new Set<string>();
  readonly #binding: string[] = [];
  readonly #projects = new Map<string, string | null>();
  /** The first folder that got a project, by the project's id. */
  readonly #firstFolders = new Map<string, string>();

  acknowledge({ id, databaseName }: Project): void {
    this.acknowledged.set(id, databaseName);
  }

  /** The project that a database's comment marks it for; each comment is read once. */
  projectOf(comment: string | null): string | null {
    if (comment === null) return null;
    const before = this.#projects.get(comment);
    if (before !== undefined) return before;
    const reading = readMarker(comment);
    const projectId = reading.kind === 'marker' ? reading.marker.projectId : null;
    this.#projects.set(comment, projectId);
    return projectId;
  }

  vouch(id: string): void {
    this.#vouched.add(id);
  }

  /** While a person binds a folder, or takes that back, whoever asks may be told either. */
  async whileBinding<T>(folder: string, work: () => Promise<T>): Promise<T> {
    this.#binding.push(folder);
    try {
      return await work();
    } finally {
      this.#binding.splice(this.#binding.indexOf(folder), 1);
    }
  }

  isVouchedFor(project: Project): boolean {
    return idsOf(project).some((id) => this.#vouched.has(id));
  }

  isBeingBound(folder: string): boolean {
    return this.#binding.includes(folder);
  }

  /** 4: what people have made never gets to a stranger, nor what a stranger has made to them, unless a person says so. */
  checkOwner(folder: string, project: Project, stranger: string): void {
    const ids = idsOf(project);
    if (this.isVouchedFor(project)) return;
    if ([...ids, project.databaseName].some((one) => this.excused.has(one) || this.adopted.has(one))) return;
    const first = ids.map((id) => this.#firstFolders.get(id)).find((one) => one !== undefined);
    if (first === undefined) this.#firstFolders.set(project.id, folder);
    else if ((first === stranger) !== (folder === stranger))
      throw new Error(`${folder} got ${project.name}, which is that of ${first}`);
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
    const isOwn = ledger.projectOf(world.server.databases.get(databaseName)?.comment ?? null) === id;
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

/** 4: an answer is the project that the folder's config means. */
export function checkAnswer(folder: string, configId: string | null, project: Project): void {
  if (configId !== null && !idsOf(project).includes(configId))
    throw new Error(`${folder} asked for ${configId} and got ${project.id}`);
}

/** 4: and there is a reason for it. */
export function checkEvidence(folder: string, project: Project, claimed: Set<string>): void {
  const { evidence } = registrarOf(project);
  const isClaimed = idsOf(project).some((id) => claimed.has(`${folder} ${id}`));
  claimed.add(`${folder} ${project.id}`);
  if (isClaimed || !evidence) return;
  const isRecorded = evidence.folder?.path === folder || evidence.claims.some(({ path }) => path === folder);
  // A row that was made again from a marker has hashes in the place of origins.
  const hasOrigin = evidence.origins.length > 0 || (evidence.hashes?.length ?? 0) > 0;
  if (!isRecorded && !hasOrigin) throw new Error(`${folder} got ${project.name} without evidence`);
}

/** 5: at the very moment in which a database is handed over, it says that it is the project's. */
export function checkOwnWord({ server }: World, { id, name, databaseName }: Project): void {
  const reading = readMarker(server.databases.get(databaseName)?.comment ?? null);
  const isOwn = reading.kind === 'marker' && reading.marker.projectId === id && reading.marker.forgottenAt === null;
  if (!isOwn) throw new Error(`${databaseName} was handed over as ${name}, and does not say so`);
}

function registrarOf(project: Project): RegistrarMetadata {
  return project.metadata['registrar'] ?? {};
}

function idsOf(project: Project): string[] {
  return [project.id, ...(registrarOf(project).formerIds ?? [])];
}
