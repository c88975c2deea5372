import { dirname } from 'node:path';
import type { ClaimsFile } from '../stateFolder/claimsFile.ts';
import type { CreateParams, ResolveParams, UpdateParams } from '../protocol/methods.ts';
import type { AgentAsker, OnStep } from '../protocol/operationModel.ts';
import type { Resolution } from '../protocol/model.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import { named, quoted } from '../protocol/visibleText.ts';
import type { ConfigCreation, ConfigWrite } from '../config/writeConfig.ts';
import type { ConfigEdit } from '../config/editConfig.ts';
import { askerOf } from '../registry/evidence/evidence.ts';
import { nameTakenForAgent } from '../registry/evidence/evidenceFailures.ts';
import { nameInvalid, nameTaken } from '../registry/failures.ts';
import { isProject } from '../registry/settle/settle.ts';
import { settleClaim } from '../registry/settle/settleClaim.ts';
import { findSighting } from '../registry/settle/settleReference.ts';
import type { KeptClaim, RegistryRow } from '../registry/model.ts';
import { checkName } from '../protocol/names.ts';
import { updateProject as updateRow } from '../registry/changes/updateProject.ts';
import type { ResolutionPorts, WorkspaceConfig } from '../resolution/ports.ts';
import type { Vouch } from '../resolution/trust.ts';
import { requireNoVeto, vouching } from '../resolution/trust.ts';

/** Config files as the commands change them. */
export interface ConfigFiles {
  /** The real path of a folder. Throws DIRECTORY_INVALID. */
  realFolder(directory: string): Promise<string>;
  /** The config file that a folder itself would have. */
  pathIn(folder: string): string;
  read(path: string, vouch: Vouch): Promise<WorkspaceConfig>;
  exists(path: string): Promise<boolean>;
  create(folder: string, project: { name: string; id: string | null; description?: string }): Promise<ConfigCreation>;
  edit(path: string, edits: (current: WorkspaceConfig) => readonly ConfigEdit[]): Promise<ConfigWrite>;
  /** Removes a config file that was just created, if it is still as it was. */
  withdraw(path: string): Promise<void>;
}

export interface CommandPorts {
  resolution: ResolutionPorts;
  files: ConfigFiles;
  /** Claims that a person made for folders of this machine alone. */
  bindings: Pick<ClaimsFile, 'keep' | 'remove'>;
  /** One spelling of an address of a repository; null for what is none. */
  normaliseOrigin(url: string): string | null;
  resolve(params: ResolveParams, onStep?: OnStep): Promise<Resolution>;
}

/**
 * Makes a project and, when a directory is given, the config file that binds the directory to it.
 *
 * @throws RegistrarError NAME_INVALID, INVALID_ARGUMENT for a description, PROJECT_CONFLICT when the name is taken or the
 *   directory has another project, CONFIG_NOT_TRUSTED for the directory, and whatever making the project refuses
 */
export async function createProject(params: CreateParams, ports: CommandPorts, onStep?: OnStep): Promise<Resolution> {
  const { name } = params;
  const description = params.description ?? null;
  const dryRun = params.dryRun ?? false;
  const asker = askerOf(params.agent);
  const checked = checkName(name);
  if (!checked.ok) throw nameInvalid(name, checked.reason, checked.proposal);
  if (description?.includes('\0') === true) throw descriptionInvalid();
  const directory = params.directory ?? null;
  if (directory === null) {
    await requireFreeName(name, ports, { folder: null, dryRun, agent: params.agent });
    const claim = { name, id: null, databaseName: null, description, folder: null };
    const settled = await settleClaim(claim, null, ports.resolution.registry, { dryRun, expect: null, onStep, asker });
    if (settled.row === null) return { ...(await ports.resolve({})), error: null, wouldDo: settled.wouldDo };
    return { ...(await ports.resolve({ project: settled.row.id })), created: settled.created };
  }
  const folder = await ports.files.realFolder(directory);
  await requireNoVeto(folder, ports.resolution.trust);
  const path = ports.files.pathIn(folder);
  await requireFreeName(name, ports, { folder, dryRun, agent: params.agent });
  if (params.local === true) return createBound({ name, description, folder, dryRun }, ports, onStep);
  if (await ports.files.exists(path)) {
    const config = await ports.files.read(path, vouching(folder, ports.resolution.trust));
    if (config.name !== name) throw folderTaken(path, config.name);
    return ports.resolve({ directory: folder, dryRun, ...askedBy(params) }, onStep);
  }
  if (dryRun) {
    const claim = {
      name,
      id: null,
      databaseName: null,
      description,
      folder: { host: ports.resolution.host, path: folder },
    };
    const settled = await settleClaim(claim, null, ports.resolution.registry, { dryRun, expect: null, asker });
    return { ...(await ports.resolve({})), error: null, wouldDo: [`write ${path}`, ...(settled.wouldDo ?? [])] };
  }
  const created = await ports.files.create(folder, {
    name,
    id: null,
    ...(description === null ? {} : { description }),
  });
  if (created.failure) throw configNotWritten(path, created.failure.message);
  const resolution = await ports.resolve({ directory: folder, expect: name, ...askedBy(params) }, onStep);
  if (resolution.outcome !== 'resolved' && created.created) await ports.files.withdraw(path);
  return resolution;
}

/**
 * Changes a project's name or description. A name is also changed in the config file of the folder that the project was
 * made in, when that is on this machine; what that file says of a description counts only when a project is made.
 *
 * @throws RegistrarError NAME_INVALID, INVALID_ARGUMENT for a description, PROJECT_NOT_FOUND, PROJECT_CONFLICT
 */
export async function updateProject(params: UpdateParams, ports: CommandPorts): Promise<Resolution> {
  const { project, ...wanted } = params;
  if (wanted.description?.includes('\0') === true) throw descriptionInvalid();
  const { row } = await updateRow(project, wanted, ports.resolution.registry);
  const { folder } = row.registrar;
  if (wanted.name !== undefined && folder?.host === ports.resolution.host) {
    await renameInConfig(folder.path, row, wanted.name, ports);
  }
  return ports.resolve({ project: row.id });
}

/** How often a config follows a project that goes on being renamed. */
const maxFollowings = 10;

async function renameInConfig(folder: string, row: RegistryRow, name: string, ports: CommandPorts): Promise<void> {
  const path = ports.files.pathIn(folder);
  if (!(await ports.files.exists(path))) return;
  // A config whose id was never written names the project by the old name, and would now claim a new one.
  const isOwn = ({ id, name: claimed }: WorkspaceConfig): boolean =>
    id === null ? claimed === row.name : isProject(id, row);
  // The config only follows; if it may not be read or written, the next resolve in its folder warns NAME_DIFFERS.
  try {
    await ports.files.read(path, vouching(folder, ports.resolution.trust));
    await ports.files.edit(path, (config) =>
      isOwn(config) && config.name !== name ? [{ key: 'project.name', value: name }] : [],
    );
    // Of several who rename at once, whoever writes the file last may not be the one who named the project last.
    for (let attempt = 0; attempt < maxFollowings; attempt++) {
      const { row: now } = await findSighting(row.id, ports.resolution.registry);
      const written = await ports.files.edit(path, ({ id, name: claimed }) =>
        id !== null && isProject(id, now) && claimed !== now.name ? [{ key: 'project.name', value: now.name }] : [],
      );
      if (!written.written) break;
    }
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
  }
}

/** Creates a project for a folder that stays as it is: only this machine records which project it has. */
async function createBound(
  { name, description, folder, dryRun }: { name: string; description: string | null; folder: string; dryRun: boolean },
  ports: CommandPorts,
  onStep?: OnStep,
): Promise<Resolution> {
  const { registry, host } = ports.resolution;
  const claim = { name, id: null, databaseName: null, description, folder: { host, path: folder } };
  const settled = await settleClaim(claim, null, registry, { dryRun, expect: null, onStep, anew: true });
  if (settled.row === null) return { ...(await ports.resolve({})), error: null, wouldDo: settled.wouldDo };
  const kept = registry.claims.of([settled.row.id]).find(({ path }) => path === folder);
  if (!kept) throw configNotWritten(folder, 'the state folder could not save the binding');
  await keepBinding(settled.row.id, kept, ports);
  return { ...(await ports.resolve({ directory: folder })), created: settled.created };
}

/** @throws RegistrarError CONFIG_UNREADABLE when the state folder refuses it */
export async function keepBinding(projectId: string, claim: KeptClaim, { bindings }: CommandPorts): Promise<void> {
  try {
    await bindings.keep(projectId, claim);
  } catch (error) {
    throw new RegistrarError(
      {
        code: 'CONFIG_UNREADABLE',
        message: `The binding of ${claim.path} could not be saved: ${error instanceof Error ? error.message : String(error)}.`,
        hint: 'Make the state folder writable and free some disk space (registrar status names the folder), then repeat the command.',
      },
      { cause: error },
    );
  }
}

/** A person who makes a project may do so where one was dropped; an agent may not. */
function askedBy({ agent }: CreateParams): { agent: AgentAsker } | { anew: true } {
  return agent ? { agent } : { anew: true };
}

/** A reservation that this folder left behind when a creation was interrupted is not in its own way. */
async function requireFreeName(
  name: string,
  ports: CommandPorts,
  { folder, dryRun, agent }: { folder: string | null; dryRun: boolean; agent: AgentAsker | undefined },
): Promise<void> {
  const { registry: all } = ports.resolution;
  const { registry } = dryRun ? all.lookingOnly : all;
  const looked = await registry.look({ id: null, name }, true);
  const pending = all.outbox.find({ id: null, name })[0];
  const row = (looked.kind === 'seen' ? looked.sightings[0]?.row : undefined) ?? pending;
  if (!row) return;
  const recorded = row.registrar.folder;
  const isHere = recorded?.path === folder && recorded.host === ports.resolution.host;
  const isOwn = folder !== null && isHere && row.registrar.state === 'provisioning';
  if (!isOwn) throw agent ? nameTakenForAgent(name) : nameTaken(name, row);
}

/** No text in PostgreSQL holds a NUL: the project could be made, and its row never written. */
function descriptionInvalid(): RegistrarError {
  return new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: 'The description contains a NUL character. Nothing was done.',
    hint: 'Remove it from the description.',
  });
}

function folderTaken(path: string, name: string): RegistrarError {
  return new RegistrarError({
    code: 'PROJECT_CONFLICT',
    message: `${named(dirname(dirname(path)))} already belongs to project ${quoted(name)}. Nothing was created.`,
    hint: `Resolve it (registrar resolve), or change project.name in ${named(path)}.`,
    details: { configPath: path, name, choices: ['resolve', 'rename'] },
  });
}

export function configNotWritten(path: string, reason: string): RegistrarError {
  return new RegistrarError({
    code: 'CONFIG_UNREADABLE',
    message: `${named(path)} could not be written: ${reason}. Nothing was made.`,
    hint: 'Make the folder writable, or write the file yourself.',
    details: { path },
  });
}
