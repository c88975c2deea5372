import { settleClaim } from '../registry/settle/settleClaim.ts';
import { fromMemoryIfUnreachable } from './fromMemory.ts';
import type { ResolutionPorts } from './ports.ts';
import type { Request, TierAnswer } from './tierAnswer.ts';

const defaultId = '00000000-0000-0000-0000-000000000000';

/** Tier 4: one shared project for folders that have none. Off by default. */
export async function defaultTier(request: Request, ports: ResolutionPorts): Promise<TierAnswer> {
  if (!ports.defaultProject) return { kind: 'skipped', reason: 'the default project is off' };
  const { databaseName } = ports.defaultProject;
  const claim = { name: 'default', id: defaultId, databaseName, description: null, folder: null };
  const settled = await fromMemoryIfUnreachable(
    request,
    ports.registry,
    { reference: defaultId, folder: null },
    (options) => settleClaim(claim, null, ports.registry, options),
  );
  return { kind: 'matched', reason: 'nothing else answered', settled, configPath: null };
}
