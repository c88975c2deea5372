import assert from 'node:assert/strict';
import pg from 'pg';
import { databases } from '../../daemon/postgres/databases/databases.ts';
import { RegistryDatabase } from '../../daemon/postgres/registry/registryDatabase.ts';
import { withRegistryLock } from '../../daemon/postgres/registry/registryLock.ts';
import { patientLimits } from '../support/patientLimits.ts';
import { registryFixture, type RegistryFixture } from '../support/registryFixture.ts';
import { addressOf } from '../support/serverAddress.ts';

describe('a DROP DATABASE that was cut short', () => {
  let fixture: RegistryFixture;
  before(async () => {
    fixture = await registryFixture();
  });
  after(() => fixture.close());

  const isThere = async (name: string): Promise<boolean> =>
    (await fixture.sql('select from pg_database where datname = $1', [name])).length > 0;

  it('H10: is finished once: whoever comes second leaves the database that was made since', async () => {
    await (await fixture.engine()).createProject({ name: 'first' });
    const registry = new RegistryDatabase(addressOf(fixture.url()), patientLimits);
    const catalog = databases(registry, { projectSchema: () => Promise.resolve(null) });
    const name = 'cb_proj_again_0a1b2c3d';
    await fixture.sql(`create database ${name}`);
    await fixture.sql(`update pg_database set datconnlimit = -2 where datname = $1`, [name]);
    const client = new pg.Client({ connectionString: fixture.url() });
    await client.connect();
    let second = Promise.resolve();
    // This one finishes it, and its database is made again, while the second waits.
    await withRegistryLock(client, `drop of ${name}`, 10_000, async () => {
      second = catalog.finishDrop(name);
      const waiting = `select from pg_locks where locktype = 'advisory' and not granted`;
      while ((await fixture.sql(waiting)).length === 0 && (await isThere(name)));
      assert.equal(await isThere(name), true, 'the second does nothing before it has the lock');
      await fixture.sql(`drop database ${name}`);
      await fixture.sql(`create database ${name}`);
    });
    await second;
    await client.end();
    assert.equal(await isThere(name), true);
    await registry.close();
    await fixture.sql(`drop database ${name}`);
  });
});
