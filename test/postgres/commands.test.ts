import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import type { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { path, registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import {
  assertAgreement,
  changes,
  creations,
  refused,
  resolved,
  thrown,
  warningCodes,
} from '../support/resolutionAssertions.ts';

describe('the commands on projects', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
    await engine.listProjects({});
  });
  beforeEach(() => {
    fixture.spy.take();
  });
  after(() => fixture.close());

  function configPath(folder: string): string {
    return join(folder, '.codebase-mcp', 'config.json');
  }

  async function configure(folder: string, project: object, more: object = {}): Promise<void> {
    await fixture.config(folder, { version: '1.0', project, ...more });
  }

  async function project(name: string): Promise<Project> {
    const made = resolved(await engine.createProject({ name }));
    fixture.spy.take();
    return made;
  }

  describe('create', () => {
    it('makes a project by its name alone, which the same folder’s config may claim later', async () => {
      const made = await engine.createProject({ name: 'amber', description: 'fossil resin' });
      assert.deepEqual(path(made), ['explicit matched', 'identity matched']);
      assert.equal(made.created, true);
      assert.equal(resolved(made).description, 'fossil resin');
      assert.equal(creations(fixture.spy.take()).length, 1);
      await assertAgreement(fixture, resolved(made), null);

      const folder = await fixture.folder();
      await configure(folder, { name: 'amber', id: resolved(made).id });
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual([resolved(answer).id, answer.created], [resolved(made).id, false]);
      assert.deepEqual(creations(fixture.spy.take()), []);
    });

    it('makes a project with its folder’s config', async () => {
      const folder = await fixture.folder();
      const made = await engine.createProject({ name: 'beryl', description: 'green', directory: folder });
      assert.deepEqual(path(made), ['explicit skipped', 'config matched', 'identity matched']);
      assert.equal(made.created, true);
      assert.deepEqual(warningCodes(made), []);
      assert.equal(creations(fixture.spy.take()).length, 1);
      await assertAgreement(fixture, resolved(made), folder);
      assert.equal(resolved(made).description, 'green');
      assert.match(await fixture.readText(configPath(folder)), /"description": "green"/);
    });

    it('shows in a dry run what it would make', async () => {
      const folder = await fixture.folder();
      const dry = await engine.createProject({ name: 'citrine', directory: folder, dryRun: true });
      assert.equal(dry.outcome, 'unresolved');
      assert.match(
        dry.wouldDo?.join('; ') ?? '',
        /^write .*config\.json; register project "citrine"; create database cb_proj_citrine_…/,
      );
      const alone = await engine.createProject({ name: 'citrine', dryRun: true });
      assert.match(alone.wouldDo?.join('; ') ?? '', /^register project "citrine"; create database cb_proj_citrine_…$/);
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal(existsSync(configPath(folder)), false);
    });

    it('refuses a taken name with the id of the project that has it, and leaves no config', async () => {
      const taken = await project('diamond');
      const folder = await fixture.folder();
      for (const directory of [null, folder]) {
        const error = await thrown(engine.createProject({ name: 'diamond', directory }), 'PROJECT_CONFLICT');
        assert.match(error.message, new RegExp(`"diamond" is taken by project ${taken.id}\\. Nothing was created`));
        assert.match(error.hint, new RegExp(`registrar use ${taken.id}.*another name`));
        assert.deepEqual(error.details?.['project'], { id: taken.id, name: 'diamond' });
      }
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal(existsSync(configPath(folder)), false);
    });

    it('refuses a name that is taken by a project that waits for the registry', async () => {
      const role = await fixture.role();
      await fixture.sql(`grant select on projects to ${role.name}`);
      const waiting = await fixture.engine({ role });
      const pending = await waiting.createProject({ name: 'emerald' });
      assert.deepEqual([pending.sync?.state, warningCodes(pending)], ['pending', ['PENDING']]);
      const error = await thrown(waiting.createProject({ name: 'emerald' }), 'PROJECT_CONFLICT');
      assert.match(error.message, new RegExp(resolved(pending).id));
      await waiting.close();
    });

    it('refuses a folder that has another project, whose config stays as it is', async () => {
      const folder = await fixture.folder();
      await configure(folder, { name: 'garnet' });
      const text = await fixture.readText(configPath(folder));
      const error = await thrown(engine.createProject({ name: 'jade', directory: folder }), 'PROJECT_CONFLICT');
      assert.match(error.message, new RegExp(`${folder} already belongs to project "garnet"`));
      assert.match(error.hint, /registrar resolve.*project\.name/);
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal(await fixture.readText(configPath(folder)), text);
    });

    it('refuses a folder that is not there, and a name that is not valid', async () => {
      const folder = await fixture.folder();
      await thrown(engine.createProject({ name: 'onyx', directory: join(folder, 'gone') }), 'DIRECTORY_INVALID');
      const atHome = await fixture.engine({ home: folder });
      for (const directory of [folder, '/']) {
        const { message } = await thrown(atHome.createProject({ name: 'onyx', directory }), 'DIRECTORY_INVALID');
        assert.match(message, /which cannot have a project\. Nothing was made\.$/);
        await thrown(atHome.useProject({ project: 'amber', directory }), 'DIRECTORY_INVALID');
      }
      assert.equal(existsSync(configPath(folder)), false);
      const error = await thrown(engine.createProject({ name: 'on/yx', directory: folder }), 'NAME_INVALID');
      assert.match(error.hint, /on-yx/);
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal(existsSync(configPath(folder)), false);
    });

    it('leaves no config behind when the database cannot be made, and completes when it is asked again', async () => {
      const folder = await fixture.folder();
      const failing = (sql: string): string | null => (/^create database/i.test(sql) ? 'select 1/0' : null);
      const answer = await rewriting(failing, () => engine.createProject({ name: 'opal', directory: folder }));
      const error = refused(answer, 'PROVISION_FAILED');
      assert.match(error.message, /cb_proj_opal_[0-9a-f]{8} could not be created/);
      assert.equal(existsSync(configPath(folder)), false);
      const again = await engine.createProject({ name: 'opal', directory: folder });
      await assertAgreement(fixture, resolved(again), folder);
    });

    it('keeps a config that somebody edited while the creation failed', async () => {
      const folder = await fixture.folder();
      const edited = '{ "version": "1.0", "project": { "name": "pearl" } } // mine now\n';
      const failing = (sql: string): string | null => {
        if (!/^create database/i.test(sql)) return null;
        writeFileSync(configPath(folder), edited);
        return 'select 1/0';
      };
      const answer = await rewriting(failing, () => engine.createProject({ name: 'pearl', directory: folder }));
      refused(answer, 'PROVISION_FAILED');
      assert.equal(await fixture.readText(configPath(folder)), edited);
    });

    it('makes one project when two make the same name at the same time', async () => {
      const second = await fixture.engine();
      const made = await Promise.allSettled([
        engine.createProject({ name: 'quartz' }),
        second.createProject({ name: 'quartz' }),
      ]);
      const conflicts = made.flatMap((one) => (one.status === 'rejected' ? [one.reason as RegistrarError] : []));
      assert.deepEqual(
        conflicts.map(({ code }) => code),
        ['PROJECT_CONFLICT'],
      );
      assert.equal(creations(fixture.spy.take()).length, 1);
    });
  });

  describe('adopt', () => {
    /** An unmarked database with a table. */
    async function foundDatabase(name: string): Promise<string> {
      const databaseName = `cb_proj_${name}_${randomBytes(4).toString('hex')}`;
      await fixture.sql(`create database ${databaseName}`, [], 'postgres');
      await fixture.sql('create table found (what text)', [], databaseName);
      fixture.spy.take();
      return databaseName;
    }

    async function comment(databaseName: string, marker: object): Promise<void> {
      const text = JSON.stringify({ registrar: marker }).replaceAll("'", "''");
      await fixture.sql(`comment on database ${databaseName} is '${text}'`, [], 'postgres');
    }

    it('registers an unmarked database under the name in its own, or the given one', async () => {
      for (const name of [null, 'Red Stone']) {
        const databaseName = await foundDatabase('ruby');
        const adopted = await engine.adoptDatabase({ database: databaseName, name });
        assert.deepEqual([resolved(adopted).name, resolved(adopted).databaseName], [name ?? 'ruby', databaseName]);
        assert.deepEqual(creations(fixture.spy.take()), []);
        await assertAgreement(fixture, resolved(adopted), null);
        assert.deepEqual(await fixture.sql('select * from found', [], databaseName), []);
      }
    });

    it('registers an orphan with the id, name and time in its marker', async () => {
      const before = await project('sapphire');
      await fixture.sql('delete from projects where id = $1', [before.id]);
      const folder = await fixture.folder();
      await configure(folder, { name: 'sapphire' });
      const error = refused(await engine.resolve({ directory: folder }), 'PROJECT_CONFLICT');
      assert.match(error.message, /the registry does not list it/);
      assert.match(error.hint, new RegExp(`registrar projects adopt ${before.databaseName}`));
      const adopted = resolved(await engine.adoptDatabase({ database: before.databaseName }));
      assert.deepEqual([adopted.id, adopted.name, adopted.createdAt], [before.id, 'sapphire', before.createdAt]);
      assert.equal(resolved(await engine.resolve({ directory: folder })).id, before.id);
      await assertAgreement(fixture, adopted, folder);
    });

    it('changes nothing for a database that is registered and marked already', async () => {
      const before = await project('topaz');
      const adopted = resolved(await engine.adoptDatabase({ database: before.databaseName }));
      assert.equal(adopted.id, before.id);
      await assertAgreement(fixture, before, null);
    });

    it('gives an interrupted reservation the database that somebody’s tables kept from it', async () => {
      const folder = await fixture.folder();
      const databaseName = await foundDatabase('turquoise');
      await configure(folder, { name: 'turquoise', database_name: databaseName });
      const error = refused(await engine.resolve({ directory: folder }), 'DATABASE_FOREIGN');
      assert.match(error.message, /carries no/);
      assert.match(error.hint, /adopt/);
      fixture.spy.take();
      const adopted = await engine.adoptDatabase({ database: databaseName });
      assert.deepEqual([resolved(adopted).name, resolved(adopted).databaseName], ['turquoise', databaseName]);
      assert.deepEqual(creations(fixture.spy.take()), []);
      const answer = await engine.resolve({ directory: folder });
      assert.deepEqual(warningCodes(answer), []);
      await assertAgreement(fixture, resolved(answer), folder);
      assert.deepEqual(await fixture.sql('select * from found', [], databaseName), []);
    });

    it('refuses another registry’s database', async () => {
      const databaseName = await foundDatabase('zircon');
      await comment(databaseName, {
        registry: 'other_registry',
        project_id: '0b1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e',
        name: 'zircon',
        created_at: '2026-01-02T03:04:05.000Z',
      });
      const error = await thrown(engine.adoptDatabase({ database: databaseName }), 'DATABASE_FOREIGN');
      assert.match(error.message, /registry other_registry.*not touched/);
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal((await fixture.marker(databaseName))?.registry, 'other_registry');
    });

    it('refuses a database that another project’s row names', async () => {
      const [one, other] = [await project('agate'), await project('jasper')];
      await comment(one.databaseName, { registry: fixture.registry, project_id: other.id, name: 'jasper' });
      const error = await thrown(engine.adoptDatabase({ database: one.databaseName }), 'DATABASE_FOREIGN');
      assert.match(error.message, new RegExp(`"agate".*"jasper" \\(${other.id}\\)`));
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('refuses a taken name with the id of the project that has it, and a name that is not valid', async () => {
      const taken = await project('peridot');
      const databaseName = await foundDatabase('peridot');
      const error = await thrown(engine.adoptDatabase({ database: databaseName }), 'PROJECT_CONFLICT');
      assert.match(error.message, new RegExp(`"peridot" is taken by project ${taken.id}`));
      await thrown(engine.adoptDatabase({ database: databaseName, name: 'a/b' }), 'NAME_INVALID');
      assert.equal(await fixture.marker(databaseName), null);
      await assertAgreement(fixture, taken, null);
    });

    it('refuses a name that cannot be a project’s database, and one that is not there', async () => {
      for (const name of ['postgres', fixture.registry, 'cb_proj_Shop_00000001', 'cb_proj_x_00000001; drop table x']) {
        const error = await thrown(engine.adoptDatabase({ database: name }), 'DATABASE_NAME_INVALID');
        assert.match(error.hint, /RENAME TO/);
      }
      const error = await thrown(engine.adoptDatabase({ database: 'cb_proj_x_00000001' }), 'DATABASE_MISSING');
      assert.match(error.message, /no database cb_proj_x_00000001/);
      assert.deepEqual(changes(fixture.spy.take()), []);
    });
  });

  describe('use', () => {
    it('writes id and name into a config with comments, takes an override out, and leaves the rest', async () => {
      const wanted = await project('oak');
      const folder = await fixture.folder();
      const text = [
        '{',
        '\t// our settings',
        '\t"version": "1.0",',
        '\t"project": {',
        '\t\t"name": "sapling", // for now',
        '\t\t"database_name": "cb_proj_sapling_00000001"',
        '\t},',
        '\t"team": ["a", "b"]',
        '}',
        '',
      ].join('\r\n');
      const file = await fixture.config(folder, text);
      const answer = await engine.useProject({ project: 'oak', directory: folder });
      assert.deepEqual(path(answer), ['explicit skipped', 'config matched', 'identity matched']);
      assert.equal(resolved(answer).id, wanted.id);
      assert.deepEqual(warningCodes(answer), []);
      assert.deepEqual(creations(fixture.spy.take()), []);
      const edited = await fixture.readText(file);
      assert.match(edited, new RegExp(`"id": "${wanted.id}"`));
      assert.match(edited, /"name": "oak",/);
      assert.doesNotMatch(edited, /database_name|sapling/);
      for (const kept of ['\t// our settings\r\n', '// for now\r\n', '\t"team": ["a", "b"]\r\n}\r\n']) {
        assert.ok(edited.includes(kept), edited);
      }
      assert.doesNotMatch(edited, /[^\r]\n/);
    });

    it('makes the config of a folder that has none, by id or name', async () => {
      const wanted = await project('beech');
      for (const reference of [wanted.id.toUpperCase(), 'beech']) {
        const folder = await fixture.folder();
        assert.equal(resolved(await engine.useProject({ project: reference, directory: folder })).id, wanted.id);
        await assertAgreement(fixture, wanted, folder);
      }
      assert.deepEqual(creations(fixture.spy.take()), []);
    });

    it('writes nothing for a project that is not there, a folder that is not there, or a config that is broken', async () => {
      const folder = await fixture.folder();
      await thrown(engine.useProject({ project: 'nobody', directory: folder }), 'PROJECT_NOT_FOUND');
      assert.equal(existsSync(configPath(folder)), false);
      await project('birch');
      await thrown(engine.useProject({ project: 'birch', directory: join(folder, 'gone') }), 'DIRECTORY_INVALID');
      await fixture.config(folder, '{ "version": "1.0", "project": ');
      const error = await thrown(engine.useProject({ project: 'birch', directory: folder }), 'CONFIG_INVALID');
      assert.match(error.message, /line|:\d+:\d+/);
      assert.equal(await fixture.readText(configPath(folder)), '{ "version": "1.0", "project": ');
    });
  });

  describe('list and show', () => {
    it('list what the registry has by name, page by page, and what matches a query', async () => {
      const names = ['moth one', 'moth three', 'Moth two', 'moth_four', 'moth-five'];
      const ids = new Map<string, string>();
      for (const name of names) ids.set(name, (await project(name)).id);
      const found = new Map<string, string>();
      let cursor: string | null = null;
      let pages = 0;
      do {
        const page: Awaited<ReturnType<Engine['listProjects']>> = await engine.listProjects({
          query: 'MOTH',
          limit: 2,
          cursor,
        });
        assert.ok(page.projects.length <= 2);
        for (const { name, id, sync } of page.projects) {
          assert.equal(found.has(name), false);
          assert.equal(sync.state, 'synced');
          found.set(name, id);
        }
        cursor = page.nextCursor;
        pages += 1;
      } while (cursor !== null && pages < 10);
      assert.equal(pages, 3);
      assert.deepEqual([...found].sort(), [...ids].sort());
      assert.deepEqual(await engine.listProjects({ query: '%' }), { projects: [], nextCursor: null });
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('show every field of a project, by id, short id or name', async () => {
      const made = await project('hornet');
      for (const reference of [made.id, made.id.replaceAll('-', ''), made.id.slice(0, 8), 'hornet']) {
        const shown = await engine.showProject({ project: reference });
        assert.deepEqual([shown.id, shown.name, shown.databaseName], [made.id, 'hornet', made.databaseName]);
        assert.deepEqual(shown.sync, { state: 'synced' });
      }
      const error = await thrown(engine.showProject({ project: 'wasp' }), 'PROJECT_NOT_FOUND');
      assert.match(error.hint, /registrar projects list/);
    });

    it('list and show projects that wait for the registry, with the reason, until they are registered', async () => {
      const role = await fixture.role();
      await fixture.sql(`grant select on projects to ${role.name}`);
      const waiting = await fixture.engine({ role });
      const made = resolved(await waiting.createProject({ name: 'cricket' }));
      const { projects } = await waiting.listProjects({ query: 'cricket' });
      assert.deepEqual(
        projects.map(({ id, sync }) => [id, sync.state]),
        [[made.id, 'pending']],
      );
      assert.match(projects[0]?.sync.error?.message ?? '', /INSERT/);
      assert.equal((await waiting.showProject({ project: 'cricket' })).sync.state, 'pending');
      assert.deepEqual((await engine.listProjects({ query: 'cricket' })).projects, []);

      await fixture.sql(`grant insert on projects to ${role.name}`);
      await waiting.syncNow();
      for (const one of [waiting, engine]) {
        const listed = (await one.listProjects({ query: 'cricket' })).projects;
        assert.deepEqual(
          listed.map(({ id, sync }) => [id, sync.state]),
          [[made.id, 'synced']],
        );
      }
    });

    it('refuse a limit that is none', async () => {
      for (const limit of [0, -1, 1.5, 1001]) {
        await thrown(engine.listProjects({ limit }), 'INVALID_ARGUMENT');
      }
    });
  });

  describe('what the caller or the config insists on', () => {
    it('R9: expect refuses another project before anything is made', async () => {
      const folder = await fixture.folder();
      await configure(folder, { name: 'larch' });
      const other = await project('spruce');
      for (const expect of ['spruce', other.id, 'nothing']) {
        const error = refused(await engine.resolve({ directory: folder, expect }), 'PROJECT_MISMATCH');
        assert.match(error.message, new RegExp(`"${expect}".*"larch".*Nothing was done`));
        const connection = await engine.connection({ directory: folder, expect });
        assert.equal(connection.environment, null);
      }
      assert.deepEqual(changes(fixture.spy.take()), []);
      assert.equal((await fixture.readConfig(folder)).project.id, undefined);
      assert.equal(await fixture.row('larch'), undefined);
    });

    it('R9: expect lets the project through by id in any spelling, and by name', async () => {
      const folder = await fixture.folder();
      await configure(folder, { name: 'fir' });
      const made = resolved(await engine.resolve({ directory: folder, expect: 'fir' }));
      for (const expect of [made.id, made.id.toUpperCase().replaceAll('-', ''), 'fir']) {
        assert.equal(resolved(await engine.resolve({ directory: folder, expect })).id, made.id);
        assert.equal(resolved(await engine.resolve({ project: made.id, expect })).id, made.id);
      }
      fixture.spy.take();
      const error = refused(await engine.resolve({ project: made.id, expect: 'spruce' }), 'PROJECT_MISMATCH');
      assert.doesNotMatch(JSON.stringify(error), /cb_proj_/);
    });

    it('R9: expect refuses before a dropped database is made again', async () => {
      const made = await project('cedar');
      await fixture.sql(`drop database ${made.databaseName} with (force)`, [], 'postgres');
      refused(await engine.resolve({ project: 'cedar', expect: 'fir' }), 'PROJECT_MISMATCH');
      assert.deepEqual(changes(fixture.spy.take()), []);
    });

    it('R7: strict_mode refuses an explicit project that is not the directory’s', async () => {
      const folder = await fixture.folder();
      await configure(folder, { name: 'yew' }, { strict_mode: true });
      const own = resolved(await engine.resolve({ directory: folder }));
      const other = await project('elm');
      await fixture.sql(`drop database ${other.databaseName} with (force)`, [], 'postgres');
      for (const reference of ['elm', other.id]) {
        const answer = await engine.resolve({ directory: folder, project: reference });
        assert.deepEqual(path(answer), ['explicit failed']);
        const error = refused(answer, 'PROJECT_MISMATCH');
        assert.match(error.message, /"yew \(strict_mode in .*config\.json\)".*"elm"/);
        assert.doesNotMatch(JSON.stringify(error), /cb_proj_/);
      }
      // Not even its dropped database was made again.
      assert.deepEqual(changes(fixture.spy.take()), []);
      for (const reference of ['yew', own.id]) {
        const answer = await engine.resolve({ directory: folder, project: reference });
        assert.deepEqual(path(answer), ['explicit matched', 'identity matched']);
        assert.equal(resolved(answer).id, own.id);
      }
    });
  });

  /** Runs `work` while the server gets other statements than the engine sent. */
  async function rewriting<T>(rewrite: (sql: string) => string | null, work: () => Promise<T>): Promise<T> {
    fixture.spy.rewrite = rewrite;
    try {
      return await work();
    } finally {
      fixture.spy.rewrite = null;
    }
  }
});
