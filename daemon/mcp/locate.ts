import type { ResolveParams } from '../protocol/methods.ts';
import type { Resolution } from '../protocol/model.ts';
import type { ErrorReport } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { chooseDirectory, type Bound, type DirectorySource } from './bindings.ts';
import type { ToolCall } from './tools/toolModel.ts';

/** How a caller names the project that it means. */
export interface Reference {
  directory?: string | null | undefined;
  project?: string | null | undefined;
  expect?: string | null | undefined;
}

export type Located =
  /** `reason` says why there is no directory. */
  | { params: ResolveParams; source: DirectorySource | null; reason?: string }
  /** It is not known which directory is meant. */
  | { unresolved: Resolution };

/**
 * Finds the directory of a call. A call that names its project needs none, and does not ask the client.
 *
 * @throws RegistrarError DIRECTORY_INVALID
 */
export async function locate(reference: Reference, call: ToolCall): Promise<Located> {
  const { session, header, home } = call;
  const project = reference.project ?? null;
  const expect = reference.expect ?? null;
  const chosen = await chooseDirectory({
    argument: reference.directory ?? null,
    bound: session.bound,
    header,
    launch: session.launch,
    roots: () => (project === null ? session.roots(() => call.askRoots()) : Promise.resolve([])),
    home,
  });
  if (chosen.kind === 'directory') {
    session.directory = chosen.directory;
    return { params: { directory: chosen.directory, project, expect }, source: chosen.source };
  }
  if (project !== null) return { params: { directory: null, project, expect }, source: null };
  if (chosen.kind === 'ambiguous') return { unresolved: unresolved(call, ambiguous(chosen.bound)) };
  if (chosen.kind === 'several-roots') return { unresolved: unresolved(call, await severalRoots(chosen.roots, call)) };
  // The other tiers may still know a project.
  return { params: { directory: null, project: null, expect }, source: null, reason: chosen.reason };
}

/** The answer with why there was no directory, where the engine could only say that there was none. */
export function explained(resolution: Resolution, { reason }: { reason?: string }): Resolution {
  const { error } = resolution;
  if (reason === undefined || error?.code !== 'UNRESOLVED') return resolution;
  const hint = 'Pass directory: the absolute path of the folder that you work in.';
  return { ...resolution, error: { ...error, message: reason, hint } };
}

function unresolved(call: ToolCall, error: ErrorReport): Resolution {
  return {
    outcome: 'unresolved',
    project: null,
    server: call.api.server(),
    tier: null,
    created: false,
    stale: false,
    sync: null,
    directory: null,
    configPath: null,
    trace: [{ tier: 2, name: 'config', outcome: 'skipped', reason: error.message, durationMs: 0 }],
    wouldDo: null,
    warnings: [],
    error,
  };
}

function ambiguous(bound: readonly Bound[]): ErrorReport {
  const folders = bound.map(({ directory, project }) => ({ directory, project: project?.name ?? null }));
  return {
    code: 'UNRESOLVED',
    message: `This session was bound to more than one project, as when agents share a connection: ${listed(folders)}.`,
    hint: 'Pass directory with every call: the folder that you work in.',
    details: { folders },
  };
}

/** Only reads: a folder's project is created when somebody works there. */
async function severalRoots(roots: readonly string[], call: ToolCall): Promise<ErrorReport> {
  const folders = await Promise.all(
    roots.slice(0, maxRootsLooked).map(async (directory) => {
      const { project } = await call.api.resolve({ directory, dryRun: true });
      return { directory, project: project?.name ?? null };
    }),
  );
  return {
    code: 'UNRESOLVED',
    message: `Your client has ${roots.length} folders open: ${listed(folders)}.`,
    hint: 'Pass directory, or call set_working_directory with the folder that you work in.',
    details: { folders },
  };
}

const maxRootsLooked = 10;

function listed(folders: readonly { directory: string; project: string | null }[]): string {
  return folders
    .map(({ directory, project }) => `${named(directory)} → ${project === null ? 'no project yet' : named(project)}`)
    .join('; ');
}
