import { createHash } from 'node:crypto';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { asServerTrouble } from '../../../daemon/postgres/connection/serverTrouble.ts';
import { isConnectionLoss, saidBy, sqlState } from '../../../daemon/postgres/connection/sqlErrors.ts';
import { readMarker } from '../../../daemon/registry/marker.ts';
import type { OwnedDatabase } from '../../../daemon/registry/model.ts';
import { isBelieved, requireBelieved } from '../../../daemon/registry/evidence/owners.ts';
import type { CatalogPort } from '../../../daemon/registry/ports.ts';
import type { WorldClient } from './client.ts';
import { CommentChanged, setComment, takeCommentLock } from './comment.ts';
import { isBelievedOwner } from './rebuild.ts';
import type { StoredDatabase, WorldServer } from './server.ts';
import { ServerError } from './serverError.ts';

/** The world's databases behind the rules' port, as `daemon/postgres/databases/databases.ts` finds them in PostgreSQL. */
export function worldCatalog(client: WorldClient, projectSchema: () => string | null): CatalogPort {
  const { server, role, ownerRole } = client;

  function owned(databaseName: string): OwnedDatabase {
    const database = server.databases.get(databaseName);
    if (!database) return { presence: 'absent', comment: null, owner: null, isOwnerBelieved: false };
    const { owner, comment, isInterrupted } = database;
    const isOwnerBelieved = isBelievedOwner(server, owner, client);
    return { presence: isInterrupted ? 'interrupted' : 'present', comment, owner, isOwnerBelieved };
  }

  return {
    registry: server.registry,
    label: server.label,
    async projectSchema() {
      const sql = projectSchema();
      return sql === null ? null : { sql, version: createHash('sha256').update(sql).digest('hex') };
    },
    abilities: () =>
      client.run('abilities', () => {
        const { mayCreateDatabases, isSuperuser } = server.role(role);
        const may = mayCreateDatabases || isSuperuser;
        return { role, owner: ownerRole ?? role, mayCreateDatabases: may, readOnly: server.isReadOnly };
      }),
    lookDatabase: (databaseName) => client.run('look-database', () => owned(databaseName)),
    findMarked: ({ id, name }, row) =>
      client.run('marked', () =>
        [...server.databases.keys()].flatMap((databaseName) => {
          const seen = owned(databaseName);
          const reading = readMarker(seen.comment);
          if (seen.presence !== 'present' || reading.kind === 'none') return [];
          const { marker } = reading;
          if (marker.registry !== server.registry || !isBelieved(seen, row ?? null)) return [];
          return marker.projectId === id || marker.name === name ? [{ databaseName, marker }] : [];
        }),
      ),
    async createDatabase(databaseName) {
      try {
        await client.run('create', () => {
          server.create(role, databaseName, ownerRole ?? role);
        });
        return 'created';
      } catch (error) {
        if (sqlState(error) === '42P04') return 'exists';
        throw failed(error, `Database ${databaseName} could not be created`);
      }
    },
    async finishDrop(databaseName) {
      const isInterrupted = async (): Promise<boolean> =>
        (await this.lookDatabase(databaseName)).presence === 'interrupted';
      if (!(await isInterrupted())) return;
      await this.oneAtATime(`drop of ${databaseName}`, async () => {
        if (!(await isInterrupted())) return;
        await client.run('drop', (transaction) => server.drop(transaction, role, databaseName, false));
      });
    },
    dropObstacle: (databaseName) =>
      client.read('obstacle', () => {
        const mayEnd = (other: string): boolean => server.owns(role, other) && !server.role(other).isSuperuser;
        const sessions = [...(server.databases.get(databaseName)?.sessions ?? [])].map((session) => session.role);
        const kept = server.role(role).isSuperuser ? [] : sessions.filter((other) => !mayEnd(other));
        if (kept.length === 0) return null;
        return { what: `role ${role} may not end the sessions in it: ${kept.join(', ')}`, hint: 'Ask them to leave.' };
      }),
    facts: () => Promise.resolve(null),
    dropDatabase(databaseName, isMeant) {
      return this.oneAtATime(`drop of ${databaseName}`, async () => {
        const { presence, comment } = await this.lookDatabase(databaseName);
        if (presence === 'absent' || !isMeant(comment)) return;
        try {
          await client.run('drop', (transaction) => server.drop(transaction, role, databaseName, true));
        } catch (error) {
          throw failed(error, `Database ${databaseName} could not be dropped`);
        }
      });
    },
    hasUserRelations: (databaseName) => client.run('relations', () => enter(server, databaseName).hasRelations),
    async applySchema({ sql, version }, { databaseName, seen: expected, comment }, row) {
      return client.transaction(async (execute) => {
        await execute('comment-lock', (holder) => takeCommentLock(server, databaseName, holder));
        return execute('schema', async (transaction) => {
          const database = enter(server, databaseName);
          const seen = owned(databaseName);
          const reading = readMarker(seen.comment);
          if (reading.kind === 'marker' && reading.marker.schemaVersion === version) return 'done';
          if (seen.comment !== expected) return 'lost';
          await requireBelieved(databaseName, seen, row, this);
          if (sql.startsWith('fail'))
            throw failed(new ServerError('42601', sql), `The schema of ${databaseName} failed`);
          await server.comment(transaction, role, databaseName, comment).catch((error: unknown) => {
            // Whoever drops a database that somebody is in ends the sessions in it first.
            throw sqlState(error) === '3D000' ? new ServerError('57P01', 'terminating connection') : error;
          });
          transaction.onCommit.push(() => {
            database.hasRelations = true;
          });
          return 'done';
        });
      });
    },
    oneAtATime: (name, work) =>
      client.transaction(async (execute) => {
        await execute('lock', (holder) => server.locks.take(`only ${name}`, holder));
        return work();
      }, 'unlock'),
    async comment(change) {
      try {
        await client.transaction((execute) => setComment(client, execute, change));
        return 'done';
      } catch (error) {
        if (error instanceof CommentChanged) return 'lost';
        const state = sqlState(error);
        if (state === '42501') return 'forbidden';
        if (state === '3D000') return 'lost';
        throw asServerTrouble(error);
      }
    },
  };
}

/** A connection to a project's database, or why there is none, as `daemon/postgres/connectFailure.ts` says it. */
export function enter(server: WorldServer, databaseName: string): StoredDatabase {
  try {
    return server.enter(databaseName);
  } catch (error) {
    const state = sqlState(error);
    const code = state === '3D000' ? 'DATABASE_MISSING' : 'REGISTRY_FORBIDDEN';
    const report = { code, message: saidBy(error), hint: 'Look at the server.', details: { sqlState: state } } as const;
    throw new RegistrarError(report, { cause: error });
  }
}

/** What the server refused; an answer that never came is passed on as it is. */
function failed(error: unknown, what: string): unknown {
  const state = sqlState(error);
  if (state === null || isConnectionLoss(error)) return error;
  const trouble = asServerTrouble(error);
  return new RegistrarError(
    {
      code: trouble instanceof RegistrarError ? trouble.code : 'PROVISION_FAILED',
      message: `${what}: ${saidBy(error)} (${state}).`,
      hint: 'Fix the cause on the server, then try again.',
      details: { sqlState: state },
    },
    { cause: error },
  );
}
