import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { DaemonFixture, gone } from './daemonFixture.ts';

describe('L3: the daemon with the bundled PostgreSQL', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(async () => {
    if (dataHome !== '') await rm(dataHome, { recursive: true, force: true });
    await fixture.close();
  });
  /** Where root's data is, outside the state folder. */
  let dataHome = '';

  const postmaster = async (home: string): Promise<number> => {
    const log = await readFile(join(home, 'postgres', 'server.log'), 'utf8');
    assert.match(log, /ready to accept connections/);
    const record = JSON.parse(await readFile(join(home, 'postgres', 'server.json'), 'utf8')) as { home?: string };
    dataHome = record.home ?? '';
    const data = join(record.home ?? join(home, 'postgres'), 'cluster', 'data');
    return Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  };

  it('takes the running server over after a kill, keeps it for who is connected, and ends it with itself', async () => {
    const home = await fixture.home('bundled');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'bundled' } }));
    const directory = await fixture.workspace('bundled');
    const first = await fixture.run(home, ['resolve', '--directory', directory]);
    assert.equal(first.status, 0, first.stdout);
    const server = await postmaster(home);
    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    const environment = await fixture.run(home, ['env', '--directory', directory]);
    assert.notEqual(await fixture.pid(home), killed);
    assert.equal(await postmaster(home), server);

    const user = new pg.Client({ connectionString: String(environment.json?.['DATABASE_URL']) });
    await user.connect();
    await fixture.run(home, ['stop']);
    assert.equal((await user.query('select 1')).rowCount, 1);
    await user.end();

    assert.equal((await fixture.run(home, ['sync'])).status, 0);
    assert.equal(await postmaster(home), server);
    await fixture.run(home, ['stop']);
    await gone(server);
  });
});
