import assert from 'node:assert/strict';
import type { Engine } from '../../../daemon/engine/engine.ts';
import type { Project } from '../../../daemon/protocol/model.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { path, registryFixture, type RegistryFixture } from '../../support/registryFixture.ts';
import { assertAgreement, refused, resolved, warningCodes } from '../../support/resolutionAssertions.ts';
import { addressOf } from '../../support/serverAddress.ts';

describe('a primary that dies and a standby that takes over', function () {
  this.timeout(60_000);
  let primary: OwnServer;
  let standby: OwnServer;
  /** Its own statements go to the standby: what is looked at is what survived. */
  let fixture: RegistryFixture;

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    primary = await OwnServer.start();
    standby = await primary.standby();
    fixture = await registryFixture(standby);
  });
  after(async () => {
    // Not there where nothing was run.
    await (fixture as RegistryFixture | undefined)?.close();
    await (primary as OwnServer | undefined)?.close();
    await (standby as OwnServer | undefined)?.close();
  });

  const found = ['explicit skipped', 'config matched', 'identity matched'];

  async function workspace(name: string): Promise<string> {
    const folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name } });
    return folder;
  }

  /** Makes one project after the other until one is refused, and says when the first few are there. */
  function storm(engine: Engine): { few: Promise<void>; made: Promise<{ acknowledged: Made[]; last: string }> } {
    let announce: () => void = () => undefined;
    const few = new Promise<void>((resolve) => {
      announce = resolve;
    });
    const make = async (): Promise<{ acknowledged: Made[]; last: string }> => {
      const acknowledged: Made[] = [];
      for (;;) {
        const folder = await workspace(`storm ${String(acknowledged.length)}`);
        const answer = await engine.resolve({ directory: folder });
        if (answer.outcome === 'refused') {
          refused(answer, 'REGISTRY_UNREACHABLE');
          return { acknowledged, last: folder };
        }
        acknowledged.push({ project: resolved(answer), folder });
        if (acknowledged.length === 3) announce();
      }
    };
    return { few, made: make() };
  }

  it('S4: the same engine goes on, and every project that was acknowledged is there', async () => {
    const { username, password } = new URL(primary.url);
    const hosts = `127.0.0.1:${String(primary.port)},127.0.0.1:${String(standby.port)}`;
    const parameters = 'target_session_attrs=read-write&sslmode=disable';
    const url = `postgresql://${username}:${password}@${hosts}/${fixture.registry}?${parameters}`;
    const engine = await fixture.engine({ address: addressOf(url) });
    const folder = await workspace('kept');
    const project = resolved(await engine.resolve({ directory: folder }));

    const { few, made } = storm(engine);
    await few;
    await primary.kill();
    const { acknowledged, last } = await made;

    const stale = await engine.resolve({ directory: folder });
    assert.equal(resolved(stale).id, project.id);
    assert.equal(stale.stale, true);
    assert.deepEqual(warningCodes(stale), ['STALE']);
    const said = stale.warnings[0]?.message ?? '';
    assert.match(said, new RegExp(`127.0.0.1:${String(primary.port)} \\(refused\\)`));
    assert.match(said, new RegExp(`127.0.0.1:${String(standby.port)} \\(is a standby.*read-write is required`));
    const stranger = await workspace('stranger');
    const { message } = refused(await engine.resolve({ directory: stranger }), 'REGISTRY_UNREACHABLE');
    assert.match(message, /not known here, so nothing was made/);

    await standby.promote();
    const again = await engine.resolve({ directory: folder });
    assert.equal(again.stale, false);
    assert.deepEqual(again.warnings, []);
    assert.deepEqual(path(again), found);

    for (const kept of [{ project, folder }, ...acknowledged]) {
      await assertAgreement(fixture, kept.project, kept.folder);
      const byId = await engine.resolve({ project: kept.project.id });
      assert.deepEqual([resolved(byId).name, byId.stale], [kept.project.name, false]);
    }
    // The one that was refused in the middle is completed, and whoever was refused before is made.
    for (const refusedFolder of [last, stranger]) {
      await assertAgreement(fixture, resolved(await engine.resolve({ directory: refusedFolder })), refusedFolder);
    }
    const rows = await fixture.sql<{ database_name: string }>('select database_name from projects order by 1');
    const databases = await standby.sql(
      `select datname as database_name from pg_database where datname like 'cb_proj_%' order by 1`,
    );
    assert.deepEqual(databases, rows);
    assert.equal(rows.length, acknowledged.length + 3);
  });
});

interface Made {
  project: Project;
  folder: string;
}
