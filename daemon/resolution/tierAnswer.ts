import type { OnStep } from '../protocol/operationModel.ts';
import type { Warning } from '../protocol/model.ts';
import type { Asker } from '../registry/evidence/evidence.ts';
import type { Settled } from '../registry/settle/settleRun.ts';

/** A request as the tiers see it. */
export interface Request {
  directory: string | null;
  project: string | null;
  expect: string | null;
  dryRun: boolean;
  onStep: OnStep | undefined;
  asker: Asker;
  /** A person asked for a new project, also where theirs was dropped. */
  isAnew: boolean;
}

/** One tier's answer. A tier whose evidence cannot be used throws, so later tiers are not asked. */
export type TierAnswer =
  | { kind: 'matched'; reason: string; settled: Settled; configPath: string | null }
  | { kind: 'missed'; reason: string; warnings?: Warning[] }
  | { kind: 'skipped'; reason: string };
