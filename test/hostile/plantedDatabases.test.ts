import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import { attacker, type Attacker } from '../support/attacker.ts';
import { findings, repairAll, shape } from '../support/driftSupport.ts';
import { plantDoubles, plantTypes, strikes } from '../support/plantedCode.ts';
import { registryFixture, type RegistryFixture, type Role } from '../support/registryFixture.ts';
import { refused, resolved, thrown } from '../support/resolutionAssertions.ts';

/** I5: what a role with CREATEDB alone can plant, and what each daemon makes of it. */
for (const victim of ['a superuser', 'a role with CREATEDB and CREATEROLE'] as const) {
  describe(`I5: a role with CREATEDB alone, against the daemon of ${victim}`, function () {
    this.timeout(120_000);
    let fixture: RegistryFixture;
    let mate: Attacker;
    let role: Role | undefined;
    let engine: Engine;

    before(async () => {
      fixture = await registryFixture();
      role = victim === 'a superuser' ? undefined : await fixture.role('createdb createrole');
      // The registry is there, and the daemon's own.
      engine = await fixture.engine(role ? { role } : {});
      await engine.createProject({ name: 'first' });
      await engine.close();
    });
    beforeEach(async () => {
      mate = await attacker(fixture);
      engine = await fixture.engine(role ? { role } : {});
    });
    afterEach(async () => {
      await engine.close();
      await mate.close();
    });
    after(() => fixture.close());

    const nameOf = (project: string, id: string): string => `cb_proj_${project}_${id.slice(0, 8)}`;

    async function claim(name: string, id: string | null, databaseName?: string): Promise<string> {
      const folder = await fixture.folder();
      const project = {
        name,
        ...(id === null ? {} : { id }),
        ...(databaseName ? { database_name: databaseName } : {}),
      };
      await fixture.config(folder, { version: '1.0', project });
      return folder;
    }

    async function poison(database: string): Promise<void> {
      await plantDoubles((sql) => mate.sql(sql, database), 'evil', mate.name);
      await plantTypes((sql) => mate.sql(sql, database), 'evil');
      await mate.sql(`alter database "${database}" set search_path = evil, pg_catalog`, 'postgres');
    }

    async function assertHarmless(database: string): Promise<void> {
      assert.equal(await mate.isSuperuser(), false, 'the attacker became a superuser');
      const [row] = await fixture.sql(`select is_called from evil.strikes`, [], database);
      assert.equal(row?.['is_called'], false, 'planted code ran');
    }

    async function ownerOf(database: string): Promise<unknown> {
      const [row] = await fixture.sql(
        `select r.rolname from pg_database d join pg_roles r on r.oid = d.datdba where d.datname = $1`,
        [database],
        'postgres',
      );
      return row?.['rolname'];
    }

    it('cannot run code with an empty database under the name that a known id gives', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('bait', id));
      await poison(nameOf('bait', id));
      const project = resolved(await engine.resolve({ directory: await claim('bait', id) }));
      await assertHarmless(nameOf('bait', id));
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
    });

    it('cannot run code with a database that a config names, and the refusal leaves no row', async () => {
      const database = `cb_proj_named_${randomUUID().slice(0, 8)}`;
      await mate.plant(database);
      await poison(database);
      const answer = await engine.resolve({ directory: await claim('named', null, database) });
      await assertHarmless(database);
      const { message, hint } = refused(answer, 'DATABASE_FOREIGN');
      assert.ok(message.includes(mate.name), message);
      assert.ok(hint.includes(`GRANT "${mate.name}" TO`), hint);
      assert.equal(await fixture.row('named'), undefined);
      // The name is still free for a project with a database of its own.
      resolved(await engine.resolve({ directory: await claim('named', null) }));
    });

    it('cannot have the project schema run its code in a database with a forged marker', async () => {
      const id = randomUUID();
      const database = nameOf('schemed', id);
      await mate.plant(database, mate.marker({ id, name: 'schemed' }));
      await poison(database);
      const path = join(await fixture.stateFolder(), 'schema.sql');
      await writeFile(path, `create table item (id int primary key); select lower('A') = 'a' from item;`);
      const settings = { 'registrar.postgres.projectSchema': path };
      const schemed = await fixture.engine({ ...(role ? { role } : {}), settings });
      const project = resolved(await schemed.resolve({ directory: await claim('schemed', id) }));
      await assertHarmless(database);
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
      await schemed.close();
    });

    it('cannot pass its database off as the project’s with a marker that has the known id', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('mates', randomUUID()), mate.marker({ id, name: 'taken' }));
      const project = resolved(await engine.resolve({ directory: await claim('taken', id) }));
      assert.equal(project.id, id);
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
    });

    it('cannot make itself believed by making the daemon’s role its member, which a role could until PostgreSQL 14', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('mates', randomUUID()), mate.marker({ id, name: 'joined' }));
      const [me] = await fixture.sql<{ name: string }>('select current_user as name', [], 'postgres');
      const granted = mate.sql(`grant ${mate.name} to "${role?.name ?? me?.name ?? ''}"`, 'postgres');
      await granted.catch((error: unknown) => {
        assert.equal((error as { code?: string }).code, '42501');
      });
      const project = resolved(await engine.resolve({ directory: await claim('joined', id) }));
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
    });

    it('cannot pass its database off under the very name that the id gives', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('exact', id), mate.marker({ id, name: 'exact' }));
      const project = resolved(await engine.resolve({ directory: await claim('exact', id) }));
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
    });

    it('cannot keep a name from anybody with a marker that has it', async () => {
      await mate.plant(nameOf('mates', randomUUID()), mate.marker({ id: randomUUID(), name: 'wanted' }));
      const project = resolved(await engine.resolve({ directory: await claim('wanted', null) }));
      assert.notEqual(await ownerOf(project.databaseName), mate.name);
    });

    it('cannot keep an id or a name from anybody by saying that it was forgotten', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('mates', randomUUID()), mate.marker({ id, name: 'lost', forgotten: true }));
      resolved(await engine.resolve({ directory: await claim('lost', id) }));
      await mate.plant(
        nameOf('mates', randomUUID()),
        mate.marker({ id: randomUUID(), name: 'byname', forgotten: true }),
      );
      resolved(await engine.resolve({ directory: await claim('byname', null) }));
    });

    it('cannot have its database registered by an ordinary adopt, which names its owner and the grant', async () => {
      const database = nameOf('gift', randomUUID());
      const id = randomUUID();
      await mate.plant(database, mate.marker({ id, name: 'gift' }));
      await poison(database);
      const { message, hint } = await thrown(engine.adoptDatabase({ database }), 'DATABASE_FOREIGN');
      assert.ok(message.includes(mate.name), message);
      assert.ok(hint.includes(`GRANT "${mate.name}" TO`), hint);
      assert.equal(await fixture.row('gift'), undefined);
      const [me] = await fixture.sql<{ name: string }>('select current_user as name', [], 'postgres');
      await fixture.sql(`grant ${mate.name} to "${role?.name ?? me?.name ?? ''}"`, [], 'postgres');
      const project = resolved(await engine.adoptDatabase({ database }));
      assert.equal(project.id, id);
      assert.equal((project.metadata['registrar'] as { adoptedOwner?: string }).adoptedOwner, mate.name);
      await assertHarmless(database);
      await engine.forgetProject({ project: id });
    });

    it('cannot get into a rebuilt registry with a marker', async () => {
      const id = randomUUID();
      await mate.plant(nameOf('rebuilt', id), mate.marker({ id, name: 'rebuilt' }));
      await fixture.sql('drop table projects');
      resolved(await engine.resolve({ project: 'first' }));
      assert.equal(await fixture.row(id), undefined);
    });

    it('cannot bring drift to propose its database, neither as an orphan nor as a renamed one', async () => {
      const lost = resolved(await engine.createProject({ name: 'lostone' }));
      await fixture.release(lost.databaseName);
      await fixture.sql(`drop database "${lost.databaseName}" with (force)`, [], 'postgres');
      await mate.plant(nameOf('orphan', randomUUID()), mate.marker({ id: randomUUID(), name: 'orphan' }));
      await mate.plant(nameOf('renamed', lost.id), mate.marker({ id: lost.id, name: 'lostone' }));
      assert.deepEqual(shape(await findings(engine)), ['dangling-row: remake? forget?']);
      await repairAll(engine);
      assert.equal((await fixture.row(lost.id))?.['database_name'], lost.databaseName);
      await engine.forgetProject({ project: lost.id });
    });

    it('cannot get its database marked, or handed out, in the place of one that is gone', async () => {
      const lost = resolved(await engine.createProject({ name: 'replaced' }));
      await fixture.release(lost.databaseName);
      await fixture.sql(`drop database "${lost.databaseName}" with (force)`, [], 'postgres');
      await mate.plant(lost.databaseName);
      await poison(lost.databaseName);
      refused(await engine.resolve({ project: lost.id }), 'DATABASE_FOREIGN');
      await repairAll(engine);
      assert.equal(await fixture.marker(lost.databaseName), null);
      await assertHarmless(lost.databaseName);
      await engine.forgetProject({ project: lost.id });
    });

    it('runs nothing as the daemon’s role in a database that was adopted in good faith', async () => {
      const database = nameOf('adopted', randomUUID());
      await mate.plant(database);
      const [me] = await fixture.sql<{ name: string }>('select current_user as name', [], 'postgres');
      await fixture.sql(`grant ${mate.name} to "${role?.name ?? me?.name ?? ''}"`, [], 'postgres');
      const project = resolved(await engine.adoptDatabase({ database, name: 'adopted' }));
      await mate.sql('create table goods (id int primary key, name text); insert into goods values (1)', database);
      await poison(database);
      const described = await engine.describeDatabase({ project: project.id });
      assert.deepEqual(
        described.description?.tables.filter(({ schema }) => schema === 'public').map(({ name }) => name),
        ['goods'],
      );
      await engine.queryDatabase({ project: project.id, sql: 'select id from public.goods' });
      await engine.databaseFacts(database);
      await engine.connection({ project: project.id });
      await engine.drift();
      await assertHarmless(database);
      assert.equal(await strikes((sql) => mate.sql(sql, database), 'evil'), 0);
      await engine.forgetProject({ project: project.id });
    });
  });
}
