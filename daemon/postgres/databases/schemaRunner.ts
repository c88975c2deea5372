import { readMarker } from '../../registry/marker.ts';
import type { RegistryRow } from '../../registry/model.ts';
import { requireBelieved } from '../../registry/evidence/owners.ts';
import type { CommentChange, ProjectSchema } from '../../registry/ports.ts';
import type { ProjectConnection } from '../connection/projectConnection.ts';
import { identifier, projectSql } from '../connection/projectSql.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import type { CatalogLooks } from './catalogLooks.ts';
import { commentLock, commentSql } from './commentSql.ts';
import { schemaFailed } from './databaseFaults.ts';
import type { DatabaseVisits } from './databaseVisits.ts';

/** Applies the project schema, once per database, as `CatalogPort` says. */
export class SchemaRunner {
  readonly #registry: RegistryDatabase;
  readonly #visits: DatabaseVisits;
  readonly #looks: CatalogLooks;

  constructor(registry: RegistryDatabase, visits: DatabaseVisits, looks: CatalogLooks) {
    this.#registry = registry;
    this.#visits = visits;
    this.#looks = looks;
  }

  /** @throws RegistrarError PROVISION_FAILED, DATABASE_FOREIGN */
  async apply(schema: ProjectSchema, change: CommentChange, row: RegistryRow): Promise<'done' | 'lost'> {
    const { databaseName } = change;
    return this.#once(databaseName, async (connection) => {
      try {
        // Over the registry's connection: in this database, anybody may own a table called `projects`.
        const seen = await this.#looks.lookDatabase(databaseName);
        const reading = readMarker(seen.comment);
        if (reading.kind === 'marker' && reading.marker.schemaVersion === schema.version) return 'done';
        if (seen.comment !== change.seen) return 'lost';
        await requireBelieved(databaseName, seen, row, this.#looks);
        if (seen.owner !== null) await become(connection, seen.owner);
        // A person's SQL, so it runs with the database's own `search_path`.
        await connection.foreign((client) => client.query(schema.sql));
        await connection.pin();
        await connection.run(commentSql(change));
        return 'done';
      } catch (error) {
        throw schemaFailed(error, databaseName);
      }
    });
  }

  async #once<T>(databaseName: string, work: (connection: ProjectConnection) => Promise<T>): Promise<T> {
    const { provisionMs } = this.#registry.limits;
    // The lock of the comment, which comes with the schema: nobody may set another until both are committed. It has a
    // connection of its own, so it is taken within the slot.
    return this.#visits.inTurn(() =>
      this.#registry.oneAtATime(commentLock(databaseName), provisionMs, () =>
        this.#visits.visit(databaseName, 'read write', work),
      ),
    );
  }
}

/**
 * What the schema creates belongs to the owner, and so to the team, if this role may become the owner: owning only the
 * database does not give access to its tables.
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
