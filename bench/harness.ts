/** One way of doing something, to be timed beside others. */
export interface Variant {
  name: string;
  run: () => Promise<unknown>;
  /** Done before each run, and not timed. */
  prepare?: () => Promise<unknown>;
}

/** All in milliseconds. */
export interface Figures {
  runs: number;
  /** A tenth of the runs were faster: what other programs on the machine disturbed is not among those. */
  p10: number;
  median: number;
  p99: number;
  min: number;
  max: number;
}

export interface Plan {
  rounds: number;
  /** Runs of each variant in one round. */
  perRound: number;
  /** Runs of each variant before anything counts. */
  warmUp: number;
}

/**
 * Times variants in turns: each round runs a few of each, and every round begins with another variant, so that what else
 * the machine does meanwhile, and what each leaves behind for the next, falls on all of them alike.
 *
 * Written here, and not taken from a benchmark library: those that are well kept time one function after the other and
 * repeat it for as long as they choose, which suits neither a floor that is measured alongside nor runs that make databases.
 *
 * @returns the figures of each variant, by its name
 */
export async function interleave<Names extends string>(
  variants: readonly (Variant & { name: Names })[],
  { rounds, perRound, warmUp }: Plan,
): Promise<Record<Names, Figures>> {
  const times = new Map<Names, number[]>(variants.map(({ name }) => [name, []]));
  for (const variant of variants) for (let run = 0; run < warmUp; run += 1) await timed(variant);
  for (let round = 0; round < rounds; round += 1) {
    const first = round % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      for (let run = 0; run < perRound; run += 1) times.get(variant.name)?.push(await timed(variant));
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, figuresOf(all)])) as Record<Names, Figures>;
}

/** @param times in milliseconds, at least one */
export function figuresOf(times: readonly number[]): Figures {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return { runs: sorted.length, p10: at(0.1), median: (low + high) / 2, p99: at(0.99), min: at(0), max: at(1) };
}

async function timed({ prepare, run }: Variant): Promise<number> {
  await prepare?.();
  const started = performance.now();
  await run();
  return performance.now() - started;
}
