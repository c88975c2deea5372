// How fast it is beside the least that it could be.
//   npm run bench                         every question, and the table into bench/RESULTS.md
//   npm run bench -- config creation      these questions only
//   npm run bench -- --json               JSON on standard output in place of the table

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBenchServer } from './benchServer.ts';
import { load, machineLine } from './machine.ts';
import { agents } from './questions/agents.ts';
import { daemonStart } from './questions/daemonStart.ts';
import { memory } from './questions/memory.ts';
import { bundleSizes } from './questions/bundleSizes.ts';
import { commandLine } from './questions/commandLine.ts';
import { config } from './questions/config.ts';
import { creation } from './questions/creation.ts';
import { delivery } from './questions/delivery.ts';
import { explicit } from './questions/explicit.ts';
import { firstResolves } from './questions/firstResolves.ts';
import { clients } from './questions/clients.ts';
import { drift } from './questions/drift.ts';
import { listing } from './questions/listing.ts';
import { pooler } from './questions/pooler.ts';
import { markdown } from './report.ts';
import { isMissed, ratioOf, type Result } from './result.ts';

const questions = [
  explicit,
  pooler,
  config,
  creation,
  firstResolves,
  delivery,
  drift,
  listing,
  agents,
  clients,
  commandLine,
  daemonStart,
  memory,
  bundleSizes,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !questions.some((question) => question.name === name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${questions.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const chosen = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const loadBefore = load();
const server = await startBenchServer();
process.once('SIGINT', () => {
  // The server would outlive this process.
  void server.close().finally(() => process.exit(130));
});
const results: Result[] = [];
let machine: string;
try {
  for (const question of chosen) {
    const started = performance.now();
    results.push(...(await question.ask(server)));
    console.error(`${question.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  machine = machineLine(server.version, loadBefore);
} finally {
  await server.close();
}

if (values.json) {
  const judged = results.map((result) => ({
    ...result,
    ...(result.kind === 'timing' || result.kind === 'measure' ? { ratio: ratioOf(result) } : {}),
    isMissed: isMissed(result),
  }));
  console.log(JSON.stringify({ machine, results: judged }, null, 2));
} else {
  const comparisons = await readFile(join(import.meta.dirname, 'COMPARISONS.md'), 'utf8');
  const text = await markdown(results, machine, comparisons);
  console.log(text);
  if (positionals.length === 0) await writeFile(join(import.meta.dirname, 'RESULTS.md'), text);
}
