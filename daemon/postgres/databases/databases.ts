import { createHash } from 'node:crypto';
import pg from 'pg';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { sqlIdentifier } from '../../protocol/sqlText.ts';
import { named } from '../../protocol/visibleText.ts';
import { readMarker } from '../../registry/marker.ts';
import { isBelieved, requireBelieved } from '../../registry/evidence/owners.ts';
import type { CatalogPort } from '../../registry/ports.ts';
import { addressLabel } from '../address/address.ts';
import { commentSql, isThereSql } from './commentSql.ts';
import { believedSql } from './believedOwners.ts';
import { commentsJoinSql, eq, gt, interruptedSql } from '../connection/catalogSql.ts';
import { databaseFacts } from '../registry/figures.ts';
import { obstacleIn, obstaclesSql } from './dropObstacles.ts';
import { markedDatabasesSql } from '../registry/migrations.ts';
import { inProjectDatabase, type Access, type ProjectConnection } from '../connection/projectConnection.ts';
import { identifier, projectSql } from '../connection/projectSql.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { unreachableFor } from '../registry/registryFaults.ts';
import { closePublicSchema, opensPublicSql } from './publicSchema.ts';
import { troubleOf, type ServerTrouble } from '../connection/serverTrouble.ts';
import { isConnectionLoss, saidBy, serverWords, sqlState } from '../connection/sqlErrors.ts';
import { Turns } from '../connection/turns.ts';

export interface DatabaseSettings {
  /** SQL that every project database gets once, in one transaction; null for none. */
  projectSchema: () => Promise<string | null>;
}

/**
 * Narrowed to comments that hold the id, however it is spelled, or the name: a server with a hundred thousand projects would
 * send thirty megabytes. What they mean is read afterwards, since the server would fail at a comment that is no JSON.
 */
const markedLikeSql = (ownerRole: string | null): string => `${markedDatabasesSql(ownerRole)}
    and (pg_catalog.strpos(pg_catalog.lower(pg_catalog.replace(s.description, '-', '')), $1) ${gt} 0
         or pg_catalog.strpos(s.description, $2) ${gt} 0)`;

const abilitiesSql = `
  select r.rolcreatedb or r.rolsuper as creates, current_user as owner,
         pg_catalog.pg_is_in_recovery()
           or pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool as read_only
  from pg_catalog.pg_roles r where r.rolname ${eq} current_user`;

/** Relations that a person or program made: not the system's, not an extension's. */
const relationsSql = projectSql`
  select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
      and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
  ) as relations`;

const lookSql = (ownerRole: string | null): string => `
  select ${interruptedSql} as interrupted, s.description as comment, o.rolname as owner,
         ${believedSql('d.datdba', ownerRole)} as is_believed
  from pg_catalog.pg_database d
  left join pg_catalog.pg_roles o on o.oid ${eq} d.datdba
  ${commentsJoinSql}
  where d.datname ${eq} $1`;

/** The server's databases behind the rules' port. */
export function databases(registry: RegistryDatabase, settings: DatabaseSettings): CatalogPort {
  const { limits, ownerRole } = registry;
  const looking = lookSql(ownerRole);
  const marking = markedLikeSql(ownerRole);
  const label = addressLabel(registry.address);
  // Project databases have no pools: each is visited for a moment. A hundred that are made at once must not take every
  // connection that the server has; nor, while they are made, every connection of the registry's pool, since whoever only
  // looks would then wait behind them until its own, much shorter limit is over.
  const turns = new Turns(4);

  /** Asked once: neither the server's major nor the role changes under an open engine. */
  let opensPublic: Promise<boolean> | null = null;

  async function create(databaseName: string, template: 'template1' | 'template0'): Promise<void> {
    const owner = ownerRole === null ? '' : ` owner ${pg.escapeIdentifier(ownerRole)}`;
    const text = `create database ${pg.escapeIdentifier(databaseName)}${owner}${template === 'template0' ? ' template template0' : ''}`;
    await inTurn(() => registry.query({ text, values: [] }, limits.provisionMs));
  }

  function visit<T>(
    databaseName: string,
    access: Access,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    const directLimits = { connectMs: limits.writeMs, workMs: limits.provisionMs, access };
    return inProjectDatabase(registry, databaseName, directLimits, work);
  }

  function withDatabase<T>(
    databaseName: string,
    access: Access,
    work: (connection: ProjectConnection) => Promise<T>,
  ): Promise<T> {
    return inTurn(() => visit(databaseName, access, work));
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const tooLate = () => unreachableFor('other projects, which are made at the same time,', limits.provisionMs);
    return turns.run(limits.provisionMs, tooLate, work);
  }

  return {
    registry: registry.name,
    label,
    async projectSchema() {
      const sql = await settings.projectSchema();
      return sql === null ? null : { sql, version: createHash('sha256').update(sql).digest('hex') };
    },

    async abilities() {
      const [row] = await registry.query({ name: 'abilities', text: abilitiesSql, values: [] }, limits.writeMs);
      return {
        role: registry.role,
        owner: ownerRole ?? (typeof row?.['owner'] === 'string' ? row['owner'] : registry.role),
        mayCreateDatabases: row?.['creates'] === true,
        readOnly: row?.['read_only'] === true,
      };
    },

    async lookDatabase(databaseName) {
      const [row] = await registry.query(
        { name: 'lookDatabase', text: looking, values: [databaseName] },
        limits.writeMs,
      );
      const comment = typeof row?.['comment'] === 'string' ? row['comment'] : null;
      return {
        presence: !row ? 'absent' : row['interrupted'] === true ? 'interrupted' : 'present',
        comment,
        owner: typeof row?.['owner'] === 'string' ? row['owner'] : null,
        isOwnerBelieved: row?.['is_believed'] === true,
      };
    },

    async findMarked({ id, name }, forRow) {
      const values = [id?.replaceAll('-', '') ?? null, name];
      const rows = await registry.query({ name: 'marked', text: marking, values }, limits.writeMs);
      return rows.flatMap((row) => {
        const reading = readMarker(typeof row['comment'] === 'string' ? row['comment'] : null);
        if (reading.kind === 'none' || reading.marker.registry !== registry.name) return [];
        const { marker } = reading;
        const databaseName = row['database_name'];
        if (typeof databaseName !== 'string') return [];
        const owner = typeof row['owner'] === 'string' ? row['owner'] : null;
        const seen = {
          presence: 'present',
          comment: null,
          owner,
          isOwnerBelieved: row['is_believed'] === true,
        } as const;
        if (!isBelieved(seen, forRow ?? null)) return [];
        return marker.projectId === id || marker.name === name ? [{ databaseName, marker }] : [];
      });
    },

    async createDatabase(databaseName) {
      try {
        await create(databaseName, 'template1').catch((error: unknown) => {
          if (!isTemplateTrouble(error)) throw error;
          return create(databaseName, 'template0');
        });
        opensPublic ??= registry.query({ text: opensPublicSql }, limits.writeMs).then((rows) => rows.length > 0);
        if (await opensPublic) {
          await withDatabase(databaseName, 'read write', closePublicSchema).catch((error: unknown) => {
            // Whether it is there is looked at next.
            if (sqlState(error) !== '3D000') throw error;
          });
        }
        return 'created';
      } catch (error) {
        opensPublic = null;
        const state = sqlState(error);
        // 23505 on pg_database_datname_index: another CREATE DATABASE of the same name committed at the same instant.
        if (state === '42P04' || state === '23505') return 'exists';
        throw createFailed(error, databaseName, registry.role, ownerRole);
      }
    },

    async finishDrop(databaseName) {
      const isInterrupted = async (): Promise<boolean> =>
        (await this.lookDatabase(databaseName)).presence === 'interrupted';
      if (!(await isInterrupted())) return;
      // Whoever looked before another one finished it would drop what was made anew since.
      await registry.oneAtATime(`drop of ${databaseName}`, limits.provisionMs, async () => {
        if (!(await isInterrupted())) return;
        const text = `drop database if exists ${pg.escapeIdentifier(databaseName)}`;
        await registry.query({ text, values: [] }, limits.provisionMs);
      });
    },

    async dropObstacle(databaseName) {
      const query = { text: obstaclesSql, values: [databaseName] };
      const [row] = await registry.read(query, limits.writeMs);
      return obstacleIn(row, databaseName);
    },

    facts: (databaseName) => databaseFacts(registry, databaseName).catch(() => null),

    async dropDatabase(databaseName) {
      const text = `drop database if exists ${pg.escapeIdentifier(databaseName)} with (force)`;
      try {
        await registry.query({ text, values: [] }, limits.provisionMs);
      } catch (error) {
        throw dropFailed(error, databaseName);
      }
    },

    async hasUserRelations(databaseName) {
      return withDatabase(databaseName, 'read only', async (connection) => {
        const [seen] = await connection.run<{ relations: boolean }>(relationsSql);
        return seen?.relations ?? true;
      });
    },

    async applySchema({ sql, version }, change, row) {
      const once = (work: (connection: ProjectConnection) => Promise<void>): Promise<void> =>
        // The lock has a connection of its own, so it is taken within the turn.
        inTurn(() =>
          registry.oneAtATime(`schema of ${change.databaseName}`, limits.provisionMs, () =>
            visit(change.databaseName, 'read write', work),
          ),
        );
      await once(async (connection) => {
        try {
          // Over the registry's connection: in this database, anybody may own a table called `projects`.
          const seen = await this.lookDatabase(change.databaseName);
          const reading = readMarker(seen.comment);
          if (reading.kind === 'marker' && reading.marker.schemaVersion === version) return;
          await requireBelieved(change.databaseName, seen, row, this);
          if (seen.owner !== null) await become(connection, seen.owner);
          // A person's SQL, so it runs with the database's own `search_path`.
          await connection.foreign((client) => client.query(sql));
          await connection.pin();
          await connection.run(commentSql(change));
        } catch (error) {
          throw schemaFailed(error, change.databaseName);
        }
      });
    },

    oneAtATime: (name, work) => registry.oneAtATime(name, limits.writeMs, work),

    async comment(change) {
      try {
        await registry.query({ text: commentSql(change), values: [] }, limits.writeMs);
        const there = await registry.query({ text: isThereSql, values: [change.databaseName] }, limits.writeMs);
        return there.length > 0 ? 'done' : 'lost';
      } catch (error) {
        const state = sqlState(error);
        if (state === '42501') return 'forbidden';
        // 3D000: dropped meanwhile. XX000 and 23505: somebody else is writing the same comment; what it says is read again.
        if (state === '3D000' || state === 'XX000' || state === '23505') return 'lost';
        throw error;
      }
    },
  };
}

/**
 * What the schema makes is the owner's, and so the team's, as far as this role may become the owner: to own the database alone
 * does not let anybody touch its tables.
 */
async function become(connection: ProjectConnection, owner: string): Promise<void> {
  await connection.run(projectSql`savepoint before_role`);
  try {
    await connection.run(projectSql`set local role ${identifier(owner)}`);
  } catch (error) {
    if (sqlState(error) !== '42501') throw error;
    await connection.run(projectSql`rollback to before_role`);
  }
}

/** 55006: someone is connected to template1. XX000: template1's collation version is not this system's any more. */
function isTemplateTrouble(error: unknown): boolean {
  const state = sqlState(error);
  return state === '55006' || (state === 'XX000' && error instanceof Error && error.message.includes('collation'));
}

interface Refused {
  state: string;
  trouble: ServerTrouble | null;
}

/** The server's refusal of a statement; null when no answer came, which says nothing about whether it ran. */
function refusalIn(error: unknown): Refused | null {
  const state = sqlState(error);
  const trouble = troubleOf(state);
  if (state === null || isConnectionLoss(error) || (error instanceof RegistrarError && !trouble)) return null;
  return { state, trouble };
}

function createFailed(error: unknown, databaseName: string, role: string, ownerRole: string | null): unknown {
  const refusal = refusalIn(error);
  if (!refusal) return error;
  const { state, trouble } = refusal;
  const hints: Record<string, string> = {
    '42501':
      ownerRole === null
        ? `As a superuser: ALTER ROLE ${sqlIdentifier(role)} CREATEDB;`
        : `As a superuser: GRANT ${sqlIdentifier(ownerRole)} TO ${sqlIdentifier(role)};`,
    '42704': 'Create the role that registrar.postgres.ownerRole names, or change the setting.',
  };
  return new RegistrarError(
    {
      code: trouble?.code ?? 'PROVISION_FAILED',
      message: `Database ${named(databaseName)} could not be created: ${saidBy(error)} (${state}).`,
      hint: hints[state] ?? trouble?.hint ?? 'Fix the cause on the server, then resolve again.',
      details: { database: databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}

function dropFailed(error: unknown, databaseName: string): unknown {
  const refusal = refusalIn(error);
  if (!refusal) return error;
  const { state, trouble } = refusal;
  return new RegistrarError(
    {
      code: trouble?.code ?? 'PROVISION_FAILED',
      message: `Database ${named(databaseName)} could not be dropped: ${saidBy(error)} (${state}).`,
      hint: trouble?.hint ?? 'Fix the cause on the server, then drop the project again; until then it is as it was.',
      details: { database: databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}

function schemaFailed(error: unknown, databaseName: string): unknown {
  const refusal = refusalIn(error);
  if (!refusal) return error;
  const { state, trouble } = refusal;
  // Its own time limit and its own characters are a matter of the schema.
  const isOwn = trouble === null || trouble.code === 'REGISTRY_BUSY' || trouble.code === 'REGISTRY_SCHEMA';
  return new RegistrarError(
    {
      code: isOwn ? 'PROVISION_FAILED' : trouble.code,
      message: `The project schema could not be applied to ${named(databaseName)}: ${saidBy(error)} (${state}).`,
      hint: !isOwn
        ? trouble.hint
        : 'Correct the file that registrar.postgres.projectSchema names, then resolve again; nothing of it was kept.',
      details: { database: databaseName, sqlState: state, server: serverWords(error) },
    },
    { cause: error },
  );
}
