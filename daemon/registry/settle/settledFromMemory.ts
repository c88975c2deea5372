import type { ErrorReport } from '../../protocol/registrarError.ts';
import type { RegistryRow } from '../model.ts';
import type { Settled } from './settleRun.ts';

/** An answer from memory: the project as it was when the registry last confirmed it. */
export function settledFromMemory(recalled: { row: RegistryRow; at: string }, because: ErrorReport): Settled {
  return {
    row: recalled.row,
    sync: null,
    created: false,
    stale: { since: recalled.at, because },
    warnings: [],
    identity: { outcome: 'skipped', reason: 'the registry could not be asked' },
    wouldDo: null,
  };
}
