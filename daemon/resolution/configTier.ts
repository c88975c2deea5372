import { RegistrarError } from '../protocol/registrarError.ts';
import { named, quoted } from '../protocol/visibleText.ts';
import { requireEvidence } from '../registry/evidence/claimEvidence.ts';
import { isSameFile, stillFits, type FolderNow } from '../registry/evidence/keptFolders.ts';
import { bindingTakenOver, boundProjectGone } from '../registry/evidence/evidenceFailures.ts';
import { settleClaim } from '../registry/settle/settleClaim.ts';
import { settleReference } from '../registry/settle/settleReference.ts';
import { fromMemoryIfUnreachable } from './fromMemory.ts';
import type { Binding, ConfigSearch, ResolutionPorts } from './ports.ts';
import type { Request, TierAnswer } from './tierAnswer.ts';
import { requireNoVeto, vouching } from './trust.ts';

/**
 * Tier 2: the nearest config file or local binding at or above the directory; the binding, if both are in one folder.
 * The project that a config claims is created if it does not exist; a binding always means an existing one.
 */
export async function configTier(
  request: Request,
  ports: ResolutionPorts,
  noteConfig: (path: string) => void,
): Promise<TierAnswer> {
  const { directory } = request;
  if (directory === null) return { kind: 'skipped', reason: 'no directory given' };
  const search = await ports.config.find(directory);
  const binding = nearestBinding(search, ports);
  if (binding) return boundTo(binding, request, ports);
  if (search.kind === 'none') return { kind: 'missed', reason: whereLooked(search) };
  noteConfig(search.path);
  const config = await ports.config.read(search.path, vouching(directory, ports.trust));
  if (!config.autoSwitch) return { kind: 'skipped', reason: `auto_switch is false in ${named(config.path)}` };
  const folder = { host: ports.host, path: config.folder };
  const { name, id, databaseName, description } = config;
  const { asker } = request;
  const dryRun = request.dryRun || config.dryRun;
  const claim = { name, id, databaseName, description, folder };
  const settled = await fromMemoryIfUnreachable(
    { ...request, dryRun },
    ports.registry,
    { reference: id ?? name, name, folder },
    (options) =>
      settleClaim(claim, ports.config.idWriter(config.path), ports.registry, {
        ...options,
        asker,
        anew: request.isAnew,
      }),
    (row) => requireEvidence(claim, row, ports.registry, asker),
  );
  if (dryRun) settled.wouldDo ??= [];
  const what = id === null ? `name ${quoted(name)}` : `id ${id.slice(0, 8)}`;
  const via = search.viaWorktreeOf === null ? '' : ` of the main worktree ${named(search.viaWorktreeOf)}`;
  return { kind: 'matched', reason: `${what} in .codebase-mcp/config.json${via}`, settled, configPath: config.path };
}

/** The nearest binding of the walk that found the config, or ended without one. */
function nearestBinding(search: ConfigSearch, { bindings }: ResolutionPorts): Binding | null {
  const isFound = search.kind === 'found';
  // A config in the main worktree lies in another tree: any binding of this one is nearer.
  const last = isFound
    ? search.viaWorktreeOf === null
      ? search.folder
      : (search.walkedTo ?? search.from)
    : search.upTo;
  const excluded = !isFound && (search.why === 'home' || search.why === 'root') ? search.upTo : null;
  for (let folder = search.from; ; folder = parentOf(folder)) {
    const binding = folder === excluded ? null : bindings.at(folder);
    if (binding) return binding;
    if (folder === last || parentOf(folder) === folder) return null;
  }
}

/** Of a real path, whose separators are the system's. */
function parentOf(path: string): string {
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')));
  return parent === '' || parent.length >= path.length ? path : parent;
}

async function boundTo({ projectId, claim }: Binding, request: Request, ports: ResolutionPorts): Promise<TierAnswer> {
  const { path: folder, name } = claim;
  await requireNoVeto(folder, ports.trust);
  const now: FolderNow = { path: folder, ...(await ports.registry.folders.identify(folder)), git: undefined };
  if (!isSameFile(claim.dotGit, now.dotGit)) now.git = await ports.registry.folders.git(folder);
  if (!stillFits(claim, now)) throw bindingTakenOver(folder, name, request.asker);
  const settled = await fromMemoryIfUnreachable(
    request,
    ports.registry,
    { reference: projectId, folder: null },
    (options) =>
      settleReference({ id: projectId }, ports.registry, {
        ...options,
        claimed: { name, judged: { decision: 'claimed', now, kept: claim } },
      }),
  ).catch((error: unknown) => {
    const isGone = error instanceof RegistrarError && error.code === 'PROJECT_NOT_FOUND';
    throw isGone ? boundProjectGone(folder, name, error) : error;
  });
  return {
    kind: 'matched',
    reason: `id ${projectId.slice(0, 8)} bound to ${folder} on this machine`,
    settled,
    configPath: null,
  };
}

const limitText = {
  repository: 'the repository root',
  home: 'below the home folder, at',
  root: 'below the root, at',
  depth: 'the limit of 20 levels, at',
} as const;

function whereLooked(search: Extract<ConfigSearch, { kind: 'none' }>): string {
  if (search.why === 'home' && search.from === search.upTo) {
    return `${named(search.from)} is the home folder, which cannot have a project`;
  }
  return `no .codebase-mcp/config.json from ${named(search.from)} up to ${limitText[search.why]} ${named(search.upTo)}`;
}
