import assert from 'node:assert/strict';
import pg from 'pg';
import type { Engine } from '../../../daemon/engine/engine.ts';
import type { Limits } from '../../../daemon/postgres/registry/registryDatabase.ts';
import type { Project } from '../../../daemon/protocol/model.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { patientLimits } from '../../support/patientLimits.ts';
import { registryFixture, type RegistryFixture, type Role } from '../../support/registryFixture.ts';
import { refused, resolved } from '../../support/resolutionAssertions.ts';

describe('a hand-over by a role that has time limits of its own (X6)', function () {
  this.timeout(120_000);
  let server: OwnServer;
  let fixture: RegistryFixture;
  let role: Role;
  let limits: Limits;
  let engine: Engine;
  let project: Project;
  let folder: string;
  let locker: pg.Client;

  before(async function () {
    const reason = whyNoOwnServer();
    if (reason !== null) {
      console.log(`      ${reason}`);
      this.skip();
    }
    server = await OwnServer.start();
  });
  after(async () => {
    // Not there where nothing was run.
    await (server as OwnServer | undefined)?.close();
  });
  beforeEach(async () => {
    fixture = await registryFixture(server);
    role = await fixture.role('createdb createrole');
    limits = { ...patientLimits };
    engine = await fixture.engine({ role, limits });
    folder = await fixture.folder();
    await fixture.config(folder, { version: '1.0', project: { name: 'shop' } });
    project = resolved(await engine.resolve({ directory: folder }));
    locker = new pg.Client({ connectionString: server.url });
    await locker.connect();
  });
  afterEach(async () => {
    await locker.end();
    await fixture.close();
  });

  /** Whoever reads a marker waits from now on. */
  const holdMarkers = () => locker.query('begin; lock table pg_catalog.pg_shdescription in access exclusive mode');

  // Not asked over the connection that holds them: a transaction sees the others as they were when it first looked.
  const isWaiting = async (): Promise<boolean> => {
    const rows = await server.sql(
      `select from pg_stat_activity where datname = '${project.databaseName}' and wait_event_type = 'Lock'
         and clock_timestamp() - query_start > interval '100 ms'`,
    );
    return rows.length > 0;
  };

  for (const setting of ['statement_timeout', 'lock_timeout']) {
    it(`waits for the database’s word as long as Registrar does, whatever ${setting} the role has`, async () => {
      await server.sql(`alter database "${project.databaseName}" set ${setting} = '20ms'`);
      await server.sql(`alter role "${role.name}" in database "${project.databaseName}" set ${setting} = '20ms'`);
      limits.lookMs = 500;
      await holdMarkers();
      const progress = { isAnswered: false };
      const asked = engine.connection({ directory: folder }).finally(() => (progress.isAnswered = true));
      while (!progress.isAnswered && !(await isWaiting()));
      await locker.query('rollback');
      const { resolution } = await asked;
      assert.equal(resolved(resolution).id, project.id);
    });
  }

  it('says that the server is busy when the database’s word does not come', async () => {
    Object.assign(limits, { lookMs: 500, writeMs: 2000 });
    await holdMarkers();
    const { resolution } = await engine.connection({ directory: folder });
    const { message } = refused(resolution, 'REGISTRY_BUSY');
    assert.match(message, /^Database "?cb_proj_shop_\w+"? .*\(57014\)/);
    await locker.query('rollback');
  });

  it('has a code and words for limits that let nothing finish', async () => {
    await server.sql(`alter role "${role.name}" set statement_timeout = '1ms'`);
    const address = await fixture.engine({ role, limits: { ...patientLimits, lookMs: 1000, writeMs: 2000 } });
    await holdMarkers();
    const { resolution } = await address.connection({ directory: folder });
    const { message } = refused(resolution, 'REGISTRY_BUSY');
    assert.match(message, /\(57014\)/);
    await locker.query('rollback');
  });
});
