import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import type { Project } from '../../daemon/protocol/model.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { projectWithCards, Repositories, writeConfig } from '../support/repositories.ts';
import { creations } from '../support/resolutionAssertions.ts';
import { Machine, walk } from '../support/walk.ts';
import { git } from '../unit/git/gitFixture.ts';

describe('somebody with several machines, containers or versions, who did nothing wrong', () => {
  let fixture: RegistryFixture;
  let places: Repositories;
  let laptop: Machine;
  let count = 0;
  before(async () => {
    fixture = await registryFixture();
    places = await Repositories.open(fixture);
    laptop = await Machine.open(fixture, 'laptop');
  });
  after(() => fixture.close());

  const next = (name: string): string => `${name}-${String((count += 1))}`;
  const originOf = (name: string): string => `https://git.example/acme/${name}.git`;

  async function commandsFor(
    directory: string,
    project: Project,
    machine = laptop,
    warnings: string[] = [],
  ): Promise<number> {
    fixture.spy.take();
    const walked = await walk(machine, directory, project);
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(walked.warnings, walked.commands === 0 ? warnings : []);
    return walked.commands;
  }

  interface Kind {
    what: string;
    origin: boolean;
    tracked: boolean;
  }
  const kinds: Kind[] = [
    { what: 'with an origin', origin: true, tracked: true },
    { what: 'without an origin, with the id', origin: false, tracked: false },
    { what: 'without an origin and without the id', origin: false, tracked: true },
  ];

  async function shop({ origin, tracked }: Kind, machine = laptop): Promise<{ folder: string; project: Project }> {
    const name = next('shop');
    const folder = await places.make(name, { origin: origin ? originOf(name) : null, project: { name }, tracked });
    return { folder, project: await projectWithCards(fixture, await machine.engine(), folder) };
  }

  /** The same files at the same path, as in a volume that was made again. */
  async function remade(folder: string): Promise<void> {
    await cp(folder, `${folder}.new`, { recursive: true, preserveTimestamps: true });
    await rm(folder, { recursive: true });
    await rename(`${folder}.new`, folder);
  }

  for (const kind of kinds) {
    it(`I3: has a container rebuilt with the same mounted folder, ${kind.what}: nothing to type`, async () => {
      const box = await Machine.open(fixture, 'a1b2c3');
      const { folder, project } = await shop(kind, box);
      assert.equal(await commandsFor(folder, project, box.renamed('d4e5f6')), 0);
      const told = kind.origin ? [] : ['CLAIMED_ELSEWHERE'];
      assert.equal(await commandsFor(folder, project, await Machine.open(fixture, 'a7b8c9'), told), 0);
      assert.equal(await commandsFor(folder, project, await Machine.open(fixture, 'a7b8c9')), 0);
    });

    it(`I3: has a container rebuilt with its volume made again, ${kind.what}: a command at most without both`, async () => {
      const box = await Machine.open(fixture, 'b1b2c3');
      const { folder, project } = await shop(kind, box);
      await remade(folder);
      assert.equal(await commandsFor(folder, project, box.renamed('b4e5f6')), 0);
      await remade(folder);
      const expected = kind.origin || !kind.tracked ? 0 : 1;
      const told = kind.origin ? [] : ['CLAIMED_ELSEWHERE'];
      assert.equal(await commandsFor(folder, project, await Machine.open(fixture, 'b7b8c9'), told), expected);
    });

    it(`I3: loses the state folder on a machine that keeps its name, ${kind.what}`, async () => {
      const { folder, project } = await shop(kind);
      assert.equal(await commandsFor(folder, project, await Machine.open(fixture, 'laptop')), 0);
      await remade(folder);
      // A folder's own place is no copy of it.
      const told = kind.origin ? [] : ['FOLDER_MOVED'];
      const expected = kind.origin || !kind.tracked ? 0 : 1;
      assert.equal(await commandsFor(folder, project, await Machine.open(fixture, 'laptop'), told), expected);
    });

    it(`I3: restores the folder from a backup, ${kind.what}: nothing to type`, async () => {
      const { folder, project } = await shop(kind);
      await remade(folder);
      assert.equal(await commandsFor(folder, project), 0);
    });

    it(`I3: works on a laptop and a desktop, ${kind.what}: nothing, or one command on the second`, async () => {
      const { folder, project } = await shop(kind);
      const desktop = await Machine.open(fixture, 'desktop');
      const copy = places.at(next('desktop'));
      await cp(folder, copy, { recursive: true });
      const expected = kind.origin || !kind.tracked ? 0 : 1;
      const told = kind.origin ? [] : ['CLAIMED_ELSEWHERE'];
      assert.equal(await commandsFor(copy, project, desktop, told), expected);
      assert.equal(await commandsFor(folder, project), 0);
      assert.equal(await commandsFor(copy, project, desktop), 0);
    });

    it(`I2: shares a machine and a folder with another user, ${kind.what}: nothing to type`, async () => {
      const { folder, project } = await shop(kind);
      const other = await Machine.open(fixture, 'laptop');
      assert.equal(await commandsFor(folder, project, other), 0);
      assert.equal(await commandsFor(folder, project), 0);
    });
  }

  it('I3: has a machine whose name changes with the network: nothing to type', async () => {
    for (const kind of kinds) {
      const { folder, project } = await shop(kind);
      assert.equal(await commandsFor(folder, project, laptop.renamed('dhcp-17')), 0);
      await laptop.restart();
      assert.equal(await commandsFor(folder, project), 0);
    }
  });

  describe('with a project that codebase-mcp made', () => {
    async function registered(name: string): Promise<Project> {
      const database = `cb_proj_${name.replaceAll('-', '_')}_0a1b2c3d`;
      await fixture.sql(`create database ${database}`, [], 'postgres');
      const rows = await fixture.sql<{ id: string }>(
        `insert into projects (name, database_name, created_at) values ($1, $2, now() - interval '1 day') returning id`,
        [name, database],
      );
      return { id: rows[0]?.id ?? '', name } as Project;
    }

    for (const by of ['id', 'name'] as const) {
      for (const hasOrigin of [true, false]) {
        it(`I3: claims it first by ${by}, ${hasOrigin ? 'with' : 'without'} an origin; then its clone does: nothing to type`, async () => {
          await (
            await laptop.engine()
          ).resolve({ directory: await places.make(next('any'), { project: { name: next('any') } }) });
          const name = next('old');
          const project = await registered(name);
          const origin = hasOrigin ? originOf(name) : null;
          const claimed = by === 'id' ? { name, id: project.id } : { name };
          const folder = await places.make(name, { origin, project: claimed, tracked: true });
          assert.equal(await commandsFor(folder, project, laptop, ['FIRST_CLAIM', 'MARKER_RESTORED']), 0);
          const clone = places.clone(folder, next('clone'), origin ?? folder);
          assert.equal(await commandsFor(clone, project), 0);
        });
      }
    }
  });

  describe('with a project of version 0.1', () => {
    /** The row as 0.1 left it, and no claims of its own in the state folder. */
    async function older(kind: {
      origins: string[];
      host?: string;
    }): Promise<{ name: string; folder: string; project: Project; machine: Machine }> {
      const { origins, host = 'laptop' } = kind;
      const name = next('aged');
      const first = origins[0]?.replace('NAME', name) ?? null;
      const folder = await places.make(name, { origin: first, project: { name }, tracked: true });
      for (const upstream of origins.slice(1)) git(folder, 'remote', 'add', 'upstream', upstream.replace('NAME', name));
      const project = await projectWithCards(fixture, await laptop.engine(), folder);
      const registrar = {
        state: 'ready',
        folder: { host, path: folder },
        claims: { [`${host}:${folder}`]: { name, at: project.createdAt } },
        creator: 'me@laptop',
        ...(origins.length === 0
          ? {}
          : {
              git: {
                origins: origins.map((one) => plain(one.replace('NAME', name))),
                pathInRepository: '',
              },
            }),
      };
      await fixture.sql('update projects set metadata = $1 where id = $2', [{ registrar }, project.id]);
      return { name, folder, project, machine: await Machine.open(fixture, 'laptop') };
    }

    /** As 0.1 normalised an address. */
    function plain(address: string): string {
      return address.replace(/^https:\/\//, '').replace(/\.git$/, '');
    }

    it('I3: that lists one remote: nothing for its folder, a clone, one with an upstream, another machine', async () => {
      const { name, folder, project, machine } = await older({ origins: ['https://git.example/acme/NAME.git'] });
      const clone = places.clone(folder, next('clone'), originOf(name));
      git(clone, 'remote', 'add', 'upstream', originOf('upstream'));
      assert.equal(await commandsFor(clone, project, await Machine.open(fixture, 'desktop')), 0);
      assert.equal(await commandsFor(folder, project, machine), 0);
      assert.equal(await commandsFor(places.clone(folder, next('clone'), originOf(name)), project, machine), 0);
    });

    it('I3: that lists several: nothing for its folder, and for its clones after that; one command before', async () => {
      const origins = ['https://git.example/acme/NAME.git', 'https://git.example/acme/template.git'];
      const { name, folder, project, machine } = await older({ origins });
      const early = places.clone(folder, next('clone'), originOf(name));
      assert.equal(await commandsFor(early, project, await Machine.open(fixture, 'desktop')), 1);
      assert.equal(await commandsFor(folder, project, machine), 0);
      const late = places.clone(folder, next('clone'), originOf(name));
      assert.equal(await commandsFor(late, project, await Machine.open(fixture, 'tower')), 0);
    });

    it('I3: without git: nothing in its folder, also where it was moved and its config has the id', async () => {
      const name = next('aged');
      const folder = places.at(name);
      await writeConfig(folder, { name });
      const project = await projectWithCards(fixture, await laptop.engine(), folder);
      const registrar = { state: 'ready', folder: { host: 'laptop', path: folder } };
      await fixture.sql('update projects set metadata = $1 where id = $2', [{ registrar }, project.id]);
      const fresh = await Machine.open(fixture, 'laptop');
      assert.equal(await commandsFor(folder, project, fresh), 0);
      await fixture.sql('update projects set metadata = $1 where id = $2', [{ registrar }, project.id]);
      const moved = places.at(next('moved'));
      await rename(folder, moved);
      assert.equal(await commandsFor(moved, project, await Machine.open(fixture, 'laptop'), ['FOLDER_MOVED']), 0);
    });

    it('I3: made under a name that the machine no longer has: nothing with the origin or the id', async () => {
      const { folder, project, machine } = await older({
        origins: ['https://git.example/acme/NAME.git'],
        host: 'dhcp-3',
      });
      assert.equal(await commandsFor(folder, project, machine), 0);
      const without = await older({ origins: [], host: 'dhcp-3' });
      assert.equal(await commandsFor(without.folder, without.project, without.machine), 1);
      const byId = await older({ origins: [], host: 'dhcp-3' });
      await writeConfig(byId.folder, { name: byId.name, id: byId.project.id });
      assert.equal(await commandsFor(byId.folder, byId.project, byId.machine, ['CLAIMED_ELSEWHERE']), 0);
    });
  });
});
