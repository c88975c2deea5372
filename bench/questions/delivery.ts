import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { resolved } from '../asked.ts';
import type { Engine } from '../../daemon/engine/engine.ts';
import { interleave } from '../harness.ts';
import type { Question } from '../result.ts';

const count = 1000;
const registry = 'registry_delivery';

const insertSql = `
  insert into projects (id, name, description, database_name, created_at, metadata)
  select id, name, description, database_name, created_at, metadata
  from jsonb_to_recordset($1::jsonb)
    as e(id uuid, name text, description text, database_name text, created_at timestamptz, metadata jsonb)
  returning id`;

/** A thousand projects that were made while the registry could not be written, each in its file. */
export const delivery: Question = {
  name: 'delivery',
  async ask(server) {
    await resolved((await server.engine(registry)).createProject({ name: 'first' }));
    const sql = server.sql(registry);
    const rows = Array.from({ length: count }, (_, index) => rowNumber(index));
    const records = rows.map(({ databaseName, createdAt, ...row }) => ({
      ...row,
      database_name: databaseName,
      created_at: createdAt,
    }));
    const empty = () => sql.query(`delete from projects where name <> 'first'`);
    let stateFolder = '';
    let engine: Engine | null = null;
    const { floor, delivering } = await interleave(
      [
        {
          name: 'floor',
          prepare: empty,
          run: async () => {
            // A connection of its own, as the engine that has just been opened needs one.
            const client = new pg.Client({ connectionString: server.url(registry) });
            await client.connect();
            await client.query(insertSql, [JSON.stringify(records)]);
            await client.end();
          },
        },
        {
          name: 'delivering',
          prepare: async () => {
            await empty();
            stateFolder = await server.stateFolder();
            await mkdir(join(stateFolder, 'outbox'));
            for (const row of rows) await writeEntry(stateFolder, row, server.outboxKey(registry));
            engine = await server.engine(registry, { stateFolder });
          },
          run: async () => {
            // The engine has begun when it was opened, a moment ago; this waits for the same attempt.
            const status = await engine?.syncNow();
            if (status?.delivered !== count || status.pending.length > 0) throw new Error('not all were delivered');
          },
        },
      ],
      { rounds: 10, perRound: 1, warmUp: 1 },
    );
    return [
      {
        kind: 'timing',
        what: 'deliver 1,000 pending projects (at most 2 s)',
        figures: delivering,
        floor: 'one INSERT of the same rows, over a connection of its own',
        floorFigures: floor,
        target: 8,
      },
    ];
  },
};

type PendingRow = ReturnType<typeof rowNumber>;

function rowNumber(index: number) {
  const createdAt = new Date(0).toISOString();
  return {
    id: randomUUID(),
    name: `pending ${String(index)}`,
    description: null,
    databaseName: `cb_proj_pending_${index.toString(16).padStart(8, '0')}`,
    createdAt,
    metadata: { registrar: { state: 'ready', lastUsedAt: createdAt } },
  };
}

/** As the outbox writes it, but for the fsync. */
async function writeEntry(stateFolder: string, row: PendingRow, registryKey: string): Promise<void> {
  const since = new Date(0).toISOString();
  const error = { code: '42501', message: 'permission denied for table projects' };
  const entry = { version: 1, registry: registryKey, row: { ...row, updatedAt: since }, state: 'pending', since };
  const text = JSON.stringify({ ...entry, attempts: 1, error }, null, 2);
  await writeFile(join(stateFolder, 'outbox', `${row.id}.json`), `${text}\n`);
}
