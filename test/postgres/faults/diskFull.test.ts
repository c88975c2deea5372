import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { recordLog } from '../../support/recordedLog.ts';
import { path, registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { assertAgreement, creations, refused, resolved, warningCodes } from '../../support/resolutionAssertions.ts';
import { mountTinyDisk, type TinyDisk } from '../../support/tinyDisk.ts';

describe('a disk that is full', function () {
  this.timeout(60_000);
  let server: OwnServer;
  let fixture: RegistryFixture;
  /** Holds the table `projects` and nothing else, so that databases can still be made. */
  let registryDisk: TinyDisk;
  const disks: TinyDisk[] = [];

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start();
    const disk = await mountTinyDisk(512, server.account);
    if (!disk) {
      console.log('      not run: no file system can be mounted here (it takes root on Linux)');
      this.skip();
    }
    disks.push(disk);
    registryDisk = disk;
    fixture = await registryFixture(server);
    await (await fixture.engine()).listProjects({});
    await fixture.sql(`create tablespace tiny location '${registryDisk.folder}'`);
    await fixture.sql('alter table projects set tablespace tiny');
  });
  after(async () => {
    // Not there where nothing was run.
    await (fixture as RegistryFixture | undefined)?.close();
    await (server as OwnServer | undefined)?.close();
    for (const disk of disks) await disk.close();
  });
  beforeEach(async () => {
    // An empty table has no page with room for one more row.
    await fixture.sql('truncate projects');
    await registryDisk.fill();
  });

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  it('S1: under the registry: the project is made and usable at once, and registered unprompted when there is space', async () => {
    await assert.rejects(fixture.sql(`insert into projects (name, database_name) values ('x', 'cb_proj_x_00000000')`), {
      code: '53100',
    });
    const log = recordLog();
    const stateFolder = await fixture.stateFolder();
    const engine = await fixture.engine({ stateFolder, log });
    const folder = await workspace('shop');
    fixture.spy.take();
    const made = await engine.resolve({ directory: folder });
    const project = resolved(made);
    assert.deepEqual(path(made), found);
    assert.deepEqual([made.created, made.stale, made.sync?.state], [true, false, 'pending']);
    assert.equal(made.sync?.error?.code, '53100');
    assert.deepEqual(warningCodes(made), ['PENDING']);
    assert.match(made.warnings[0]?.message ?? '', /registry disk full \(53100\); saved on this machine/);
    assert.deepEqual(creations(fixture.spy.take()), [`create database "${project.databaseName}"`]);
    assert.equal((await fixture.marker(project.databaseName))?.projectId, project.id);
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), [`${project.id}.json`]);
    assert.equal((await fixture.readConfig(folder)).project.id, project.id);

    for (const params of [{ directory: folder }, { project: project.id }, { project: 'shop' }]) {
      const again = await engine.resolve(params);
      assert.equal(resolved(again).databaseName, project.databaseName);
      assert.deepEqual([again.created, again.stale, again.sync?.state], [false, false, 'pending']);
    }
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.equal(await fixture.row('shop'), undefined);

    await registryDisk.free();
    await log.line('project registered');
    await assertAgreement(fixture, project, folder);
    assert.deepEqual(await readdir(join(stateFolder, 'outbox')), []);
    const after = await engine.resolve({ directory: folder });
    assert.deepEqual([resolved(after).id, after.sync, after.warnings], [project.id, { state: 'synced' }, []]);
  });

  it('S1: under the registry and under the outbox: refused, nothing made', async () => {
    const stateDisk = await mountTinyDisk(64, null);
    assert.ok(stateDisk);
    disks.push(stateDisk);
    const engine = await fixture.engine({ stateFolder: stateDisk.folder });
    const folder = await workspace('nowhere');
    const before = await readFile(join(folder, '.codebase-mcp/config.json'), 'utf8');
    await stateDisk.fill();
    fixture.spy.take();
    const { message } = refused(await engine.resolve({ directory: folder }), 'DISK_FULL');
    assert.match(message, /registry disk full \(53100\)/);
    assert.match(message, /could not be kept on this machine either: ENOSPC.*Nothing was made/);
    assert.deepEqual(creations(fixture.spy.take()), []);
    assert.deepEqual(await readdir(join(stateDisk.folder, 'outbox')), []);
    assert.equal(await readFile(join(folder, '.codebase-mcp/config.json'), 'utf8'), before);
    assert.deepEqual((await engine.syncStatus()).pending, []);

    await stateDisk.free();
    const kept = await engine.resolve({ directory: folder });
    assert.deepEqual([resolved(kept).name, kept.sync?.state], ['nowhere', 'pending']);
    await registryDisk.free();
    assert.deepEqual((await engine.syncNow()).pending, []);
    await assertAgreement(fixture, resolved(kept), folder);
  });
});
