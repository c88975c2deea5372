import { format } from 'prettier';
import { isMissed, ratioOf, type Result, type Timing } from './result.ts';

/** The table as Markdown, formatted as every other file of this checkout is. */
export async function markdown(results: readonly Result[], machine: string): Promise<string> {
  const timings = results.filter((result) => result.kind === 'timing');
  const sizes = results.filter((result) => result.kind === 'size');
  const missed = timings.filter((timing) => isMissed(timing) && timing.because !== undefined);
  const parts = [
    '# Benchmarks',
    'Made by `npm run bench`. Each figure stands beside a floor, the least that it could be, measured in the same run and in turns with it; the ratio is that of the medians. That of the fastest tenth of each says how it is when nothing else runs. Times are in milliseconds, and belong to this machine at that moment.',
    `Machine: ${machine}`,
    ...(timings.length > 0 ? [table(timingHeader, timings.map(timingCells))] : []),
    ...[...new Set(missed.map(({ because }) => because ?? ''))].map((reason) => {
      const of = missed.filter(({ because }) => because === reason).map(({ what }) => what);
      return `**${of.join('; ')}**: ${reason}`;
    }),
    ...(sizes.length > 0
      ? [
          table(
            ['size', 'kB', 'target'],
            sizes.map((size) => [size.what, kilobytes(size.bytes), `≤ ${kilobytes(size.maxBytes)}${mark(size)}`]),
          ),
        ]
      : []),
  ];
  return format(parts.join('\n\n'), { parser: 'markdown', singleQuote: true, printWidth: 120 });
}

const timingHeader = [
  'question',
  'floor',
  'ratio',
  'target',
  'ratio of the fastest tenth',
  'median',
  'p99',
  'min–max',
  'floor: median',
  'p99',
  'min–max',
  'runs',
];

function timingCells(timing: Timing): string[] {
  const { figures, floorFigures, target } = timing;
  return [
    timing.what,
    timing.floor,
    `${ratioOf(timing).toFixed(2)} ×`,
    target === null ? 'reported' : `≤ ${String(target)} ×${mark(timing)}`,
    `${ratioOf(timing, 'p10').toFixed(2)} ×`,
    ...[figures, floorFigures].flatMap(({ median, p99, min, max }) => [ms(median), ms(p99), `${ms(min)}–${ms(max)}`]),
    String(figures.runs),
  ];
}

function mark(result: Result): string {
  return isMissed(result) ? ' **missed**' : '';
}

function table(header: string[], rows: string[][]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three digits that mean something. */
function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
