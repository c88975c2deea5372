import { unknownIds, type DeliveryOutcome } from '../../../daemon/postgres/registry/deliver.ts';
import { asked, unwritable } from '../../../daemon/postgres/registry/registryFaults.ts';
import { sqlState } from '../../../daemon/postgres/connection/sqlErrors.ts';
import { isDroppedSince } from '../../../daemon/registry/changes/droppedProject.ts';
import { projectDropped } from '../../../daemon/registry/failures.ts';
import type { RegistryRow } from '../../../daemon/registry/model.ts';
import type { RegistryPort } from '../../../daemon/registry/ports.ts';
import { readRegistrarMetadata } from '../../../daemon/registry/rowMetadata.ts';
import type { WorldClient } from './client.ts';
import type { Json } from './json.ts';
import { isBelievedOwner, rebuild } from './rebuild.ts';
import { formerIdsIn, storedOf, type Writer } from './registry.ts';
import { ServerError } from './serverError.ts';
import { registrarIn, type StoredRow } from './server.ts';

/** Writes outbox rows into the registry, as `daemon/postgres/registry/deliver.ts` does: one statement, then why the rest is not in it. */
export async function deliverTo(
  client: WorldClient,
  writer: Writer,
  registry: RegistryPort,
  rows: readonly RegistryRow[],
): Promise<DeliveryOutcome[]> {
  const { server, role } = client;
  try {
    const inserted = await client.run('deliver', async (transaction) => {
      if (!server.hasTable) await rebuild(server, transaction, client);
      if (server.isReadOnly) throw new ServerError('25006', 'cannot execute INSERT in a read-only transaction');
      const { lacks } = server.role(role);
      if (lacks.has('insert') || lacks.has('select'))
        throw new ServerError('42501', 'permission denied for table projects');
      const ids = new Set<string>();
      for (const row of rows) {
        if (isForgotten(client, row.databaseName) || isDropped(client, row)) continue;
        const stored: StoredRow = { ...storedOf(row), updatedAt: transaction.at };
        if (!(await server.insert(transaction, stored, true))) continue;
        ids.add(row.id);
        const { id: projectId, name, databaseName } = row;
        const kept = { projectId, name, databaseName, registrar: readRegistrarMetadata(stored.metadata) };
        const by = { actor: role, host: writer.host, by: writer.creator };
        transaction.events.push({
          at: transaction.at,
          operation: 'created',
          bytes: null,
          tables: null,
          ...by,
          ...kept,
        });
      }
      return ids;
    });
    const left = rows.filter(({ id }) => !inserted.has(id));
    const present = left.length > 0 ? await client.run('read-back', (transaction) => server.visible(transaction)) : [];
    const forgotten = left.length > 0 ? await client.run('read-forgotten', () => forgottenOf(client, left)) : new Set();
    const outcomes: DeliveryOutcome[] = [];
    for (const row of rows) {
      if (inserted.has(row.id)) outcomes.push({ kind: 'delivered' });
      else if (forgotten.has(row.databaseName)) outcomes.push({ kind: 'forgotten' });
      else {
        const outcome = await whyNot(row, present, registry);
        const unmerged = outcome.kind === 'delivered' ? await mergeFormerIds(client, row, present) : null;
        outcomes.push(unmerged ?? outcome);
      }
    }
    return outcomes;
  } catch (error) {
    const state = sqlState(error);
    if (state === null) throw error;
    if (state === '23514' && rows.length > 1) {
      const outcomes: DeliveryOutcome[] = [];
      for (const row of rows) outcomes.push(...(await deliverTo(client, writer, registry, [row])));
      return outcomes;
    }
    const missing = state === '42501' && server.role(role).lacks.has('select') ? asked.read : asked.insert;
    const { message } = unwritable(error, missing, role, server.registry);
    const kind = state.startsWith('23') || state === '22001' ? 'conflict' : 'failed';
    return rows.map(() => ({ kind, error: { code: state, message } }));
  }
}

/** The statement that inserts leaves these out. */
function isForgotten(client: WorldClient, databaseName: string): boolean {
  const database = client.server.databases.get(databaseName);
  if (!database) return false;
  const { comment, owner } = database;
  return comment?.includes('"forgotten_at"') === true && isBelievedOwner(client.server, owner, client);
}

function forgottenOf(client: WorldClient, rows: readonly RegistryRow[]): Set<string> {
  return new Set(rows.map(({ databaseName }) => databaseName).filter((name) => isForgotten(client, name)));
}

function isDropped({ server }: WorldClient, row: RegistryRow): boolean {
  const ends = ['created', 'adopted', 'dropped'];
  const newest = server.events.findLast(({ projectId, operation }) => projectId === row.id && ends.includes(operation));
  return newest !== undefined && isDroppedSince(newest, row);
}

async function mergeFormerIds(
  client: WorldClient,
  row: RegistryRow,
  present: readonly StoredRow[],
): Promise<DeliveryOutcome | null> {
  const { server, role } = client;
  const same = sameProject(row, present);
  const unknown = same ? unknownIds(row, same.id, formerIdsIn(same.metadata)) : [];
  if (!same || unknown.length === 0) return null;
  try {
    await client.run('merge', async (transaction) => {
      if (server.isReadOnly) throw new ServerError('25006', 'cannot execute UPDATE in a read-only transaction');
      if (server.role(role).lacks.has('update')) throw new ServerError('42501', 'permission denied for table projects');
      await server.change(
        transaction,
        ({ id, databaseName }) => id === same.id && databaseName === row.databaseName,
        (stored) => ({ ...stored, metadata: withFormerIds(stored, unknown) }),
      );
    });
    return null;
  } catch (error) {
    const code = sqlState(error);
    if (code === null) throw error;
    return { kind: 'failed', error: { code, message: unwritable(error, asked.update, role, server.registry).message } };
  }
}

function withFormerIds({ metadata }: StoredRow, more: readonly string[]): Json {
  const formerIds = [...new Set([...formerIdsIn(metadata), ...more])];
  return { ...metadata, registrar: { ...registrarIn(metadata), formerIds } };
}

function sameProject(row: RegistryRow, present: readonly StoredRow[]): StoredRow | undefined {
  return present.find(({ id, metadata }) => id === row.id || formerIdsIn(metadata).includes(row.id));
}

async function whyNot(
  row: RegistryRow,
  present: readonly StoredRow[],
  registry: RegistryPort,
): Promise<DeliveryOutcome> {
  const conflict = (code: string, message: string): DeliveryOutcome => ({ kind: 'conflict', error: { code, message } });
  const same = sameProject(row, present);
  if (same?.databaseName === row.databaseName) return { kind: 'delivered' };
  if (same) return conflict('23505', `the registry has this project with database ${same.databaseName}`);
  const [newest] = await registry.lookEvents({ id: row.id, name: null });
  if (newest && isDroppedSince(newest, row)) {
    const { code, message } = projectDropped(row.name, newest);
    return conflict(code, message);
  }
  if (present.some(({ name }) => name === row.name)) return conflict('23505', `the name "${row.name}" is taken`);
  if (present.some(({ databaseName }) => databaseName === row.databaseName))
    return conflict('23505', `the database ${row.databaseName} is another project's`);
  return { kind: 'failed', error: { code: '40001', message: 'the registry changed while the row was delivered' } };
}
