import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identifyFolder } from '../../daemon/config/folderFacts.ts';
import type { Engine } from '../../daemon/engine/engine.ts';
import { KnownProjects } from '../../daemon/stateFolder/knownProjects.ts';
import { writePrivateFile } from '../../daemon/wire/stateFolder.ts';
import { parseAddress } from '../../daemon/postgres/address/address.ts';
import { databases } from '../../daemon/postgres/databases/databases.ts';
import { localSurroundings } from '../../daemon/postgres/address/localSurroundings.ts';
import { RegistryEvents } from '../../daemon/postgres/registry/registryEvents.ts';
import { projectsTable } from '../../daemon/postgres/registry/projectsTable.ts';
import { RegistryDatabase } from '../../daemon/postgres/registry/registryDatabase.ts';
import type { Claim } from '../../daemon/registry/model.ts';
import type { RegistryPorts } from '../../daemon/registry/ports.ts';
import type { Settled } from '../../daemon/registry/settle/settleRun.ts';
import { settleClaim } from '../../daemon/registry/settle/settleClaim.ts';
import { Outbox } from '../../daemon/sync/outbox.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { assertAgreement, creations, resolved } from '../support/resolutionAssertions.ts';

/** Rows are read first and markers after that; whatever happens in between must not look like a contradiction. */
describe('a claim that is settled while another changes the same project', () => {
  let fixture: RegistryFixture;
  let engine: Engine;
  let database: RegistryDatabase;
  before(async () => {
    fixture = await registryFixture();
    engine = await fixture.engine();
    await engine.listProjects({});
    database = new RegistryDatabase(parseAddress(fixture.url(), {}, localSurroundings()));
  });
  after(async () => {
    await database.close();
    await fixture.close();
  });

  /** Settles a claim; `meanwhile` happens once, after the rows were read and before the markers are. */
  async function settleWith(claim: Claim, meanwhile: () => Promise<unknown>): Promise<Settled> {
    const stateFolder = await fixture.stateFolder();
    const now = (): Date => new Date();
    const catalog = databases(database, { projectSchema: () => Promise.resolve(null) });
    const events = new RegistryEvents(database, { host: 'here', creator: 'ann@here', onMissing: () => undefined });
    let done = false;
    const ports: RegistryPorts = {
      lookingOnly: { registry: projectsTable(database.lookingOnly(), events), catalog },
      registry: projectsTable(database, events),
      catalog: {
        ...catalog,
        async findMarked(keys) {
          if (!done) {
            done = true;
            await meanwhile();
          }
          return catalog.findMarked(keys);
        },
      },
      events: { refused: () => undefined, ended: () => Promise.resolve() },
      outbox: await Outbox.open(join(stateFolder, 'outbox'), {
        registry: 'test',
        now: () => now().toISOString(),
        writeFile: writePrivateFile,
        onDamaged: () => undefined,
      }),
      memory: await KnownProjects.open(join(stateFolder, 'known.json'), 'test', now, () => undefined),
      folders: {
        exists: () => Promise.resolve(true),
        git: () => Promise.resolve(null),
        identify: (path) => identifyFolder(path, { home: '/nowhere' }),
        presence: () => Promise.resolve('there'),
        isOnlyConfigNamed: () => Promise.resolve(true),
      },
      claims: { of: () => [], keep: () => Promise.resolve() },
      origin: {
        newId: randomUUID,
        now: () => now().toISOString(),
        host: hostname(),
        hostId: 'test',
        creator: 'test',
        hash: (text) => text,
        pause: () => Promise.resolve(),
      },
      unnoted: new Set(),
    };
    const settled = await settleClaim(claim, null, ports, { dryRun: false, expect: null });
    assert.ok(done, 'the markers were not read');
    return settled;
  }

  function claimOf(folder: string, name: string, id: string | null): Claim {
    return { name, id, databaseName: null, description: null, folder: { host: hostname(), path: folder } };
  }

  it('H2: meets a project that was re-keyed to its id', async () => {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'plough' } });
    const before = resolved(await engine.resolve({ directory: folder }));
    const id = randomUUID();
    await fixture.config(folder, { version: '1.0', project: { name: 'plough', id } });
    const settled = await settleWith(claimOf(folder, 'plough', id), async () => {
      assert.equal(resolved(await engine.resolve({ directory: folder })).id, id);
    });
    assert.equal(settled.row?.id, id);
    assert.equal(settled.row.databaseName, before.databaseName);
    assert.deepEqual(settled.warnings, []);
    await assertAgreement(fixture, { ...before, id }, folder);
  });

  it('C3: meets a project that was made by its name', async () => {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'harrow' } });
    fixture.spy.take();
    const settled = await settleWith(claimOf(folder, 'harrow', null), () => engine.resolve({ directory: folder }));
    assert.equal(settled.created, false);
    assert.equal(creations(fixture.spy.take()).length, 1);
    assert.ok(settled.row);
    await assertAgreement(fixture, settled.row, folder);
  });

  it('H9: meets a project that was adopted, and one that was forgotten', async () => {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'sickle' } });
    const { id, databaseName } = resolved(await engine.resolve({ directory: folder }));
    await engine.forgetProject({ project: id });
    const claim = claimOf(folder, 'sickle', id);
    const settled = await settleWith(claim, () => engine.adoptDatabase({ database: databaseName }));
    assert.deepEqual([settled.row?.id, settled.row?.databaseName], [id, databaseName]);
    await engine.forgetProject({ project: id });
    await assert.rejects(
      settleWith(claim, () => Promise.resolve()),
      { code: 'PROJECT_FORGOTTEN' },
    );
  });
});
