import { InvalidArgumentError } from 'commander';

const unitsMs = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Parses `12h`, `60d` or `8w` into milliseconds. */
export function durationMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})([hdw])$/.exec(text.trim()) ?? [];
  if (count === '' || Number(count) === 0) throw new InvalidArgumentError('It is a time such as 12h, 60d or 8w.');
  return Number(count) * unitsMs[unit as keyof typeof unitsMs];
}
