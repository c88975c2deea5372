import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import type { PostgresAddress } from '../address/address.ts';
import { agentRoleFailed, agentRoleForbidden, agentRoleTaken } from './agentFaults.ts';
import { wordOf, wordSql, type WordRow } from '../databases/databaseWord.ts';
import { closeLastingWrites } from './lastingWrites.ts';
import { inProjectDatabase, type ProjectConnection } from '../connection/projectConnection.ts';
import { identifier, listed, literal, projectSql, type ProjectSql } from '../connection/projectSql.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { scramVerifier } from './scramVerifier.ts';
import { isConnectionLoss, sqlState } from '../connection/sqlErrors.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import type { DatabaseWord } from '../../registry/handOver.ts';

/** A project as the SQL of agents needs it. */
export interface AgentProject {
  /** A UUID with hyphens. */
  id: string;
  databaseName: string;
  /** Throws unless the database's own marker allows its use; called on every connection, before anything else. */
  requireOwn(said: DatabaseWord): void;
}

/** Sessions at most of one such role; a query that was cut off may hold one for a while. */
const connectionLimit = 10;
/** What one query may write to the server's disk while it sorts or materializes; only a superuser may set it. */
const tempFileLimit = projectSql`'1GB'`;

/**
 * What people have created and the agents' role cannot read yet. System objects and those of extensions stay as they
 * are.
 */
export const unreadableSql = (role: ProjectSql): ProjectSql => projectSql`
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    and not (pg_catalog.has_schema_privilege(${role}, n.oid, 'USAGE') and pg_catalog.has_table_privilege(${role}, c.oid, 'SELECT'))
    and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;

/** Grants on what this role owns, in person or as a member; a grant on another's would be an error. */
const grantsSql = projectSql`
  select json_agg(distinct n.nspname::text) filter (
           where pg_has_role(n.nspowner, 'USAGE') and not has_schema_privilege($1::name, n.oid, 'USAGE')) as schemas,
         json_agg(json_build_array(n.nspname, c.relname)) filter (
           where pg_has_role(c.relowner, 'USAGE') and not has_table_privilege($1::name, c.oid, 'SELECT')) as tables
  ${unreadableSql(projectSql`$1::name`)}`;

const stateSql = projectSql`
  select exists (select from pg_roles where rolname = $1) as exists,
         me.rolsuper as super, me.rolcreaterole or me.rolsuper as creates
  from pg_roles me where me.rolname = current_user`;

/**
 * The login roles that agents' SQL runs as, one for each project and state folder: a role sees the statements of its
 * own sessions only, and two daemons never set each other's password. Each daemon that needs one sets a new password
 * and keeps it in memory only.
 */
export class AgentRoles {
  readonly #registry: RegistryDatabase;
  readonly #owner: string;
  readonly #passwords = new Map<string, Promise<string>>();

  /** @param owner what tells this daemon from all others that use the server: machine and state folder */
  constructor(registry: RegistryDatabase, owner: string) {
    this.#registry = registry;
    // Two registries of one server may both have a project of this id: every default project is the nil UUID.
    this.#owner = createHash('sha256').update(`${owner}\0${registry.name}`).digest('hex').slice(0, 12);
  }

  /** At most 61 bytes, so that PostgreSQL does not cut it; the whole id, so that no two projects share it. */
  nameFor({ id }: AgentProject): string {
    return `${namePrefix(id)}${this.#owner}`;
  }

  /**
   * The address for logging in as the role, which is created if necessary.
   *
   * @param refused what this gave before, when the server did not take its password: a copy of this machine may have
   *   set one
   * @throws RegistrarError REGISTRY_FORBIDDEN naming the grant that is missing, PROVISION_FAILED, REGISTRY_UNREACHABLE
   */
  async addressFor(project: AgentProject, refused: PostgresAddress | null): Promise<PostgresAddress> {
    const user = this.nameFor(project);
    const known = this.#passwords.get(user);
    let password = await known;
    // Of several concurrent callers, the first sets a password and the others wait for it.
    if (password === undefined || password === refused?.password) {
      if (this.#passwords.get(user) === known) this.#passwords.set(user, this.#newPassword(project, user));
      password = await this.#passwords.get(user);
    }
    if (password === undefined) throw agentRoleFailed(project.databaseName, new Error('its project is being dropped'));
    // The options of the address may set what this role may not, or another role.
    return { ...this.#registry.address, user, password, options: null };
  }

  /** Lets the role read the tables that were created since. Other owners' tables stay closed to it. */
  async grant(project: AgentProject): Promise<void> {
    await this.#inDatabase(project, (connection) => grantAll(connection, this.nameFor(project)));
  }

  /**
   * Removes the project's roles, also other daemons', when its database is gone.
   *
   * @throws RegistrarError REGISTRY_UNREACHABLE, and the server's error where a role may not be dropped
   */
  async drop(projectId: string): Promise<void> {
    const { limits } = this.#registry;
    const rows = await this.#registry.query(
      {
        text: 'select rolname from pg_catalog.pg_roles where pg_catalog.starts_with(rolname::pg_catalog.text, $1)',
        values: [namePrefix(projectId)],
      },
      limits.writeMs,
    );
    for (const { rolname } of rows) {
      this.#passwords.delete(String(rolname));
      const text = `drop role if exists ${pg.escapeIdentifier(String(rolname))}`;
      await this.#registry.query({ text, values: [] }, limits.writeMs);
    }
  }

  #newPassword(project: AgentProject, role: string): Promise<string> {
    const making = (async () => {
      const password = randomBytes(32).toString('base64url');
      await this.#provision(project, role, await scramVerifier(password));
      return password;
    })();
    making.catch(() => {
      if (this.#passwords.get(role) === making) this.#passwords.delete(role);
    });
    return making;
  }

  async #provision(project: AgentProject, role: string, verifier: string): Promise<void> {
    const name = identifier(role);
    const login = projectSql`connection limit ${connectionLimit} password ${literal(verifier)}`;
    await this.#inDatabase(project, async (connection) => {
      const [state] = await connection.run<{ exists: boolean; super: boolean; creates: boolean }>(stateSql, [role]);
      // Attributes that are not named here are false in a new role; naming them takes a superuser before PostgreSQL 16.
      const statement = state?.exists
        ? projectSql`alter role ${name} login ${login}`
        : projectSql`create role ${name} login noinherit ${login}`;
      await connection.run(statement).catch((error: unknown) => {
        if (sqlState(error) !== '42501') throw error;
        const me = this.#registry.role;
        throw state?.exists && state.creates ? agentRoleTaken(role, me, error) : agentRoleForbidden(me, error);
      });
      // Whoever drops the database has to end the sessions in it, which takes a membership where it is no superuser.
      if (!state?.exists && !state?.super) await connection.run(projectSql`grant ${name} to current_user`);
      if (state?.super) await connection.run(projectSql`alter role ${name} set temp_file_limit = ${tempFileLimit}`);
      await closeLastingWrites(connection);
      await grantAll(connection, role);
    });
  }

  /**
   * Runs `work` in one transaction in the project's database, one daemon at a time: PostgreSQL refuses two GRANTs on
   * one table at the same moment (XX000, "tuple concurrently updated"). A migration of the user's may collide with it
   * all the same, or drop a table in between (42P01, 3F000), so it is tried three times. While the registry, which has
   * the lock, does not answer, it works without the lock; only the retries then keep daemons apart.
   */
  async #inDatabase(project: AgentProject, work: (connection: ProjectConnection) => Promise<void>): Promise<void> {
    const { databaseName } = project;
    const { writeMs, provisionMs } = this.#registry.limits;
    const limits = { connectMs: writeMs, workMs: provisionMs, access: 'read write' } as const;
    const inProject = (): Promise<void> =>
      inProjectDatabase(this.#registry, databaseName, limits, async (connection) => {
        // First make sure who owns the database: no role with SELECT may remain in somebody else's.
        const [word] = await connection.run<WordRow>(wordSql);
        project.requireOwn(wordOf(word));
        await connection.run(projectSql`set local statement_timeout = ${writeMs}`);
        await work(connection);
      });
    for (let attempt = 1; ; attempt += 1) {
      try {
        let hasBegun = false;
        const inTurn = (): Promise<void> => {
          hasBegun = true;
          return inProject();
        };
        await this.#registry.oneAtATime(`agents of ${databaseName}`, writeMs, inTurn).catch((error: unknown) => {
          if (hasBegun || !(error instanceof RegistrarError)) throw error;
          return inProject();
        });
        return;
      } catch (error) {
        if (error instanceof RegistrarError || isConnectionLoss(error)) throw error;
        if (attempt === 3 || !collisions.has(sqlState(error) ?? '')) throw agentRoleFailed(databaseName, error);
      }
    }
  }
}

const collisions = new Set(['XX000', '42P01', '3F000', '40001', '40P01', '42710', '23505']);

async function grantAll(connection: ProjectConnection, role: string): Promise<void> {
  const name = identifier(role);
  const rows = await connection.run<{ schemas: string[] | null; tables: [string, string][] | null }>(grantsSql, [role]);
  for (const { schemas, tables } of rows) {
    if (schemas) await connection.run(projectSql`grant usage on schema ${listed(schemas.map(identifier))} to ${name}`);
    const named = tables?.map(([schema, table]) => projectSql`${identifier(schema)}.${identifier(table)}`);
    if (named) await connection.run(projectSql`grant select on ${listed(named)} to ${name}`);
  }
}

function namePrefix(projectId: string): string {
  return `registrar_agent_${projectId.replaceAll('-', '')}_`;
}
