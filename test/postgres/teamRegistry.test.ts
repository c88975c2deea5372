import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Engine } from '../../daemon/engine/engine.ts';
import { codeBlocks, readDocument } from '../support/documents.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved } from '../support/resolutionAssertions.ts';
import { testServer } from '../support/testServer.ts';

/** The statements of the page, one a line: those for PostgreSQL 14, and those for all. */
const [onFourteen = [], statements = []] = codeBlocks(readDocument('docs/team-registry.md'))
  .filter(({ language }) => language === 'sql')
  .map(({ text }) => text.trim().split('\n'));

/** What can be left out of them, and what the members have lost then. */
const parts: { name: string; part: RegExp; lost: string }[] = [
  { name: 'createdb', part: / createdb/, lost: 'make a project' },
  { name: 'createrole', part: / createrole/, lost: 'query as an agent' },
  { name: 'the registry’s owner', part: / owner registrar_team/, lost: 'make a project' },
  { name: 'the membership', part: / in role registrar_team/, lost: 'make a project' },
  { name: 'set role', part: /^alter role \w+ set role .*/, lost: 'make a project' },
];

describe('the roles of docs/team-registry.md', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  /** Those that stand in the statements, as they are on the test server. */
  let names: Record<'registrar_team' | 'ann' | 'bob' | 'team_registry', string>;

  beforeEach(async () => {
    fixture = await registryFixture();
    const suffix = randomBytes(4).toString('hex');
    const own = (name: string): string => `docs_${name}_${suffix}`;
    names = {
      registrar_team: own('team'),
      ann: own('ann'),
      bob: own('bob'),
      team_registry: fixture.registry,
    };
  });
  afterEach(async () => {
    const { ann, bob, registrar_team } = names;
    // Their databases hold them.
    await fixture.close();
    const client = new pg.Client({ connectionString: (await testServer()).url });
    await client.connect();
    for (const role of [ann, bob, registrar_team]) await client.query(`drop role ${role}`);
    await client.end();
  });

  async function run(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const text = line.replaceAll(/\b(registrar_team|ann|bob|team_registry)\b/g, (name) => names[name as 'ann']);
      await fixture.sql(text, [], 'postgres');
    }
    // The page has them in template1, from which the registry then is made; other tests of the server use that as it is.
    for (const line of onFourteen) await fixture.sql(line, []);
    for (const role of [names.ann, names.bob]) await fixture.sql(`alter role ${role} password 'pw'`, [], 'postgres');
  }

  /** Tries what members do with each other's projects; gives what did not work. */
  async function lost(): Promise<string[]> {
    const ann = await fixture.engine({ role: { name: names.ann, password: 'pw' } });
    const bob = await fixture.engine({ role: { name: names.bob, password: 'pw' } });
    const directory = await fixture.folder();
    await fixture.config(directory, { version: '1.0', project: { name: 'shared' } });
    const made = await ann.resolve({ directory });
    if (made.outcome !== 'resolved' || made.sync?.state !== 'synced') return ['make a project'];
    const project = resolved(made).id;
    await asApp(ann, project, 'create table item (id int)');
    const failed: string[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      await work().catch(() => failed.push(what));
    };
    await attempt('use a colleague’s table', () => asApp(bob, project, 'alter table item add name text'));
    await attempt('query as an agent', async () => {
      for (const engine of [ann, bob]) await engine.queryDatabase({ project, sql: 'select * from item' });
    });
    await attempt('rename a colleague’s project', () => bob.updateProject({ project, name: 'ours' }));
    await attempt('drop a colleague’s project', () =>
      bob.dropProject({ project, confirm: resolved(made).databaseName }),
    );
    return failed;
  }

  it('let every member do everything with every project, whoever made it', async () => {
    await run(statements);
    assert.deepEqual(await lost(), []);
  });

  for (const { name, part, lost: expected } of parts) {
    it(`are no more than it takes: without ${name} nobody can ${expected}`, async () => {
      const fewer = statements.map((line) => line.replace(part, '')).filter((line) => line !== '');
      assert.notDeepEqual(fewer, statements);
      await run(fewer);
      assert.deepEqual(await lost(), [expected]);
    });
  }
});

/** Runs a statement as an app does that takes what `registrar env` says. */
async function asApp(engine: Engine, project: string, sql: string): Promise<void> {
  const { environment } = await engine.connection({ project });
  const client = new pg.Client({ connectionString: environment?.['DATABASE_URL'] });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
