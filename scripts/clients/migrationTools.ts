import { createHash } from 'node:crypto';
import {
  checksCertificates,
  keepsBrackets,
  libpqMeaning,
  placeNames,
  trustedAuthority,
  withoutTls,
  type Program,
} from './programs.ts';

/** A program that changes a database's tables: it says what it did, not where, so the tables are looked at afterwards. */
export interface MigrationTool extends Program {
  /** Its settings and its one migration, by path. */
  files: Readonly<Record<string, string>>;
}

/** What each migration makes; its one row says in which database it ran. */
export const migratedTable = (tool: string): string => `by_${tool.toLowerCase().replaceAll(/\W+/g, '_')}`;

const migration = (tool: string): string =>
  `create table ${migratedTable(tool)} as select current_database()::text as place`;

export const migrationTools: readonly MigrationTool[] = [
  {
    name: 'Prisma Migrate',
    packages: ['prisma'],
    debian: [],
    line: "datasource: { url: env('DATABASE_URL') }",
    command: ['npx', 'prisma', 'migrate', 'deploy'],
    gaps: everywhere('did not run: it downloads its engine from Prisma’s server, which could not be reached'),
    files: {
      'prisma.config.ts': `import { defineConfig, env } from 'prisma/config';
export default defineConfig({ schema: 'prisma/schema.prisma', datasource: { url: env('DATABASE_URL') } });
`,
      'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n}\n',
      'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
      'prisma/migrations/1_init/migration.sql': `${migration('Prisma Migrate')};\n`,
    },
  },
  {
    name: 'Prisma Migrate 6 by adapter',
    packages: ['prisma@6', '@prisma/adapter-pg@7'],
    debian: [],
    line: 'adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL })',
    // Its migrations need no query engine, but it downloads one unless a file is named.
    command: ['sh', '-c', 'PRISMA_QUERY_ENGINE_LIBRARY="$PWD/package.json" exec npx prisma migrate deploy'],
    remedies: [libpqMeaning],
    files: {
      'package.json': '{ "private": true }\n',
      'prisma.config.ts': `import { defineConfig } from 'prisma/config';
import { PrismaPg } from '@prisma/adapter-pg';
export default defineConfig({
  schema: 'prisma/schema.prisma',
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
});
`,
      'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
      'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
      'prisma/migrations/1_init/migration.sql': `${migration('Prisma Migrate 6 by adapter')};\n`,
    },
  },
  {
    name: 'drizzle-kit',
    packages: ['drizzle-kit', 'drizzle-orm', 'pg'],
    debian: [],
    line: "dialect: 'postgresql', dbCredentials: { url: process.env.DATABASE_URL }",
    command: ['npx', 'drizzle-kit', 'migrate'],
    remedies: [libpqMeaning],
    files: {
      'drizzle.config.js':
        "module.exports = { dialect: 'postgresql', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL } };\n",
      'drizzle/0000_init.sql': `${migration('drizzle-kit')};\n`,
      'drizzle/meta/_journal.json': JSON.stringify({
        version: '7',
        dialect: 'postgresql',
        entries: [{ idx: 0, version: '7', when: 1, tag: '0000_init', breakpoints: true }],
      }),
    },
  },
  {
    name: 'knex migrate',
    packages: ['knex', 'pg'],
    debian: [],
    line: "client: 'pg', connection: process.env.DATABASE_URL",
    command: ['npx', 'knex', '--knexfile', 'knexfile.cjs', 'migrate:latest'],
    gaps: { 'self-signed': checksCertificates, IPv6: keepsBrackets },
    files: {
      'knexfile.cjs': "module.exports = { client: 'pg', connection: process.env.DATABASE_URL };\n",
      'migrations/1_init.cjs': `exports.up = (knex) => knex.raw('${migration('knex migrate')}');\nexports.down = () => {};\n`,
    },
  },
  {
    name: 'node-pg-migrate',
    packages: ['node-pg-migrate', 'pg'],
    debian: [],
    line: 'nothing: it reads DATABASE_URL',
    command: ['npx', 'node-pg-migrate', 'up'],
    remedies: [libpqMeaning],
    files: { 'migrations/1_init.sql': `${migration('node-pg-migrate')};\n` },
  },
  {
    name: 'graphile-migrate',
    packages: ['graphile-migrate'],
    debian: [],
    line: 'nothing: it reads DATABASE_URL',
    command: ['npx', 'graphile-migrate', 'migrate'],
    remedies: [libpqMeaning],
    files: { '.gmrc': '{}\n', 'migrations/committed/000001.sql': committed(`${migration('graphile-migrate')};`) },
  },
  {
    name: 'dbmate',
    packages: ['dbmate'],
    debian: [],
    line: 'nothing: it reads DATABASE_URL',
    command: ['npx', 'dbmate', '--no-dump-schema', 'migrate'],
    remedies: [withoutTls],
    gaps: { IPv6: 'drops the brackets around an IPv6 address: give Registrar the server’s name instead' },
    files: { 'db/migrations/1_init.sql': `-- migrate:up\n${migration('dbmate')};\n\n-- migrate:down\n` },
  },
  {
    name: 'sequelize-cli',
    packages: ['sequelize-cli', 'sequelize', 'pg'],
    debian: [],
    line: "use_env_variable: 'DATABASE_URL', dialect: 'postgres'",
    command: ['npx', 'sequelize-cli', 'db:migrate', '--config', 'config.cjs'],
    remedies: [trustedAuthority],
    gaps: { 'self-signed': checksCertificates },
    files: {
      'config.cjs': "module.exports = { development: { use_env_variable: 'DATABASE_URL', dialect: 'postgres' } };\n",
      'migrations/1-init.cjs': `exports.up = (queryInterface) => queryInterface.sequelize.query('${migration('sequelize-cli')}');\nexports.down = async () => {};\n`,
    },
  },
  {
    name: 'typeorm migration',
    packages: ['typeorm', 'pg', 'reflect-metadata'],
    debian: [],
    line: "new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, … })",
    command: ['npx', 'typeorm', 'migration:run', '-d', 'dataSource.cjs'],
    remedies: [libpqMeaning],
    files: {
      'dataSource.cjs': `const { DataSource } = require('typeorm');
exports.dataSource = new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, migrations: ['migrations/*.cjs'] });
`,
      'migrations/init.cjs': `exports.Init1700000000000 = class Init1700000000000 {
  up(queryRunner) { return queryRunner.query('${migration('typeorm migration')}'); }
  async down() {}
};
`,
    },
  },
  {
    name: 'Alembic',
    packages: [],
    debian: ['python3-alembic', 'python3-psycopg2'],
    line: "create_engine(os.environ['DATABASE_URL'])",
    command: ['/usr/bin/python3', '-m', 'alembic.config', 'upgrade', 'head'],
    files: {
      'alembic.ini': '[alembic]\nscript_location = migrations\n',
      'migrations/env.py': `import os
from alembic import context
from sqlalchemy import create_engine
with create_engine(os.environ['DATABASE_URL']).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`,
      'migrations/versions/init.py': `from alembic import op
revision = '1'
down_revision = None
def upgrade():
    op.execute('${migration('Alembic')}')
`,
    },
  },
  {
    name: 'Django migrate',
    packages: [],
    debian: ['python3-django', 'python3-psycopg2'],
    line: "'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'], …",
    command: ['/usr/bin/python3', '-m', 'django', 'migrate', '--settings=settings', '--pythonpath=.'],
    files: {
      'settings.py': `import os
SECRET_KEY = 'x'
INSTALLED_APPS = ['shop']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'],
  'USER': os.environ['PGUSER'], 'PASSWORD': os.environ['PGPASSWORD'], 'NAME': os.environ['PGDATABASE']}}
`,
      'shop/__init__.py': '',
      'shop/migrations/__init__.py': '',
      'shop/migrations/0001_initial.py': `from django.db import migrations
class Migration(migrations.Migration):
    operations = [migrations.RunSQL('${migration('Django migrate')}')]
`,
    },
  },
];

function everywhere(reason: string): NonNullable<Program['gaps']> {
  return Object.fromEntries(placeNames.map((name) => [name, reason]));
}

/** As `graphile-migrate commit` writes it: the tool refuses a file whose hash is not its text's. */
function committed(sql: string): string {
  return `--! Previous: -\n--! Hash: sha1:${createHash('sha1').update(`${sql}\n`).digest('hex')}\n\n${sql}\n`;
}
