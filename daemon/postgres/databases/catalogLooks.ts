import { readMarker } from '../../registry/marker.ts';
import type { MarkedDatabase, OwnedDatabase, RegistryRow } from '../../registry/model.ts';
import { isBelieved } from '../../registry/evidence/owners.ts';
import type { Abilities, LookKeys } from '../../registry/ports.ts';
import { commentsJoinSql, eq, gt, interruptedSql } from '../connection/catalogSql.ts';
import { markedDatabasesSql } from '../registry/migrations.ts';
import type { RegistryDatabase, Row } from '../registry/registryDatabase.ts';
import { believedSql } from './believedOwners.ts';

/** What the catalog says of databases and of this role, over the registry's connection. As `CatalogPort` says. */
export class CatalogLooks {
  readonly #registry: RegistryDatabase;
  readonly #lookSql: string;
  readonly #markedSql: string;

  constructor(registry: RegistryDatabase) {
    this.#registry = registry;
    this.#lookSql = lookSql(registry.ownerRole);
    this.#markedSql = markedLikeSql(registry.ownerRole);
  }

  async abilities(): Promise<Abilities> {
    const { role, ownerRole } = this.#registry;
    const [row] = await this.#read('abilities', abilitiesSql, []);
    return {
      role,
      owner: ownerRole ?? textIn(row, 'owner') ?? role,
      mayCreateDatabases: row?.['creates'] === true,
      readOnly: row?.['read_only'] === true,
    };
  }

  async lookDatabase(databaseName: string): Promise<OwnedDatabase> {
    const [row] = await this.#read('lookDatabase', this.#lookSql, [databaseName]);
    return {
      presence: !row ? 'absent' : row['interrupted'] === true ? 'interrupted' : 'present',
      comment: textIn(row, 'comment'),
      owner: textIn(row, 'owner'),
      isOwnerBelieved: row?.['is_believed'] === true,
    };
  }

  async findMarked({ id, name }: LookKeys, forRow?: RegistryRow): Promise<MarkedDatabase[]> {
    const rows = await this.#read('marked', this.#markedSql, [id?.replaceAll('-', '') ?? null, name]);
    return rows.flatMap((row) => {
      const reading = readMarker(textIn(row, 'comment'));
      if (reading.kind === 'none' || reading.marker.registry !== this.#registry.name) return [];
      const { marker } = reading;
      const databaseName = row['database_name'];
      if (typeof databaseName !== 'string') return [];
      const seen = {
        presence: 'present',
        comment: null,
        owner: textIn(row, 'owner'),
        isOwnerBelieved: row['is_believed'] === true,
      } as const;
      if (!isBelieved(seen, forRow ?? null)) return [];
      return marker.projectId === id || marker.name === name ? [{ databaseName, marker }] : [];
    });
  }

  #read(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return this.#registry.query({ name, text, values }, this.#registry.limits.writeMs);
  }
}

function textIn(row: Row | undefined, column: string): string | null {
  const value = row?.[column];
  return typeof value === 'string' ? value : null;
}

/**
 * Narrowed to comments that hold the id, however it is spelled, or the name: a server with a hundred thousand projects
 * would send thirty megabytes. They are parsed afterwards, because the server would fail on a comment that is not JSON.
 */
const markedLikeSql = (ownerRole: string | null): string => `${markedDatabasesSql(ownerRole)}
    and (pg_catalog.strpos(pg_catalog.lower(pg_catalog.replace(s.description, '-', '')), $1) ${gt} 0
         or pg_catalog.strpos(s.description, $2) ${gt} 0)`;

const abilitiesSql = `
  select r.rolcreatedb or r.rolsuper as creates, current_user as owner,
         pg_catalog.pg_is_in_recovery()
           or pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool as read_only
  from pg_catalog.pg_roles r where r.rolname ${eq} current_user`;

const lookSql = (ownerRole: string | null): string => `
  select ${interruptedSql} as interrupted, s.description as comment, o.rolname as owner,
         ${believedSql('d.datdba', ownerRole)} as is_believed
  from pg_catalog.pg_database d
  left join pg_catalog.pg_roles o on o.oid ${eq} d.datdba
  ${commentsJoinSql}
  where d.datname ${eq} $1`;
