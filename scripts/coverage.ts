// Which lines of the pure core the tests without a server run. Node erases types in place, so V8's offsets are those of the sources.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}

interface Covered {
  url: string;
  functions: { ranges: Range[] }[];
}

const folders = ['daemon/registry', 'daemon/resolution'];
/** In percent of the lines that hold code. */
const least = 95;

const root = path.resolve(import.meta.dirname, '..');
const results = await mkdtemp(path.join(os.tmpdir(), 'registrar-coverage-'));
try {
  const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const specs = process.argv.slice(2);
  const chosen = specs.length > 0 ? specs : ['test/unit/{registry,resolution,world,sync}/**/*.test.ts'];
  const ran = spawnSync(process.execPath, [mocha, ...chosen.flatMap((spec) => ['--spec', spec])], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_V8_COVERAGE: results },
  });
  const isBelow = await report(results);
  process.exitCode = ran.status !== 0 || isBelow ? 1 : 0;
} finally {
  await rm(results, { recursive: true, force: true });
}

async function report(folder: string): Promise<boolean> {
  /** By file: whether each offset was run by anybody. */
  const run = new Map<string, Uint8Array>();
  for (const file of await readdir(folder)) {
    const { result } = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as { result: Covered[] };
    for (const { url, functions } of result) {
      if (!url.startsWith('file:')) continue;
      const source = path.relative(root, fileURLToPath(url)).replaceAll(path.sep, '/');
      if (folders.some((one) => source.startsWith(`${one}/`))) addTo(run, source, functions);
    }
  }
  let isBelow = false;
  for (const one of folders) {
    let [lines, missed] = [0, 0];
    for (const name of (await readdir(path.join(root, one), { recursive: true })).sort()) {
      const source = `${one}/${name.replaceAll(path.sep, '/')}`;
      if (!source.endsWith('.ts')) continue;
      const text = await readFile(path.join(root, source), 'utf8');
      const left = missedLines(text, run.get(source));
      lines += left.of;
      missed += left.lines.length;
      if (left.lines.length > 0) console.log(`${source}: ${left.lines.join(' ')}`);
    }
    const share = (100 * (lines - missed)) / lines;
    isBelow ||= share < least;
    console.log(`${one}: ${share.toFixed(1)} % of ${String(lines)} lines`);
  }
  return isBelow;
}

/** Inner ranges come after those that they are in, and count instead of them. */
function addTo(run: Map<string, Uint8Array>, source: string, functions: Covered['functions']): void {
  const ranges = functions.flatMap((one) => one.ranges);
  const length = Math.max(...ranges.map(({ endOffset }) => endOffset));
  const own = new Uint8Array(length);
  const outerFirst = ranges.sort(
    (one, other) => one.startOffset - other.startOffset || other.endOffset - one.endOffset,
  );
  for (const { startOffset, endOffset, count } of outerFirst) own.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  const all = run.get(source) ?? new Uint8Array(length);
  for (const [offset, isRun] of own.entries()) if (isRun) all[offset] = 1;
  run.set(source, all);
}

/** A line counts where it holds more than a comment, a type or punctuation, and is missed where nothing of that was run. */
function missedLines(text: string, run: Uint8Array | undefined): { of: number; lines: number[] } {
  const lines: number[] = [];
  let [of, offset, isType, isImport] = [0, 0, false, false];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^(export )?(interface|type) /.test(line)) isType = true;
    if (line.startsWith('import ')) isImport = true;
    const first = offset + line.search(/\S|$/);
    const isCode = !isType && !isImport && /\w/.test(line) && !/^\s*(\/\/|\/?\*)/.test(line);
    if (isCode) {
      of += 1;
      if (!run?.subarray(first, offset + line.length).includes(1)) lines.push(index + 1);
    }
    if (line.endsWith(';')) isImport = false;
    if (isType && /^\}|;$/.test(line) && !/^\s/.test(line)) isType = false;
    offset += line.length + 1;
  }
  return { of, lines };
}
