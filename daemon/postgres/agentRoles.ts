import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import type { PostgresAddress } from './address.ts';
import { agentRoleFailed, agentRoleForbidden, agentRoleTaken } from './agentFaults.ts';
import { askDatabase } from './databaseWord.ts';
import { withConnection } from './directConnection.ts';
import { closeLastingWrites } from './lastingWrites.ts';
import type { RegistryDatabase } from './registryDatabase.ts';
import { scramVerifier } from './scramVerifier.ts';
import { isConnectionLoss, sqlState } from './sqlErrors.ts';
import { RegistrarError } from '../protocol/registrarError.ts';
import type { DatabaseWord } from '../registry/handOver.ts';

/** A project as the SQL of agents needs it. */
export interface AgentProject {
  /** A UUID with hyphens. */
  id: string;
  databaseName: string;
  /** Throws unless what its database says of itself lets it be used; asked on every connection, before anything else. */
  requireOwn(said: DatabaseWord): void;
}

/** Sessions at most of one such role; a query that was cut off may hold one for a while. */
const connectionLimit = 10;
/** What one query may write to the server's disk while it sorts or materializes; only a superuser may set it. */
const tempFileLimit = '1GB';

/** What the agents' role cannot read yet and somebody made: the system's own and what belongs to an extension stay as they are. */
export const unreadableSql = (role: string): string => `
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    and not (pg_catalog.has_schema_privilege(${role}, n.oid, 'USAGE') and pg_catalog.has_table_privilege(${role}, c.oid, 'SELECT'))
    and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;

/** Grants on what this role owns, in person or as a member; a grant on another's would be an error. */
const grantsSql = `
  select array_agg(distinct format('%I', n.nspname)) filter (
           where pg_has_role(n.nspowner, 'USAGE') and not has_schema_privilege($1::name, n.oid, 'USAGE')) as schemas,
         array_agg(format('%I.%I', n.nspname, c.relname)) filter (
           where pg_has_role(c.relowner, 'USAGE') and not has_table_privilege($1::name, c.oid, 'SELECT')) as tables
  ${unreadableSql('$1::name')}`;

const stateSql = `
  select exists (select from pg_roles where rolname = $1) as exists,
         me.rolsuper as super, me.rolcreaterole or me.rolsuper as creates
  from pg_roles me where me.rolname = current_user`;

/**
 * The login roles that agents' SQL runs as, one for each project and state folder: a role sees the statements of its own
 * sessions only, and two daemons never set each other's password. Each daemon that needs one sets its password anew and
 * keeps it in memory only.
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
   * The address to log in with as the role, which is made if need be.
   *
   * @param refused what this gave before, when the server did not take its password: a copy of this machine may have set one
   * @throws RegistrarError REGISTRY_FORBIDDEN naming the grant that is missing, PROVISION_FAILED, REGISTRY_UNREACHABLE
   */
  async addressFor(project: AgentProject, refused: PostgresAddress | null): Promise<PostgresAddress> {
    const user = this.nameFor(project);
    const known = this.#passwords.get(user);
    let password = await known;
    // Of several who come at once, the first sets a password and the others wait for it.
    if (password === undefined || password === refused?.password) {
      if (this.#passwords.get(user) === known) this.#passwords.set(user, this.#newPassword(project, user));
      password = await this.#passwords.get(user);
    }
    if (password === undefined) throw agentRoleFailed(project.databaseName, new Error('its project is being dropped'));
    // The options of the address may set what this role may not, or another role.
    return { ...this.#registry.address, user, password, options: null };
  }

  /** Lets the role read the tables that were made since. What belongs to others stays closed to it. */
  async grant(project: AgentProject): Promise<void> {
    await this.#inDatabase(project, (client) => grantAll(client, this.nameFor(project)));
  }

  /**
   * Removes the project's roles, also other daemons', when its database is gone.
   *
   * @throws RegistrarError REGISTRY_UNREACHABLE, and the server's error where a role may not be dropped
   */
  async drop(projectId: string): Promise<void> {
    const { limits } = this.#registry;
    const rows = await this.#registry.query(
      { text: 'select rolname from pg_roles where starts_with(rolname::text, $1)', values: [namePrefix(projectId)] },
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
    const name = pg.escapeIdentifier(role);
    const login = `connection limit ${connectionLimit} password ${pg.escapeLiteral(verifier)}`;
    await this.#inDatabase(project, async (client) => {
      const { rows } = await client.query<{ exists: boolean; super: boolean; creates: boolean }>(stateSql, [role]);
      const [state] = rows;
      // Those that are not named here are false when a role is made; to name them takes a superuser before PostgreSQL 16.
      const text = state?.exists ? `alter role ${name} login ${login}` : `create role ${name} login noinherit ${login}`;
      await client.query(text).catch((error: unknown) => {
        if (sqlState(error) !== '42501') throw error;
        const me = this.#registry.role;
        throw state?.exists && state.creates ? agentRoleTaken(role, me, error) : agentRoleForbidden(me, error);
      });
      // Whoever drops the database has to end the sessions in it, which takes a membership where it is no superuser.
      if (!state?.exists && !state?.super) await client.query(`grant ${name} to current_user`);
      if (state?.super) await client.query(`alter role ${name} set temp_file_limit = '${tempFileLimit}'`);
      await closeLastingWrites(client);
      await grantAll(client, role);
    });
  }

  /**
   * Runs `work` in one transaction in the project's database, one daemon at a time: PostgreSQL refuses two GRANTs on one
   * table at the same moment (XX000, "tuple concurrently updated"). A migration of the user's may collide with it all the
   * same, or drop a table in between (42P01, 3F000), so it is tried three times.
   */
  async #inDatabase(project: AgentProject, work: (client: pg.Client) => Promise<void>): Promise<void> {
    const { address, limits } = this.#registry;
    const { databaseName } = project;
    const connection = { connectMs: limits.writeMs, workMs: limits.provisionMs };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#registry.oneAtATime(`agents of ${databaseName}`, limits.writeMs, () =>
          withConnection(address, databaseName, connection, async (client) => {
            // A role that may read what is in there must not be left behind in somebody else's.
            project.requireOwn(await askDatabase(client));
            await client.query('begin');
            await client.query(`set local statement_timeout = ${limits.writeMs}`);
            // A function of the database's own must not stand in for one of the system's here.
            await client.query('set local search_path = pg_catalog');
            await work(client);
            await client.query('commit');
          }),
        );
        return;
      } catch (error) {
        if (error instanceof RegistrarError || isConnectionLoss(error)) throw error;
        if (attempt === 3 || !collisions.has(sqlState(error) ?? '')) throw agentRoleFailed(databaseName, error);
      }
    }
  }
}

const collisions = new Set(['XX000', '42P01', '3F000', '40001', '40P01', '42710', '23505']);

async function grantAll(client: pg.Client, role: string): Promise<void> {
  const name = pg.escapeIdentifier(role);
  const { rows } = await client.query<{ schemas: string[] | null; tables: string[] | null }>(grantsSql, [role]);
  for (const { schemas, tables } of rows) {
    if (schemas) await client.query(`grant usage on schema ${schemas.join(', ')} to ${name}`);
    if (tables) await client.query(`grant select on ${tables.join(', ')} to ${name}`);
  }
}

function namePrefix(projectId: string): string {
  return `registrar_agent_${projectId.replaceAll('-', '')}_`;
}
