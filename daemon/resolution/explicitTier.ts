import { RegistrarError } from '../protocol/registrarError.ts';
import { quoted } from '../protocol/visibleText.ts';
import { projectMismatch } from '../registry/failures.ts';
import { isProject } from '../registry/settle/settle.ts';
import { settleReference } from '../registry/settle/settleReference.ts';
import type { RegistryRow } from '../registry/model.ts';
import { fromMemoryIfUnreachable } from './fromMemory.ts';
import type { ResolutionPorts, WorkspaceConfig } from './ports.ts';
import type { Request, TierAnswer } from './tierAnswer.ts';
import { vouching } from './trust.ts';

/** Tier 1: the project that the caller names. Not found is an error; no other tier may answer in its place. */
export async function explicitTier(request: Request, ports: ResolutionPorts): Promise<TierAnswer> {
  const { project } = request;
  if (project === null) return { kind: 'skipped', reason: 'no project given' };
  const { registry } = ports;
  const strict = await strictConfig(request, ports);
  const settled = await fromMemoryIfUnreachable(request, registry, { reference: project, folder: null }, (options) =>
    settleReference(project, registry, {
      ...options,
      check: (row) => {
        requireSameAsConfig(strict, row);
      },
    }),
  );
  if (settled.row) requireSameAsConfig(strict, settled.row);
  return { kind: 'matched', reason: `${quoted(project)} was named`, settled, configPath: null };
}

/** The config file of the caller's directory when it insists on its own project. One that nobody vouches for says nothing. */
async function strictConfig(request: Request, ports: ResolutionPorts): Promise<WorkspaceConfig | null> {
  if (request.directory === null) return null;
  const search = await ports.config.find(request.directory);
  if (search.kind === 'none') return null;
  try {
    const config = await ports.config.read(search.path, vouching(request.directory, ports.trust));
    return config.strictMode ? config : null;
  } catch (error) {
    if (error instanceof RegistrarError && error.code === 'CONFIG_NOT_TRUSTED') return null;
    throw error;
  }
}

function requireSameAsConfig(config: WorkspaceConfig | null, row: RegistryRow): void {
  if (config && !isProject(config.id ?? config.name, row)) {
    throw projectMismatch(`${config.name} (strict_mode in ${config.path})`, row.name);
  }
}
