import { format } from 'prettier';
import { isMissed, ratioOf, type Measure, type Result, type Timing } from './result.ts';

/**
 * The table as Markdown, formatted as every other file of this checkout is.
 *
 * @param comparisons what was measured once, with and without it; put at the end
 */
export async function markdown(results: readonly Result[], machine: string, comparisons: string): Promise<string> {
  const timings = results.filter((result) => result.kind === 'timing');
  const measures = results.filter((result) => result.kind === 'measure');
  const sizes = results.filter((result) => result.kind === 'size');
  const skipped = results.filter((result) => result.kind === 'skipped');
  const missed = [...timings, ...measures].filter((result) => isMissed(result) && result.because !== undefined);
  const parts = [
    '# Benchmarks',
    'Made by `npm run bench`. Each figure stands beside a floor, the least that it could be, measured in the same run and in turns with it; the ratio is that of the medians. That of the fastest tenth of each says how it is when nothing else runs. Times are in milliseconds, and belong to this machine at that moment.',
    `Machine: ${machine}`,
    ...(timings.length > 0 ? [table(timingHeader, timings.map(timingCells))] : []),
    ...(measures.length > 0 ? [table(measureHeader, measures.map(measureCells))] : []),
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
    ...skipped.map(({ what, why }) => `Not measured: ${what}, ${why}.`),
    comparisons,
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
    ...[figures, floorFigures].flatMap(({ median, p99, min, max }) => [
      digits(median),
      digits(p99),
      `${digits(min)}–${digits(max)}`,
    ]),
    String(figures.runs),
  ];
}

const measureHeader = ['question', 'figure', 'floor', 'its figure', 'ratio', 'target'];

function measureCells(measure: Measure): string[] {
  const { what, value, unit, floor, floorValue, target } = measure;
  const bound = target && ('atMost' in target ? `≤ ${String(target.atMost)} ×` : `≥ ${String(target.atLeast)} ×`);
  return [
    what,
    `${digits(value)} ${unit}`,
    floor,
    `${digits(floorValue)} ${unit}`,
    `${ratioOf(measure).toFixed(2)} ×`,
    bound === null ? 'reported' : `${bound}${mark(measure)}`,
  ];
}

function mark(result: Result): string {
  return isMissed(result) ? ' **missed**' : '';
}

function table(header: string[], rows: string[][]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three digits that mean something. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
