import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import { attacker, type Attacker } from '../support/attacker.ts';
import { projectIn, repairAll } from '../support/driftSupport.ts';
import { plantDoubles, strikes } from '../support/plantedCode.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { resolved } from '../support/resolutionAssertions.ts';

describe('I5: a role that may make things in the registry’s database', function () {
  this.timeout(120_000);
  let fixture: RegistryFixture;
  let mate: Attacker;
  let engine: Engine;

  beforeEach(async () => {
    fixture = await registryFixture();
    mate = await attacker(fixture);
    engine = await fixture.engine();
    resolved(await engine.createProject({ name: 'first' }));
  });
  afterEach(async () => {
    await engine.close();
    await mate.close();
    await fixture.sql(`drop owned by ${mate.name} cascade`);
    await fixture.close();
  });

  it('runs nothing as the daemon’s role with doubles in schema public that fit the columns better', async () => {
    await fixture.sql(`grant create on schema public to ${mate.name}`);
    await plantDoubles((sql) => mate.sql(sql, fixture.registry), 'public', mate.name);
    // Prepared statements are read anew on a new connection.
    const another = await fixture.engine();
    const { project, folder } = await projectIn(fixture, another, 'exercised');
    resolved(await another.resolve({ directory: folder }));
    resolved(await another.resolve({ project: 'exercised' }));
    resolved(await another.resolve({ project: project.id.slice(0, 8) }));
    await another.listProjects({ query: 'exer' });
    await another.unusedProjects({ unusedMs: 0 });
    await another.updateProject({ project: project.id, name: 'renamed' });
    await another.countProjects();
    await another.drift();
    await repairAll(another);
    await another.syncNow();
    await another.forgetProject({ project: project.id });
    await another.adoptDatabase({ database: project.databaseName });
    await another.dropProject({ project: project.id, confirm: project.databaseName });
    await fixture.sql('drop table projects');
    resolved(await another.resolve({ project: 'first' }));
    await another.close();
    assert.equal(await strikes((sql) => mate.sql(sql, fixture.registry), 'public'), 0, 'planted code ran');
    assert.equal(await mate.isSuperuser(), false);
  });

  for (const title of ['a search_path of its own', 'a schema of its own name'] as const) {
    it(`has no second table, and sees every project, with ${title} that holds one`, async () => {
      const role = await fixture.role('createdb');
      const schema = title === 'a schema of its own name' ? role.name : 'aside';
      await fixture.sql(`grant all on projects, registrar_migrations to ${role.name}`);
      await fixture.sql(`create schema ${schema} authorization ${role.name}`);
      await fixture.sql(
        `create table ${schema}.projects (id uuid, name text); alter table ${schema}.projects owner to ${role.name}`,
      );
      if (schema === 'aside') await fixture.sql(`alter role ${role.name} set search_path = aside, public`);
      const theirs = await fixture.engine({ role });
      const { project } = await projectIn(fixture, theirs, 'seen');
      assert.equal((await fixture.row(project.id))?.['name'], 'seen');
      const { projects } = await theirs.listProjects({});
      assert.deepEqual(projects.map(({ name }) => name).sort(), ['first', 'seen']);
      assert.deepEqual(await fixture.sql(`select * from ${schema}.projects`), []);
      await theirs.dropProject({ project: project.id, confirm: project.databaseName });
      await theirs.close();
      await fixture.sql(`drop schema ${schema} cascade`);
    });
  }
});
