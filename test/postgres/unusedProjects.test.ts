import assert from 'node:assert/strict';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';

describe('unused projects', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  const dayMs = 86_400_000;

  it('are those without a use since then, the longest unused first, with creator and size in one statement', async () => {
    const engine = await fixture.engine();
    for (const name of ['fresh', 'old', 'older', 'foreign']) await engine.createProject({ name });
    const use = (name: string, days: number): Promise<unknown> =>
      fixture.sql(
        `update projects set metadata = jsonb_set(metadata, '{registrar,lastUsedAt}', to_jsonb(
           to_char((now() - $2 * interval '1 day') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) where name = $1`,
        [name, days],
      );
    await use('old', 61);
    await use('older', 100);
    // As codebase-mcp writes rows: nothing of ours in them.
    await fixture.sql(
      `update projects set metadata = '{}', updated_at = now() - interval '70 days' where name = 'foreign'`,
    );
    const sizesBefore = sizeStatements();
    const { projects, sizesMissing } = await engine.unusedProjects({ unusedMs: 60 * dayMs });
    assert.equal(sizesMissing, null);
    assert.deepEqual(
      projects.map(({ name }) => name),
      ['older', 'foreign', 'old'],
    );
    for (const { sizeBytes } of projects) assert.ok((sizeBytes ?? 0) > 1_000_000);
    assert.match(projects[0]?.creator ?? '', /.@./);
    assert.deepEqual([projects[1]?.creator, projects[1]?.lastUsedAt], [null, null]);
    assert.equal(sizeStatements() - sizesBefore, 1);
    const queried = await engine.unusedProjects({ unusedMs: 60 * dayMs, query: 'OLDER' });
    assert.deepEqual(
      queried.projects.map(({ name }) => name),
      ['older'],
    );
    assert.deepEqual((await engine.unusedProjects({ unusedMs: 200 * dayMs })).projects, []);
  });

  it('are listed without the size of a database that is gone or closed to this role', async () => {
    const owner = await fixture.engine();
    const { project } = await owner.createProject({ name: 'closed' });
    const gone = await owner.createProject({ name: 'gone' });
    const role = await fixture.role();
    await fixture.sql(`grant select on projects to ${role.name}`);
    await fixture.sql(`revoke connect on database ${project?.databaseName} from public`, [], 'postgres');
    await fixture.release(gone.project?.databaseName ?? '');
    await fixture.sql(`drop database ${gone.project?.databaseName} with (force)`, [], 'postgres');
    await fixture.sql(
      `update projects set metadata = '{}', updated_at = now() - interval '70 days' where name in ('closed', 'gone')`,
    );
    const engine = await fixture.engine({ role });
    const { projects, sizesMissing } = await engine.unusedProjects({ unusedMs: 65 * dayMs });
    assert.equal(sizesMissing, null);
    const sizes = new Map(projects.map(({ name, sizeBytes }) => [name, sizeBytes]));
    assert.equal(sizes.get('closed'), null);
    assert.equal(sizes.get('gone'), null);
  });

  function sizeStatements(): number {
    return fixture.spy.statements.filter((sql) => sql.includes('pg_database_size')).length;
  }
});
