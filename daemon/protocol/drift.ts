import type { ErrorReport } from './registrarError.ts';

/** The closed set of ways in which config files, outbox, registry rows, databases and markers can disagree. */
export const driftKinds = [
  'orphan-database',
  'dangling-row',
  'marker-missing',
  'marker-foreign',
  'marker-forgotten',
  'schema-old',
  'database-renamed',
  'interrupted-drop',
  'interrupted-creation',
  'id-conflict',
  'name-conflict',
  'pending',
  'parked',
  'config-without-row',
  'folder-gone',
  'unowned-database',
] as const;

export type DriftKind = (typeof driftKinds)[number];

/**
 * Kinds that are only notes: a folder may be on a disk that is not mounted, and a database without a marker may belong
 * to another registry. They neither make a report not ok nor change a plan.
 */
export const driftNotes: readonly DriftKind[] = ['folder-gone', 'unowned-database'];

/** What `repair` does by itself: each keeps all data and every project that has a database. */
export type RepairAction =
  | 'restore-marker'
  | 'update-marker'
  | 'apply-schema'
  | 'point-to-database'
  | 'finish-drop'
  | 'remove-remains'
  | 'finish-creation'
  | 'deliver';

/** What only a person can choose. */
export type ChoiceAction =
  | 'adopt'
  | 'leave'
  | 'resolve'
  | 'forget'
  | 'drop'
  | 'remake'
  | 'use'
  | 'rename'
  | 'edit-config'
  | 'rename-database'
  | 'remove-marker'
  | 'point-to-database';

export type DriftAction =
  | { action: RepairAction; description: string; automatic: true }
  | { action: ChoiceAction; description: string; automatic: false };

export interface DriftFinding {
  kind: DriftKind;
  project?: { id: string; name: string };
  database?: string;
  /** What is wrong, one sentence. */
  message: string;
  /** What happens if nobody does anything, one sentence. */
  risk: string;
  actions: DriftAction[];
}

export interface DriftReport {
  /** Hash of the findings and their actions, without the notes. */
  planId: string;
  /** True if there are only notes. */
  ok: boolean;
  findings: DriftFinding[];
}

/** One automatic action of a plan. */
export interface PlannedRepair {
  kind: DriftKind;
  project?: { id: string; name: string };
  database?: string;
  action: RepairAction;
  description: string;
}

export interface RepairResult {
  planId: string;
  applied: PlannedRepair[];
  /** Not done, because what it was about has changed since. */
  skipped: PlannedRepair[];
  failed: (PlannedRepair & { error: ErrorReport })[];
}
