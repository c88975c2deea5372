import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Project, Resolution } from '../../../daemon/protocol/model.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { engineProcesses, type EngineProcess, type EngineProcesses } from '../../support/engineProcess.ts';
import { noSettings, path, registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { assertAgreement, resolved, warningCodes } from '../../support/resolutionAssertions.ts';

const found = ['explicit skipped', 'config matched', 'identity matched'];

describe('daemons in processes of their own that do the same at once', function () {
  this.timeout(60_000);
  let fixture: RegistryFixture;
  let processes: EngineProcesses;
  let daemons: EngineProcess[];
  let states: string[];
  let names = 0;

  before(async () => {
    fixture = await registryFixture();
    processes = await engineProcesses();
    daemons = Array.from({ length: 8 }, () => processes.start());
    states = await Promise.all(daemons.map(() => fixture.stateFolder()));
    await Promise.all(
      daemons.map((daemon, index) => {
        const stateFolder = states[index] ?? '';
        const home = join(dirname(stateFolder), 'home');
        return daemon.open({ url: fixture.url(), stateFolder, home, settings: noSettings });
      }),
    );
  });
  after(async () => {
    await processes.close();
    await fixture.close();
  });

  function newName(): string {
    names += 1;
    return `race ${String(names)}`;
  }

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  async function edit(folder: string, project: object): Promise<void> {
    const file = join(folder, '.codebase-mcp', 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as { project: object };
    await writeFile(file, JSON.stringify({ ...config, project: { ...config.project, ...project } }));
  }

  async function resolveBy(daemon: EngineProcess | undefined, folder: string): Promise<Resolution> {
    assert.ok(daemon);
    return daemon.call('resolve', { directory: folder });
  }

  /** Databases whose marker says this id or that were made under the slug of this name. */
  async function databasesOf(name: string): Promise<string[]> {
    const slug = name.replaceAll(' ', '_');
    const rows = await fixture.sql<{ datname: string }>(
      'select datname from pg_database where datname like $1',
      [`cb\\_proj\\_${slug}\\_%`],
      'postgres',
    );
    const mine = await Promise.all(rows.map(async ({ datname }) => [datname, await fixture.marker(datname)] as const));
    return mine
      .filter(([, marker]) => marker === null || marker.registry === fixture.registry)
      .map(([datname]) => datname);
  }

  async function outbox(state: string): Promise<Record<string, unknown>[]> {
    const folder = join(state, 'outbox');
    const texts = (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8'));
    return (await Promise.all(texts)).map((text) => (JSON.parse(text) as { row: Record<string, unknown> }).row);
  }

  /** All got the same project, and exactly one of them made it. */
  function assertOneMade(answers: readonly Resolution[], warnings: string[]): Project {
    const projects = answers.map(resolved);
    const [project] = projects;
    assert.ok(project);
    assert.deepEqual([...new Set(projects.map(({ id }) => id))], [project.id]);
    assert.deepEqual([...new Set(projects.map(({ databaseName }) => databaseName))], [project.databaseName]);
    assert.equal(answers.filter(({ created }) => created).length, 1);
    for (const answer of answers) {
      assert.deepEqual(path(answer), found);
      assert.deepEqual(warningCodes(answer), warnings);
    }
    return project;
  }

  async function fourEach(folder: string): Promise<Resolution[]> {
    return Promise.all(
      daemons.flatMap((daemon) => Array.from({ length: 4 }, () => daemon.call('resolve', { directory: folder }))),
    );
  }

  it('E2: eight that start on an empty server make one registry, and all get their project', async () => {
    const workspaces = await Promise.all(daemons.map(() => workspace(newName())));
    const answers = await Promise.all(daemons.map((daemon, index) => resolveBy(daemon, workspaces[index] ?? '')));
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer.created, true);
      assert.deepEqual(path(answer), found);
      assert.deepEqual(answer.warnings, []);
      await assertAgreement(fixture, resolved(answer), workspaces[index] ?? '');
    }
    assert.equal(new Set(answers.map((answer) => resolved(answer).id)).size, 8);
    assert.deepEqual(
      (await fixture.sql('select number from registrar_migrations where number > 0 order by number')).map(
        ({ number }) => number,
      ),
      [1, 2],
    );
  });

  for (const round of [1, 2]) {
    it(`C3: eight that each resolve one new folder four times make one project (${String(round)})`, async () => {
      const name = newName();
      const folder = await workspace(name);
      const project = assertOneMade(await fourEach(folder), []);
      await assertAgreement(fixture, project, folder);
      assert.deepEqual(await databasesOf(name), [project.databaseName]);
    });
  }

  it('C3: eight that each resolve a clone of their own four times make one project', async () => {
    const name = newName();
    const clones = await Promise.all(daemons.map(() => workspace(name)));
    for (const clone of clones) await fixture.origin(clone, 'git@example.com:acme/eight.git');
    const answers = await Promise.all(
      daemons.flatMap((daemon, index) => Array.from({ length: 4 }, () => resolveBy(daemon, clones[index] ?? ''))),
    );
    const project = assertOneMade(answers, []);
    for (const clone of clones) await assertAgreement(fixture, project, clone);
    assert.deepEqual(await databasesOf(name), [project.databaseName]);
    // Whoever comes first is the folder of the row; the others count by its origin, which it keeps once.
    const [row] = await fixture.sql<{ origins: object[]; claims: object[] }>(
      `select metadata #> '{registrar,evidence,origins}' as origins, metadata #> '{registrar,evidence,claims}' as claims
       from projects where id = $1`,
      [project.id],
    );
    assert.deepEqual([row?.origins, row?.claims], [[{ origin: 'example.com/acme/eight', path: '' }], []]);
  });

  it('I2: of eight strangers that claim at once what nobody has claimed, one wins and seven are refused', async () => {
    const name = newName();
    const id = randomUUID();
    const slug = name.replaceAll(' ', '_');
    const databaseName = `cb_proj_${slug}_${id.slice(0, 8)}`;
    await fixture.sql(`create database "${databaseName}"`, [], 'postgres');
    await fixture.sql('insert into projects (id, name, database_name) values ($1, $2, $3)', [id, name, databaseName]);
    const folders = await Promise.all(daemons.map(() => workspace(name)));
    for (const [index, folder] of folders.entries()) {
      await edit(folder, { id });
      await fixture.origin(folder, `https://example.com/stranger-${String(index)}/shop.git`);
    }
    const answers = await Promise.all(daemons.map((daemon, index) => resolveBy(daemon, folders[index] ?? '')));
    const winners = answers.filter(({ outcome }) => outcome === 'resolved');
    assert.equal(winners.length, 1);
    assert.ok(winners[0] && warningCodes(winners[0]).includes('FIRST_CLAIM'));
    assert.deepEqual(
      answers.flatMap(({ error }) => error?.code ?? []),
      Array<string>(7).fill('PROJECT_CONFLICT'),
    );
    await assertAgreement(fixture, { id, name, databaseName }, winners[0].directory);
    const [row] = await fixture.sql<{ path: string }>(
      `select metadata #>> '{registrar,evidence,folder,path}' as path from projects where id = $1`,
      [id],
    );
    assert.equal(row?.path, winners[0].directory);
  });

  describe('while the registry refuses their rows', () => {
    before(async () => {
      await daemons[0]?.call('listProjects', {});
      await fixture.sql(`create function refuse() returns trigger language plpgsql as $$ begin
        raise exception using errcode = '53100', message = 'No space left on device'; end $$`);
    });
    beforeEach(() => fixture.sql('create trigger refuse before insert on projects execute function refuse()'));
    afterEach(() => fixture.sql('drop trigger if exists refuse on projects'));

    async function recover(): Promise<void> {
      await fixture.sql('drop trigger refuse on projects');
      for (const { pending, parked } of await Promise.all(daemons.map((daemon) => daemon.call('syncNow')))) {
        assert.deepEqual({ pending, parked }, { pending: [], parked: [] });
      }
      for (const state of states) assert.deepEqual(await outbox(state), []);
    }

    for (const round of [1, 2]) {
      it(`C3: the config decides between eight that resolve it four times each (${String(round)})`, async () => {
        const name = newName();
        const folder = await workspace(name);
        const project = assertOneMade(await fourEach(folder), ['PENDING']);
        assert.deepEqual((await fixture.readConfig(folder)).project, { name, id: project.id });
        assert.deepEqual(await databasesOf(name), [project.databaseName]);
        for (const state of states) {
          assert.deepEqual(
            (await outbox(state)).map(({ id, databaseName }) => ({ id, databaseName })),
            [{ id: project.id, databaseName: project.databaseName }],
          );
        }
        await recover();
        await assertAgreement(fixture, project, folder);
        assert.deepEqual(await databasesOf(name), [project.databaseName]);
      });

      it(`C3: 32 callers of one daemon make one project (${String(round)})`, async () => {
        const name = newName();
        const folder = await workspace(name);
        const [daemon] = daemons;
        assert.ok(daemon);
        const answers = Array.from({ length: 32 }, () => daemon.call('resolve', { directory: folder }));
        const project = assertOneMade(await Promise.all(answers), ['PENDING']);
        assert.deepEqual(await databasesOf(name), [project.databaseName]);
        await recover();
        await assertAgreement(fixture, project, folder);
      });
    }

    it('S2: an entry that lost to the id in the config gives way, also after its daemon was killed', async () => {
      const name = newName();
      const folder = await workspace(name);
      const winner = resolved(await resolveBy(daemons[0], folder));
      // What a daemon leaves that was killed when it had read the winner's id and not yet removed its own entry.
      const [file] = await readdir(join(states[0] ?? '', 'outbox'));
      const entry = JSON.parse(await readFile(join(states[0] ?? '', 'outbox', file ?? ''), 'utf8')) as {
        row: { metadata: { registrar: object } };
      };
      const id = randomUUID();
      const { metadata } = entry.row;
      const row = {
        ...entry.row,
        id,
        databaseName: `cb_proj_${name.replaceAll(' ', '_')}_${id.slice(0, 8)}`,
        metadata: { ...metadata, registrar: { ...metadata.registrar, state: 'provisioning' } },
      };
      const stateFolder = await fixture.stateFolder();
      await mkdir(join(stateFolder, 'outbox'));
      await writeFile(join(stateFolder, 'outbox', `${id}.json`), JSON.stringify({ ...entry, row }));

      const engine = await fixture.engine({ stateFolder });
      assert.equal(resolved(await engine.resolve({ directory: folder })).id, winner.id);
      assert.deepEqual(
        (await outbox(stateFolder)).map((other) => other['id']),
        [winner.id],
      );
      await recover();
      assert.deepEqual((await engine.syncNow()).parked, []);
      assert.deepEqual(await outbox(stateFolder), []);
      await assertAgreement(fixture, winner, folder);
      assert.deepEqual(await databasesOf(name), [winner.databaseName]);
      await engine.close();
    });

    it('S2: a delivery whose end nobody saw is no conflict after another daemon has changed the id', async () => {
      const folder = await workspace(newName());
      const stateFolder = await fixture.stateFolder();
      const before = await fixture.engine({ stateFolder });
      const project = resolved(await before.resolve({ directory: folder }));
      const file = join(stateFolder, 'outbox', `${project.id}.json`);
      const entry = await readFile(file);
      await fixture.sql('drop trigger refuse on projects');
      await before.syncNow();
      await before.close();
      await writeFile(file, entry);
      const id = randomUUID();
      await edit(folder, { id });
      assert.deepEqual(warningCodes(await resolveBy(daemons[0], folder)), ['REKEYED']);

      const after = await fixture.engine({ stateFolder });
      const { pending, parked } = await after.syncNow();
      assert.deepEqual({ pending, parked }, { pending: [], parked: [] });
      assert.deepEqual(await outbox(stateFolder), []);
      await assertAgreement(fixture, { ...project, id }, folder);
      await after.close();
    });

    it('H2: a pending project is found by its former id again after the config goes back', async () => {
      const folder = await workspace(newName());
      const project = resolved(await resolveBy(daemons[0], folder));
      const id = randomUUID();
      await edit(folder, { id });
      assert.deepEqual(warningCodes(await resolveBy(daemons[0], folder)).sort(), ['PENDING', 'REKEYED']);
      await edit(folder, { id: project.id });
      const back = await resolveBy(daemons[0], folder);
      assert.equal(resolved(back).id, id);
      assert.deepEqual(warningCodes(back), ['PENDING']);
      await recover();
      await edit(folder, { id });
      await assertAgreement(fixture, { ...project, id }, folder);
    });
  });

  for (const round of [1, 2]) {
    describe(`round ${String(round)}`, () => {
      it('H1: renames to eight names at once end with one of them, everywhere', async () => {
        const name = newName();
        const folder = await workspace(name);
        const { id, databaseName } = resolved(await resolveBy(daemons[0], folder));
        const renames = await settledAll(
          daemons.map((daemon, index) =>
            daemon.call('updateProject', { project: id, name: `${name} ${String(index)}` }),
          ),
        );
        // With this many at once some may be told that the project kept changing; nobody is told anything else.
        assert.deepEqual(
          [...new Set(renames.refusals)].filter((code) => code !== 'PROVISION_FAILED'),
          [],
        );
        assert.ok(renames.answers.length > 0);
        for (const answer of renames.answers) assert.equal(resolved(answer).id, id);
        const [row] = await fixture.sql<{ name: string }>('select name from projects where id = $1', [id]);
        assert.match(row?.name ?? '', new RegExp(`^${name} [0-7]$`));
        await assertAgreement(fixture, { id, databaseName, name: row?.name ?? '' }, folder);
        assert.deepEqual(warningCodes(await resolveBy(daemons[1], folder)), []);
      });

      it('H2: a changed id that eight resolve at once is one re-keying, whichever id others use meanwhile', async () => {
        const name = newName();
        const folder = await workspace(name);
        const before = resolved(await resolveBy(daemons[0], folder));
        const id = randomUUID();
        await edit(folder, { id });
        const answers = await Promise.all(
          daemons.flatMap((daemon) => [
            daemon.call('resolve', { directory: folder }),
            daemon.call('resolve', { project: before.id }),
          ]),
        );
        for (const answer of answers) assert.equal(resolved(answer).databaseName, before.databaseName);
        assert.equal(answers.filter((answer) => warningCodes(answer).includes('REKEYED')).length, 1);
        await assertAgreement(fixture, { ...before, id }, folder);
        assert.deepEqual(await databasesOf(name), [before.databaseName]);
      });

      it('H9: a project that is forgotten while others resolve it stays forgotten', async () => {
        const name = newName();
        const folder = await workspace(name);
        const { id, databaseName } = resolved(await resolveBy(daemons[0], folder));
        const [forgotten, ...answers] = await Promise.all([
          daemons[0]?.call('forgetProject', { project: id }),
          ...daemons.slice(1).map((daemon) => daemon.call('resolve', { directory: folder })),
        ]);
        assert.equal(forgotten?.databaseName, databaseName);
        for (const answer of answers) {
          if (answer.outcome === 'resolved') assert.equal(answer.project?.id, id);
          else assert.equal(answer.error?.code, 'PROJECT_FORGOTTEN', answer.error?.message);
        }
        assert.equal((await resolveBy(daemons[1], folder)).error?.code, 'PROJECT_FORGOTTEN');
        assert.equal(await fixture.row(id), undefined);
        assert.notEqual((await fixture.marker(databaseName))?.forgottenAt ?? null, null);
        assert.deepEqual(await databasesOf(name), [databaseName]);
      });

      it('H9: one database that eight adopt under eight names becomes one project', async () => {
        const name = newName();
        const database = `cb_proj_${name.replaceAll(' ', '_')}_0a0b0c0d`;
        await fixture.sql(`create database "${database}"`, [], 'postgres');
        const answers = await Promise.all(
          daemons.map((daemon, index) => daemon.call('adoptDatabase', { database, name: `${name} ${String(index)}` })),
        );
        const [project, ...others] = answers.map(resolved);
        assert.ok(project);
        for (const other of others) assert.equal(other.id, project.id);
        assert.equal((await fixture.sql('select from projects where database_name = $1', [database])).length, 1);
        await assertAgreement(fixture, project, null);
      });

      it('C4: a name that eight create at once is given to one, and refused to the others', async () => {
        const name = newName();
        const created = await settledAll(daemons.map((daemon) => daemon.call('createProject', { name })));
        assert.deepEqual(created.refusals, Array<string>(7).fill('PROJECT_CONFLICT'));
        const [answer] = created.answers;
        assert.ok(answer);
        assert.equal(answer.created, true);
        await assertAgreement(fixture, resolved(answer), null);
        assert.deepEqual(await databasesOf(name), [resolved(answer).databaseName]);
      });

      it('C4: a name that eight create in eight folders is given to one, and no file is left in the others', async () => {
        const name = newName();
        const folders = await Promise.all(daemons.map(() => fixture.folder()));
        const created = await settledAll(
          daemons.map((daemon, index) => daemon.call('createProject', { name, directory: folders[index] ?? '' })),
        );
        assert.deepEqual(created.refusals, Array<string>(7).fill('PROJECT_CONFLICT'));
        const [answer] = created.answers;
        assert.ok(answer);
        const project = resolved(answer);
        assert.equal(answer.created, true);
        await assertAgreement(fixture, project, answer.directory);
        assert.deepEqual(await databasesOf(name), [project.databaseName]);
        for (const folder of folders.filter((other) => other !== answer.directory)) {
          assert.equal((await resolveBy(daemons[0], folder)).outcome, 'unresolved');
        }
      });
    });
  }
});

/** What those who were answered got, and the codes of those who were refused. */
async function settledAll(calls: Promise<Resolution>[]): Promise<{ answers: Resolution[]; refusals: string[] }> {
  const answers: Resolution[] = [];
  const refusals: string[] = [];
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'fulfilled' && result.value.outcome === 'resolved') answers.push(result.value);
    else if (result.status === 'fulfilled') refusals.push(result.value.error?.code ?? result.value.outcome);
    else refusals.push(result.reason instanceof RegistrarError ? result.reason.code : String(result.reason));
  }
  return { answers, refusals };
}
