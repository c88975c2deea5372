/** A client of PostgreSQL, as an app uses it that knows nothing but its environment. */
export interface DatabaseClient {
  name: string;
  /** What npm installs into the cache; null for what the machine has. */
  packages: readonly string[] | null;
  /** Prints the name of the database that it reached. */
  command: readonly string[];
}

const javascript = (script: string): readonly string[] => [
  'node',
  '--input-type=module',
  '-e',
  `const url = process.env.DATABASE_URL, sql = 'select current_database() as name'; ${script}; process.exit(0)`,
];
// Debian's own, which has Debian's packages.
const python = (script: string): readonly string[] => [
  '/usr/bin/python3',
  '-c',
  `import os\nurl = os.environ['DATABASE_URL']\n${script}`,
];
const django = `import django
from django.conf import settings
e = os.environ
settings.configure(DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': e['PGHOST'], 'PORT': e['PGPORT'],
  'USER': e['PGUSER'], 'PASSWORD': e['PGPASSWORD'], 'NAME': e['PGDATABASE']}})
django.setup()
from django.db import connection
cursor = connection.cursor()
cursor.execute('select current_database()')
print(cursor.fetchone()[0])`;

export const clients: readonly DatabaseClient[] = [
  { name: 'psql', packages: null, command: ['psql', '-XAtc', 'select current_database()'] },
  {
    name: 'psql with DATABASE_URL',
    packages: null,
    command: ['sh', '-c', 'psql "$DATABASE_URL" -XAtc "select current_database()"'],
  },
  {
    name: 'pg',
    packages: ['pg'],
    command: javascript(
      `import pg from 'pg'; const c = new pg.Client({ connectionString: url }); await c.connect(); console.log((await c.query(sql)).rows[0].name)`,
    ),
  },
  {
    name: 'pg without DATABASE_URL',
    packages: ['pg'],
    command: javascript(
      `import pg from 'pg'; const c = new pg.Client(); await c.connect(); console.log((await c.query(sql)).rows[0].name)`,
    ),
  },
  {
    name: 'postgres.js',
    packages: ['postgres'],
    command: javascript(
      `import postgres from 'postgres'; console.log((await postgres(url, { connect_timeout: 10 }).unsafe(sql))[0].name)`,
    ),
  },
  {
    name: 'knex',
    packages: ['knex', 'pg'],
    command: javascript(
      `import knex from 'knex'; console.log((await knex({ client: 'pg', connection: url }).raw(sql)).rows[0].name)`,
    ),
  },
  {
    name: 'sequelize',
    packages: ['sequelize', 'pg'],
    command: javascript(
      `import { Sequelize } from 'sequelize'; console.log((await new Sequelize(url, { logging: false }).query(sql))[0][0].name)`,
    ),
  },
  {
    name: 'typeorm',
    packages: ['typeorm', 'pg', 'reflect-metadata'],
    command: javascript(
      `import typeorm from 'typeorm'; const d = await new typeorm.DataSource({ type: 'postgres', url }).initialize(); console.log((await d.query(sql))[0].name)`,
    ),
  },
  {
    name: 'drizzle-orm',
    packages: ['drizzle-orm', 'pg'],
    command: javascript(
      `import { drizzle } from 'drizzle-orm/node-postgres'; console.log((await drizzle(url).execute(sql)).rows[0].name)`,
    ),
  },
  {
    name: 'slonik',
    packages: ['slonik', 'zod'],
    command: javascript(
      `import { createPool, sql as s } from 'slonik'; console.log(await (await createPool(url)).oneFirst(s.unsafe\`select current_database() as name\`))`,
    ),
  },
  {
    name: 'node-pg-migrate',
    packages: ['node-pg-migrate', 'pg'],
    // It says what it did, not where: the comment on its table is read by the next client of the list.
    command: javascript(
      `import { runner } from 'node-pg-migrate'; import fs from 'node:fs'; import os from 'node:os'; import pg from 'pg';
       const dir = fs.mkdtempSync(os.tmpdir() + '/migrations-'); await runner({ databaseUrl: url, dir, direction: 'up', migrationsTable: 'moved', log() {} });
       fs.rmSync(dir, { recursive: true }); const c = new pg.Client({ connectionString: url }); await c.connect();
       console.log((await c.query("select current_database() as name, 'moved'::regclass")).rows[0].name)`,
    ),
  },
  {
    name: 'psycopg2',
    packages: null,
    command: python(
      `import psycopg2\nc = psycopg2.connect(url).cursor()\nc.execute('select current_database()')\nprint(c.fetchone()[0])`,
    ),
  },
  {
    name: 'psycopg 3',
    packages: null,
    command: python(`import psycopg\nprint(psycopg.connect(url).execute('select current_database()').fetchone()[0])`),
  },
  {
    name: 'SQLAlchemy',
    packages: null,
    command: python(
      `import sqlalchemy\nprint(sqlalchemy.create_engine(url).connect().execute(sqlalchemy.text('select current_database()')).scalar())`,
    ),
  },
  { name: 'Django', packages: null, command: python(django) },
];
