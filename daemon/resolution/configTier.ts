import { settleClaim } from '../registry/settleClaim.ts';
import { fromMemoryIfUnreachable } from './fromMemory.ts';
import type { ConfigSearch, ResolutionPorts } from './ports.ts';
import type { Request, TierAnswer } from './resolve.ts';
import { vouching } from './trust.ts';

/** Tier 2: the nearest config file at or above the directory; the project it claims is made if it does not exist. */
export async function configTier(
  request: Request,
  ports: ResolutionPorts,
  noteConfig: (path: string) => void,
): Promise<TierAnswer> {
  const { directory } = request;
  if (directory === null) return { kind: 'skipped', reason: 'no directory given' };
  const search = await ports.config.find(directory);
  if (search.kind === 'none') return { kind: 'missed', reason: whereLooked(search) };
  noteConfig(search.path);
  const config = await ports.config.read(search.path, vouching(directory, ports.trust));
  if (!config.autoSwitch) return { kind: 'skipped', reason: `auto_switch is false in ${config.path}` };
  const folder = { host: ports.host, path: config.folder };
  const { name, id, databaseName, description } = config;
  const dryRun = request.dryRun || config.dryRun;
  const settled = await fromMemoryIfUnreachable(ports.registry, { reference: id ?? name, name, folder }, (patient) =>
    settleClaim({ name, id, databaseName, description, folder }, ports.config.idWriter(config.path), ports.registry, {
      dryRun,
      expect: request.expect,
      patient,
      onStep: request.onStep,
    }),
  );
  if (dryRun) settled.wouldDo ??= [];
  const what = id === null ? `name "${name}"` : `id ${id.slice(0, 8)}`;
  const via = search.viaWorktreeOf === null ? '' : ` of the main worktree ${search.viaWorktreeOf}`;
  return { kind: 'matched', reason: `${what} in .codebase-mcp/config.json${via}`, settled, configPath: config.path };
}

const limitText = {
  repository: 'the repository root',
  home: 'below the home folder, at',
  root: 'below the root, at',
  depth: 'the limit of 20 levels, at',
} as const;

function whereLooked(search: Extract<ConfigSearch, { kind: 'none' }>): string {
  if (search.why === 'home' && search.from === search.upTo) {
    return `${search.from} is the home folder, which has no project`;
  }
  return `no .codebase-mcp/config.json from ${search.from} up to ${limitText[search.why]} ${search.upTo}`;
}
