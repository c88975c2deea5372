import fc from 'fast-check';
import { Counts } from './counts.ts';
import { History } from './history.ts';
import type { Mutant } from './mutants.ts';

/** How long a shorter history is searched for. */
const shrinkMs = 30_000;

/** A tape of numbers: what happens in one history, in this order. */
const tapes = fc.array(fc.nat(99_999), { maxLength: 160, size: 'max' });

/** A history that breaks a promise, as short as it could be made. */
export interface Broken {
  seed: number;
  tape: readonly number[];
  /** What happened in it; the last line is the promise that is broken. */
  lines: readonly string[];
}

/** Runs as many histories as are asked for, the same ones for the same seed. Null where all promises held. */
export async function simulate(histories: number, seed: number, counts: Counts): Promise<Broken | null> {
  const property = fc.asyncProperty(tapes, (tape) => new History(counts).run(tape));
  // First which history fails, and only then, for as long as somebody may want to wait, a shorter one.
  const { failed, counterexample, counterexamplePath } = await fc.check(property, {
    seed,
    numRuns: histories,
    endOnFailure: true,
  });
  if (!failed) return null;
  const shrinking = { seed, path: counterexamplePath ?? '', numRuns: 1, interruptAfterTimeLimit: shrinkMs };
  const shrunk = await fc.check(property, shrinking);
  const [tape = []] = shrunk.counterexample ?? counterexample ?? [];
  return { seed, tape, lines: await replay(tape, counts) };
}

/**
 * How many histories it takes to catch a mutant, of so many.
 *
 * @returns null where none of them breaks a promise
 */
export async function catchMutant(
  { apply }: Mutant,
  histories: number,
  seed: number,
): Promise<{ histories: number; promise: string } | null> {
  const caught = { histories: 0, promise: '' };
  const counts = new Counts();
  const property = fc.asyncProperty(tapes, async (tape) => {
    caught.histories += 1;
    await new History(counts).run(tape).catch((error: unknown) => {
      caught.promise = messageOf(error);
      throw error;
    });
  });
  const undo = apply();
  try {
    const { failed } = await fc.check(property, { seed, numRuns: histories, endOnFailure: true });
    return failed ? caught : null;
  } finally {
    undo();
  }
}

/** Runs one history, and says what happened in it. */
async function replay(tape: readonly number[], counts: Counts): Promise<string[]> {
  const history = new History(counts);
  await history.run(tape).catch((error: unknown) => {
    history.lines.push(messageOf(error));
  });
  return history.lines;
}

/** The history for people, with what repeats it. */
export function textOf({ seed, tape, lines }: Broken): string {
  return `${lines.join('\n')}\n\nseed ${String(seed)}, tape ${JSON.stringify(tape)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
