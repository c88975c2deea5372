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

export interface Size {
  kind: 'size';
  what: string;
  bytes: number;
  maxBytes: number;
}

export type Result = Timing | Size;

export interface Options {
  /** With the million rows, which take minutes to make. */
  large: boolean;
}

/** One file in `questions/`. */
export interface Question {
  name: string;
  ask(server: BenchServer, options: Options): Promise<Result[]>;
}

export function ratioOf({ figures, floorFigures }: Timing, of: 'median' | 'p10' = 'median'): number {
  return figures[of] / floorFigures[of];
}

export function isMissed(result: Result): boolean {
  if (result.kind === 'size') return result.bytes > result.maxBytes;
  // As it is shown: two digits after the point.
  return result.target !== null && Math.round(ratioOf(result) * 100) > Math.round(result.target * 100);
}
