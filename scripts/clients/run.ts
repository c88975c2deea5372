// npm run clients: what clients of PostgreSQL, migration tools and readers of `.env` files make of what `registrar exec` and
// `registrar env` give them, each run for real. Writes docs/clients.md.
//   npm run clients -- --only knex,dbmate     these alone, and no page

import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OwnServer, whyNoOwnServer } from '../../test/support/ownServer.ts';
import { clients } from './clients.ts';
import { envFileReaders } from './envFileReaders.ts';
import { migrationTools } from './migrationTools.ts';
import { complaints, enough } from './outcome.ts';
import { installAll } from './packages.ts';
import { writePage } from './page.ts';
import { openPlaces } from './places.ts';
import { readEnvFiles } from './readEnvFiles.ts';
import { tryPrograms } from './tryPrograms.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const only = values.only?.split(',');
const chosen = <T extends { name: string }>(all: readonly T[]): T[] =>
  all.filter(({ name }) => only === undefined || only.includes(name));

const why = whyNoOwnServer();
if (why !== null) throw new Error(`No server can be started here: ${why}`);
const work = await mkdtemp(join(tmpdir(), 'registrar-clients-'));
// The server belongs to another user, where root starts it.
await chmod(work, 0o755);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // The server ends by itself when this process has; the daemons, when their folders have gone.
    rmSync(work, { recursive: true, force: true });
    process.exit(130);
  });
}
const server = await OwnServer.start();
try {
  const lists = { clients: chosen(clients), tools: chosen(migrationTools), readers: chosen(envFileReaders) };
  const installed = await installAll([...lists.clients, ...lists.tools, ...lists.readers], work);
  const { places, missing, close } = await openPlaces(server, work);
  try {
    if (missing.length > 0) console.log(`Not tried, because this machine has none: ${missing.join(', ')}`);
    const { clientRows, toolRows } = await tryPrograms({ server, places, installed, work, ...lists });
    const read = await readEnvFiles({ server, installed, work, readers: lists.readers });
    const found = [
      ...read.complaints,
      ...complaints(clientRows, toolRows, only === undefined ? enough : { clients: 0, tools: 0 }),
    ];
    if (only === undefined) await writePage({ clientRows, toolRows, read, places });
    for (const complaint of found) console.error(`\n${complaint}`);
    console.log(
      `\n${clientRows.length} clients, ${toolRows.length} migration tools and ${lists.readers.length} readers were tried; ${found.length} complaints.`,
    );
    if (found.length > 0) process.exitCode = 1;
  } finally {
    await close();
  }
} finally {
  await server.close();
  await rm(work, { recursive: true, force: true });
}
