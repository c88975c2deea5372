import { createHash } from 'node:crypto';
import type { CatalogPort } from '../../registry/ports.ts';
import { addressLabel } from '../address/address.ts';
import { projectSql } from '../connection/projectSql.ts';
import { databaseFacts } from '../registry/figures.ts';
import type { RegistryDatabase } from '../registry/registryDatabase.ts';
import { SchemaRunner } from './schemaRunner.ts';
import { CatalogLooks } from './catalogLooks.ts';
import { DatabaseMaker } from './databaseMaker.ts';
import { DatabaseVisits } from './databaseVisits.ts';
import { DatabaseDrops } from './databaseDrops.ts';
import { writeComment } from './writeComment.ts';

export interface DatabaseSettings {
  /** SQL that every project database gets once, in one transaction; null for none. */
  projectSchema: () => Promise<string | null>;
}

/** The server's databases behind the rules' port. */
export function databases(registry: RegistryDatabase, settings: DatabaseSettings): CatalogPort {
  const looks = new CatalogLooks(registry);
  const visits = new DatabaseVisits(registry);
  const maker = new DatabaseMaker(registry, visits);
  const schemas = new SchemaRunner(registry, visits, looks);
  const drops = new DatabaseDrops(registry, looks);
  return {
    registry: registry.name,
    label: addressLabel(registry.address),
    abilities: () => looks.abilities(),
    lookDatabase: (databaseName) => looks.lookDatabase(databaseName),
    findMarked: (keys, row) => looks.findMarked(keys, row),
    createDatabase: (databaseName) => maker.make(databaseName),
    finishDrop: (databaseName) => drops.finish(databaseName),
    dropObstacle: (databaseName) => drops.obstacle(databaseName),
    dropDatabase: (databaseName, isMeant) => drops.drop(databaseName, isMeant),
    facts: (databaseName) => databaseFacts(registry, databaseName).catch(() => null),
    hasUserRelations: (databaseName) =>
      visits.visitInTurn(databaseName, 'read only', async (connection) => {
        const [seen] = await connection.run<{ relations: boolean }>(relationsSql);
        return seen?.relations ?? true;
      }),
    oneAtATime: (name, work) => registry.oneAtATime(name, registry.limits.writeMs, work),
    async projectSchema() {
      const sql = await settings.projectSchema();
      return sql === null ? null : { sql, version: createHash('sha256').update(sql).digest('hex') };
    },
    applySchema: (schema, change, row) => schemas.apply(schema, change, row),
    comment: (change) => writeComment(registry, change),
  };
}

/** Relations that a person or program made: not the system's, not an extension's. */
const relationsSql = projectSql`
  select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
      and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
  ) as relations`;
