import type { Sighting } from '../../registry/model.ts';
import type { ListKeys, Look, LookKeys } from '../../registry/ports.ts';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { eq, ge, gt, le } from '../connection/catalogSql.ts';
import { sqlState } from '../connection/sqlErrors.ts';
import type { RegistryDatabase, Row } from './registryDatabase.ts';
import { asked, refusal } from './registryFaults.ts';
import { sightingIn, sightingSql } from './sightingSql.ts';

/**
 * What the rules read of the table `projects`. If the table does not exist yet, it is created first, or counts as
 * empty.
 */
export class ProjectReads {
  readonly #database: RegistryDatabase;

  constructor(database: RegistryDatabase) {
    this.#database = database;
  }

  /** As `RegistryPort` says. */
  async look(keys: LookKeys, patient: boolean): Promise<Look> {
    const { limits } = this.#database;
    const values = [keys.id, keys.name];
    try {
      const sightings = await this.#sightings('look', lookSql, values, patient ? limits.writeMs : limits.lookMs);
      return { kind: 'seen', sightings };
    } catch (error) {
      if (error instanceof RegistrarError && error.code === 'REGISTRY_FORBIDDEN' && isTablePrivilege(error)) {
        return { kind: 'unreadable', failure: error.toReport() };
      }
      throw error;
    }
  }

  lookIds(ids: readonly string[]): Promise<Sighting[]> {
    return this.#sightings('ids', idsSql, [ids]);
  }

  lookIdPrefix(prefix: string): Promise<Sighting[]> {
    const range = ['00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff'].map(
      (rest) => prefix + rest.slice(prefix.length),
    );
    return this.#sightings('idPrefix', idPrefixSql, range);
  }

  async lookFormerId(id: string): Promise<Sighting | null> {
    const [first] = await this.#sightings('formerId', formerIdSql, [id]);
    return first ?? null;
  }

  async lookDatabaseOwner(databaseName: string): Promise<Sighting | null> {
    const [first] = await this.#sightings('databaseOwner', ownerSql, [databaseName]);
    return first ?? null;
  }

  list({ query, after, limit }: ListKeys): Promise<Sighting[]> {
    return this.#sightings('list', listSql, [after, query, limit]);
  }

  async #sightings(
    name: string,
    text: string,
    values: unknown[],
    timeoutMs = this.#database.limits.writeMs,
  ): Promise<Sighting[]> {
    const read = (): Promise<Row[]> => this.#database.read({ name, text, values }, timeoutMs);
    return (await this.#readMigrated(read)).map(sightingIn);
  }

  async #readMigrated(read: () => Promise<Row[]>): Promise<Row[]> {
    try {
      return await read();
    } catch (error) {
      if (sqlState(error) !== '42P01') throw refusal(error, asked.read, this.#database);
      if (!this.#database.makes) return [];
    }
    await this.#database.migrate();
    return read().catch((error: unknown) => {
      throw refusal(error, asked.read, this.#database);
    });
  }
}

/** Values: an id and a name, either of which may be null. Every answer about a named project is this one statement. */
export const lookSql = `${sightingSql} where p.id ${eq} $1 or p.name ${eq} $2`;
const formerIdSql = `${sightingSql} where p.metadata operator(pg_catalog.@>)
  pg_catalog.jsonb_build_object('registrar', pg_catalog.jsonb_build_object('formerIds', pg_catalog.jsonb_build_array($1::pg_catalog.text)))`;
const ownerSql = `${sightingSql} where p.database_name ${eq} $1`;
const listSql = `${sightingSql}
  where ($1::pg_catalog.text is null or p.name ${gt} $1)
    and ($2::pg_catalog.text is null or pg_catalog.strpos(pg_catalog.lower(p.name), pg_catalog.lower($2)) ${gt} 0)
  order by p.name limit $3`;

const idsSql = `${sightingSql} where p.id ${eq} any ($1::pg_catalog.uuid[])`;
const idPrefixSql = `${sightingSql} where p.id ${ge} $1 and p.id ${le} $2 limit 2`;

function isTablePrivilege(error: RegistrarError): boolean {
  const privilege = error.details?.['privilege'];
  return privilege === asked.read.privilege || privilege === asked.createTable.privilege;
}
