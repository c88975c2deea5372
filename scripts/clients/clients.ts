import {
  checksCertificates,
  keepsBrackets,
  libpqMeaning,
  postgresJsTls,
  slonikUnverified,
  trustedAuthority,
  type Program,
} from './programs.ts';

/** Each prints the name of the database that it reached. */
export const clients: readonly Program[] = [
  {
    name: 'psql',
    packages: [],
    debian: ['postgresql-client'],
    line: 'psql',
    command: ['psql', '-XAtc', 'select current_database()'],
  },
  {
    name: 'psql with DATABASE_URL',
    packages: [],
    debian: ['postgresql-client'],
    line: 'psql "$DATABASE_URL"',
    command: ['sh', '-c', 'psql "$DATABASE_URL" -XAtc "select current_database()"'],
  },
  javascript(
    'pg',
    ['pg'],
    'new pg.Client({ connectionString: process.env.DATABASE_URL })',
    (made) =>
      `import pg from 'pg'; const client = ${made}; await client.connect(); show((await client.query(sql)).rows[0].name)`,
    { remedies: [libpqMeaning] },
  ),
  javascript(
    'pg without DATABASE_URL',
    ['pg'],
    'new pg.Client()',
    (made) =>
      `import pg from 'pg'; const client = ${made}; await client.connect(); show((await client.query(sql)).rows[0].name)`,
    { remedies: [trustedAuthority], gaps: { 'self-signed': checksCertificates } },
  ),
  javascript(
    'postgres.js',
    ['postgres'],
    'postgres(process.env.DATABASE_URL)',
    (made) => `import postgres from 'postgres'; const client = ${made}; show((await client.unsafe(sql))[0].name)`,
    {
      gaps: {
        socket: 'does not read a socket from a URL: write `postgres()`, which reads `PGHOST`',
        IPv6: 'mistakes an IPv6 address for several parts: write `postgres()`',
        TLS: 'passes `sslrootcert` on to the server: write `postgres()`',
      },
    },
  ),
  javascript(
    'postgres.js without DATABASE_URL',
    ['postgres'],
    'postgres()',
    (made) => `import postgres from 'postgres'; const client = ${made}; show((await client.unsafe(sql))[0].name)`,
    { remedies: [postgresJsTls] },
  ),
  javascript(
    'knex',
    ['knex', 'pg'],
    "knex({ client: 'pg', connection: process.env.DATABASE_URL })",
    (made) => `import knex from 'knex'; show((await ${made}.raw(sql)).rows[0].name)`,
    { gaps: { 'self-signed': checksCertificates, IPv6: keepsBrackets } },
  ),
  javascript(
    'sequelize',
    ['sequelize', 'pg'],
    'new Sequelize(process.env.DATABASE_URL)',
    (made) =>
      `import { Sequelize } from 'sequelize'; show((await (${made}).query(sql, { logging: false }))[0][0].name)`,
    { remedies: [libpqMeaning] },
  ),
  javascript(
    'typeorm',
    ['typeorm', 'pg', 'reflect-metadata'],
    "new DataSource({ type: 'postgres', url: process.env.DATABASE_URL })",
    (made) =>
      `import typeorm from 'typeorm'; const { DataSource } = typeorm; show((await (await (${made}).initialize()).query(sql))[0].name)`,
    { remedies: [libpqMeaning] },
  ),
  javascript(
    'drizzle-orm',
    ['drizzle-orm', 'pg'],
    'drizzle(process.env.DATABASE_URL)',
    (made) => `import { drizzle } from 'drizzle-orm/node-postgres'; show((await ${made}.execute(sql)).rows[0].name)`,
    { remedies: [libpqMeaning] },
  ),
  javascript(
    'Prisma Client',
    ['@prisma/adapter-pg'],
    'new PrismaPg({ connectionString: process.env.DATABASE_URL })',
    // The adapter is the part of the client that connects; the client itself is generated for each app.
    (made) =>
      `import { PrismaPg } from '@prisma/adapter-pg'; const client = await (${made}).connect();
       show((await client.queryRaw({ sql: 'select current_database()::text', args: [], argTypes: [] })).rows[0][0])`,
    { remedies: [libpqMeaning] },
  ),
  javascript(
    'slonik',
    ['slonik', 'zod'],
    'await createPool(process.env.DATABASE_URL)',
    (made) =>
      `import { createPool, sql as s } from 'slonik'; const pool = ${made}; show(await pool.oneFirst(s.unsafe\`select current_database() as name\`))`,
    { remedies: [slonikUnverified], gaps: { TLS: 'does not know `sslmode=verify-full`', IPv6: keepsBrackets } },
  ),
  python(
    'psycopg2',
    'python3-psycopg2',
    "psycopg2.connect(os.environ['DATABASE_URL'])",
    (made) => `import psycopg2\nc = ${made}.cursor()\nc.execute('select current_database()')\nprint(c.fetchone()[0])`,
  ),
  python(
    'psycopg 3',
    'python3-psycopg',
    "psycopg.connect(os.environ['DATABASE_URL'])",
    (made) => `import psycopg\nprint(${made}.execute('select current_database()').fetchone()[0])`,
  ),
  python(
    'SQLAlchemy',
    'python3-sqlalchemy',
    "create_engine(os.environ['DATABASE_URL'])",
    (made) =>
      `from sqlalchemy import create_engine, text\nprint(${made}.connect().execute(text('select current_database()')).scalar())`,
  ),
  python(
    'Django',
    'python3-django',
    "'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'], 'USER': os.environ['PGUSER'], 'PASSWORD': os.environ['PGPASSWORD'], 'NAME': os.environ['PGDATABASE']",
    (made) => `import django
from django.conf import settings
settings.configure(DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', ${made}}})
django.setup()
from django.db import connection
cursor = connection.cursor()
cursor.execute('select current_database()')
print(cursor.fetchone()[0])`,
  ),
];

/** @param script gets the line that the page shows, so that what it shows is what ran */
function javascript(
  name: string,
  packages: readonly string[],
  line: string,
  script: (line: string) => string,
  more: Pick<Program, 'remedies' | 'gaps'> = {},
): Program {
  const whole = `const sql = 'select current_database() as name', show = (name) => { console.log(name); process.exit(0); }; ${script(line)}`;
  return { name, packages, debian: [], line, command: ['node', '--input-type=module', '-e', whole], ...more };
}

/** Debian's own interpreter, which has Debian's packages. */
function python(name: string, debian: string, line: string, script: (line: string) => string): Program {
  const command = ['/usr/bin/python3', '-c', `import os\n${script(line)}`];
  return { name, packages: [], debian: [debian, 'python3-psycopg2'], line, command };
}
