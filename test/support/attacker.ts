import pg from 'pg';
import type { RegistryFixture, Role } from './registryFixture.ts';

/** A role of the same server that may make databases and nothing else, and what it does with that. */
export interface Attacker {
  name: string;
  /** One statement (or several without values) as this role. */
  sql(text: string, database: string): Promise<Record<string, unknown>[]>;
  /** Makes a database of its own, with a comment when given. */
  plant(database: string, comment?: object): Promise<void>;
  /** A marker of the fixture's registry. */
  marker(fields: { id: string; name: string; forgotten?: boolean }): object;
  isSuperuser(): Promise<boolean>;
  /** Drops its databases. */
  close(): Promise<void>;
}

export async function attacker(fixture: RegistryFixture): Promise<Attacker> {
  const role: Role = await fixture.role('createdb');
  async function sql(text: string, database: string): Promise<Record<string, unknown>[]> {
    const url = new URL(fixture.url(role));
    url.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      const result = (await client.query(text)) as pg.QueryResult | pg.QueryResult[];
      return (Array.isArray(result) ? result.at(-1) : result)?.rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }
  return {
    name: role.name,
    sql,
    async plant(database, comment) {
      await sql(`create database "${database}"`, 'postgres');
      if (comment) await sql(`comment on database "${database}" is '${JSON.stringify(comment)}'`, 'postgres');
    },
    marker: ({ id, name, forgotten }) => ({
      registrar: {
        registry: fixture.registry,
        project_id: id,
        name,
        created_at: '2026-11-03T09:00:00.000Z',
        schema_version: null,
        ...(forgotten ? { forgotten_at: '2026-11-03T10:00:00.000Z' } : {}),
      },
    }),
    async isSuperuser() {
      const [row] = await fixture.sql('select rolsuper from pg_roles where rolname = $1', [role.name], 'postgres');
      return row?.['rolsuper'] === true;
    },
    async close() {
      const owned = await fixture.sql<{ datname: string }>(
        `select datname from pg_database d join pg_roles r on r.oid = d.datdba where r.rolname = $1`,
        [role.name],
        'postgres',
      );
      for (const { datname } of owned) {
        await fixture.release(datname);
        await fixture.sql(`drop database "${datname}" with (force)`, [], 'postgres');
      }
    },
  };
}
