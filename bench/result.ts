import type { BenchServer } from './benchServer.ts';
import type { Figures } from './harness.ts';

/** A time beside the least that it could be. */
export interface Timing {
  kind: 'timing';
  what: string;
  figures: Figures;
  /** What the floor does. */
  floor: string;
  floorFigures: Figures;
  /** The ratio of the medians at most; null where the figures are reported only. */
  target: number | null;
  /** What the difference is made of, one or two sentences for whoever reads that the target is missed. */
  because?: string;
}

/** Any other figure beside its floor. */
export interface Measure {
  kind: 'measure';
  what: string;
  value: number;
  unit: 'MB' | 'ms' | '×';
  floor: string;
  floorValue: number;
  /** Bounds of the ratio; null where the figures are reported only. */
  target: { atMost: number } | { atLeast: number } | null;
  because?: string;
}

export interface Size {
  kind: 'size';
  what: string;
  bytes: number;
  maxBytes: number;
}

/** A question that this machine cannot answer. */
export interface Skipped {
  kind: 'skipped';
  what: string;
  why: string;
}

export type Result = Timing | Measure | Size | Skipped;

/** One file in `questions/`. */
export interface Question {
  name: string;
  ask(server: BenchServer): Promise<Result[]>;
}

export function ratioOf(result: Timing | Measure, of: 'median' | 'p10' = 'median'): number {
  if (result.kind === 'measure') return result.value / result.floorValue;
  return result.figures[of] / result.floorFigures[of];
}

export function isMissed(result: Result): boolean {
  switch (result.kind) {
    case 'size':
      return result.bytes > result.maxBytes;
    case 'skipped':
      return false;
    case 'timing':
      return result.target !== null && shown(ratioOf(result)) > shown(result.target);
    case 'measure': {
      const { target } = result;
      if (target === null) return false;
      const ratio = shown(ratioOf(result));
      return 'atMost' in target ? ratio > shown(target.atMost) : ratio < shown(target.atLeast);
    }
  }
}

/** As it is shown: two digits after the point. */
function shown(ratio: number): number {
  return Math.round(ratio * 100);
}
