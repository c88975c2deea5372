import assert from 'node:assert/strict';
import type { Engine } from '../../daemon/engine/engine.ts';
import type { Project } from '../../daemon/protocol/model.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { refused, resolved } from '../support/resolutionAssertions.ts';

const week = 604_800_000;

describe('X8: events that go with no change of a row', function () {
  this.timeout(60_000);
  const origin = 'https://example.org/acme/shop.git';
  let fixture: RegistryFixture;
  let ann: Engine;
  let bob: Engine;
  before(async () => {
    fixture = await registryFixture();
    ann = await fixture.engine({ host: 'tower' });
    bob = await fixture.engine({ host: 'laptop' });
  });
  after(() => fixture.close());

  const clone = async (name: string, from = origin): Promise<string> => {
    const folder = await fixture.folder();
    await fixture.origin(folder, from);
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  };
  const made = async (name: string): Promise<{ project: Project; folder: string }> => {
    const folder = await clone(name);
    return { project: resolved(await ann.resolve({ directory: folder })), folder };
  };
  const kept = (id: string, operation: string): Promise<Record<string, unknown>[]> =>
    fixture.sql(
      `select host, name, database_name, details, actor = session_user as is_actor from registrar_events
       where project_id = $1 and operation = $2`,
      [id, operation],
    );
  /** Waits until that many are there, for ten seconds. */
  const keeps = async (id: string, operation: string, count: number): Promise<Record<string, unknown>[]> => {
    const until = Date.now() + 10_000;
    for (;;) {
      const rows = await kept(id, operation);
      if (rows.length === count) return rows;
      if (Date.now() > until) throw new Error(`${operation}: ${String(rows.length)} events, not ${String(count)}`);
    }
  };
  const refusing = async (work: () => Promise<void>): Promise<void> => {
    await fixture.sql(`create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no space' using errcode = '53100'; end $$`);
    await fixture.sql('create trigger refuse before insert on projects for each row execute function refuse()');
    await work().finally(() => fixture.sql('drop function refuse cascade'));
  };

  it('are one for each time that a person binds a folder to a project', async () => {
    const { project } = await made('used');
    const other = await clone('elsewhere', 'https://example.org/globex/fork.git');
    await bob.useProject({ project: project.id, directory: other, local: true, confirm: origin });
    const [used, ...more] = await kept(project.id, 'used');
    assert.deepEqual([used?.['host'], used?.['name'], used?.['is_actor'], more], ['laptop', 'used', true, []]);
  });

  it('are one a day for each project and folder that was refused, which say nothing of the folder', async () => {
    const { project, folder } = await made('private');
    // Nobody is about to write the id of a project that old into a config.
    await fixture.sql(`update projects set created_at = now() - interval '1 hour' where id = $1`, [project.id]);
    const stranger = await clone('private', 'https://example.org/globex/stranger.git');
    const agent = { folders: () => Promise.resolve([stranger]) };
    refused(await bob.resolve({ directory: stranger, dryRun: true }), 'PROJECT_CONFLICT');
    await bob.look(stranger);
    for (let time = 0; time < 3; time++) refused(await bob.resolve({ directory: stranger }), 'PROJECT_CONFLICT');
    refused(await bob.resolve({ directory: stranger, agent }), 'PROJECT_CONFLICT');
    const [row] = await keeps(project.id, 'refused', 1);
    const details = row?.['details'] as Record<string, unknown>;
    assert.deepEqual(Object.keys(details).sort(), ['by', 'code', 'folder']);
    assert.match(String(details['folder']), /^[0-9a-f]{16}$/);
    assert.doesNotMatch(JSON.stringify(row), /globex|stranger|workspace/);
    // Another folder is another event.
    refused(
      await bob.resolve({ directory: await clone('private', 'https://example.org/x/y.git') }),
      'PROJECT_CONFLICT',
    );
    await keeps(project.id, 'refused', 2);
    assert.equal(resolved(await ann.resolve({ directory: folder })).id, project.id);
  });

  it('are one a day for each project and role that was handed its database, whoever the daemon is', async () => {
    const { project, folder } = await made('handed');
    assert.notEqual((await ann.connection({ directory: folder })).environment, null);
    const [row] = await keeps(project.id, 'handed_over', 1);
    assert.deepEqual([row?.['host'], row?.['database_name']], ['tower', project.databaseName]);
    fixture.spy.take();
    await ann.connection({ directory: folder });
    assert.deepEqual(
      fixture.spy.take().filter((sql) => sql.includes('registrar_events')),
      [],
      'the daemon remembers what it wrote today',
    );
    assert.notEqual((await bob.connection({ project: project.id })).environment, null);
    const again = await fixture.engine();
    await again.connection({ project: project.id });
    await written(2);
    await keeps(project.id, 'handed_over', 1);
  });

  /** Waits until that many INSERTs of events were sent. */
  async function written(count: number): Promise<void> {
    const until = Date.now() + 10_000;
    const seen: string[] = [];
    while (Date.now() < until) {
      seen.push(...fixture.spy.take().filter((sql) => /^\s*insert into public\.registrar_events/.test(sql)));
      if (seen.length >= count) return;
      await fixture.sql('select 1');
    }
    throw new Error(`${String(seen.length)} events were sent, not ${String(count)}`);
  }

  it('delay no hand-over: what waits for a locked table is written afterwards', async () => {
    const { project, folder } = await made('locked');
    await ann.resolve({ directory: folder });
    await fixture.sql('begin');
    await fixture.sql('lock table registrar_events in access exclusive mode');
    try {
      assert.notEqual((await ann.connection({ directory: folder })).environment, null);
      assert.equal((await ann.queryDatabase({ directory: folder, sql: 'select 1' })).result?.rows.length, 1);
    } finally {
      await fixture.sql('commit');
    }
    await keeps(project.id, 'handed_over', 1);
  });

  it('fail no hand-over where they cannot be written', async () => {
    const { project, folder } = await made('unwritable');
    // One of its own, which writes nothing any more once it is closed.
    const engine = await fixture.engine();
    await fixture.sql(`alter table registrar_events add constraint never check (operation <> 'handed_over') not valid`);
    fixture.spy.take();
    try {
      for (let time = 0; time < 2; time++)
        assert.notEqual((await engine.connection({ directory: folder })).environment, null);
      await written(1);
      await engine.close();
    } finally {
      await fixture.sql('alter table registrar_events drop constraint never');
    }
    assert.deepEqual(await kept(project.id, 'handed_over'), []);
  });

  it('cost a warm resolve nothing: it is one statement, and writes nothing', async () => {
    const { folder } = await made('warm');
    await ann.resolve({ directory: folder });
    await ann.resolve({ directory: folder });
    const before = await fixture.sql('select from registrar_events');
    fixture.spy.takeRoundTrips();
    fixture.spy.take();
    await ann.resolve({ directory: folder });
    assert.equal(fixture.spy.takeRoundTrips(), 1);
    assert.deepEqual(fixture.spy.take(), []);
    assert.equal((await fixture.sql('select from registrar_events')).length, before.length);
  });

  it('are written for a project that only an outbox knew, when it is dropped or forgotten', async () => {
    const own = await fixture.engine({ host: 'tower' });
    await refusing(async () => {
      for (const [name, operation] of [
        ['waiting one', 'dropped'],
        ['waiting two', 'forgotten'],
      ] as const) {
        const folder = await clone(name);
        const project = resolved(await own.resolve({ directory: folder }));
        if (operation === 'dropped') await own.dropProject({ project: project.id, confirm: project.databaseName });
        else await own.forgetProject({ project: project.id });
        const [row] = await kept(project.id, operation);
        assert.deepEqual([row?.['host'], row?.['name']], ['tower', name]);
        if (operation !== 'dropped') continue;
        const details = row?.['details'] as Record<string, unknown>;
        assert.equal(details['tables'], 0);
        // Its evidence is kept, so that nobody makes it again unasked.
        refused(await own.resolve({ directory: folder }), 'PROJECT_DROPPED');
      }
    });
  });

  it('that could not be written for such a project are written when the registry takes rows again', async () => {
    const own = await fixture.engine({ host: 'tower' });
    let project: Project | null = null;
    await refusing(async () => {
      project = resolved(await own.resolve({ directory: await clone('late') }));
      await fixture.sql('alter table registrar_events add constraint full_disk check (false) not valid');
      await own.dropProject({ project: project.id, confirm: project.databaseName });
      await fixture.sql('alter table registrar_events drop constraint full_disk');
      assert.deepEqual(await kept(project.id, 'dropped'), []);
    });
    resolved(await own.createProject({ name: 'next' }));
    assert.ok(project);
    await keeps((project as Project).id, 'dropped', 1);
  });

  it('are listed for people: of all projects, or of one by its id and by every name that it had', async () => {
    const { project } = await made('before');
    await ann.updateProject({ project: project.id, name: 'after' });
    await ann.dropProject({ project: project.id, confirm: project.databaseName });
    for (const reference of [project.id, project.id.toUpperCase(), 'before', 'after']) {
      const { events, truncated, missing } = await bob.listEvents({ project: reference, sinceMs: week });
      assert.deepEqual(
        events.map(({ operation, project: of, host }) => [operation, of.name, host]),
        [
          ['dropped', 'after', 'tower'],
          ['renamed', 'after', 'tower'],
          ['created', 'before', 'tower'],
        ],
      );
      assert.deepEqual([truncated, missing, events[0]?.details['tables']], [false, null, 0]);
      assert.ok(events.every(({ details }) => !('registrar' in details)));
    }
    assert.ok((await bob.listEvents({ sinceMs: week })).events.length > 5);
    assert.deepEqual((await bob.listEvents({ project: 'nobody', sinceMs: week })).events, []);
    await fixture.sql(`update registrar_events set at = at - interval '8 days' where project_id = $1`, [project.id]);
    assert.deepEqual((await bob.listEvents({ project: 'before', sinceMs: week })).events, []);
  });
});

describe('a registry that keeps no events', function () {
  this.timeout(60_000);
  it('says why, with the statement that helps, and that all is well as soon as somebody ran it', async () => {
    const fixture = await registryFixture();
    try {
      const first = await fixture.engine();
      assert.equal(await first.eventsTrouble(), null, 'the first change makes the table');
      resolved(await first.createProject({ name: 'first' }));
      assert.equal(await first.eventsTrouble(), null);
      const member = await fixture.role();
      await fixture.sql(`grant select, insert, update, delete on projects to ${member.name}`);
      const engine = await fixture.engine({ role: member });
      resolved(await engine.createProject({ name: 'second' }));
      const trouble = await engine.eventsTrouble();
      assert.equal(trouble?.reason, `role ${member.name} may not read or write into the table registrar_events`);
      const missing = (await engine.listEvents({ sinceMs: week })).missing;
      assert.equal(missing, trouble.reason);
      const [, grant = ''] = trouble.hint.split('As its owner: ');
      await fixture.sql(grant);
      assert.equal(await engine.eventsTrouble(), null);
      resolved(await engine.createProject({ name: 'third' }));
      assert.deepEqual(
        (await engine.listEvents({ sinceMs: week })).events.map(({ project }) => project.name),
        ['third', 'first'],
      );
      await fixture.sql('drop table registrar_events');
      assert.match((await engine.eventsTrouble())?.reason ?? '', /does not exist, and role \S+ may not create it/);
      await fixture.sql(`create table registrar_events (at timestamptz)`);
      await fixture.sql(`alter table registrar_events owner to ${(await fixture.role()).name}`);
      assert.match((await engine.eventsTrouble())?.reason ?? '', /a stranger’s/);
    } finally {
      await fixture.close();
    }
  });
});
