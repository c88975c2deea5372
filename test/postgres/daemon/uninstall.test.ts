import assert from 'node:assert/strict';
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { findPlatformPackage } from '../../../daemon/embedded/binaries.ts';
import { DaemonFixture, gone, isAlive } from './daemonFixture.ts';

describe('uninstalling', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  const exists = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );

  it('ends the daemon and removes what is ours in the state folder, and no database of the user’s server', async () => {
    const home = await fixture.home('own');
    const address = await fixture.address();
    const environment = { REGISTRAR_DATABASE_URL: address };
    const directory = await fixture.workspace('kept');
    const made = await fixture.run(home, ['env', '--directory', directory], environment);
    await writeFile(join(home, 'notes.txt'), 'not ours');
    await fixture.run(home, ['connect', 'cursor', '--write', '--workspace', '--directory', directory]);
    assert.deepEqual(await readdir(join(directory, '.cursor')), ['mcp.json']);
    const asked = await fixture.run(home, ['uninstall'], environment);
    assert.equal(asked.status, 1);
    const pid = await fixture.pid(home);
    const removed = await fixture.run(home, ['uninstall', '--confirm'], environment);
    assert.equal(removed.status, 0, removed.stdout);
    const { projects } = removed.json?.['databases'] as { projects: { name: string }[] };
    assert.deepEqual(
      projects.map(({ name }) => name),
      ['kept'],
    );
    await gone(pid);
    assert.equal(await exists(join(directory, '.cursor')), false);
    assert.deepEqual(await readdir(home), ['notes.txt']);
    assert.deepEqual(removed.json?.['left'], ['notes.txt']);
    const client = new pg.Client({ connectionString: String(made.json?.['DATABASE_URL']) });
    await client.connect();
    await client.end();
  });

  it('removes the bundled PostgreSQL with its data, wherever that is, though somebody is connected', async function () {
    if (findPlatformPackage() === null) {
      console.log('      not run: no bundled PostgreSQL for this platform');
      this.skip();
    }
    const home = await fixture.home('bundled');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'bundled' } }));
    const directory = await fixture.workspace('bundled');
    const made = await fixture.run(home, ['env', '--directory', directory]);
    const record = JSON.parse(await readFile(join(home, 'postgres', 'server.json'), 'utf8')) as { home?: string };
    const data = record.home ?? join(home, 'postgres');
    const lock = await readFile(join(data, 'cluster', 'data', 'postmaster.pid'), 'utf8');
    const server = Number(lock.split('\n')[0]);
    const user = new pg.Client({ connectionString: String(made.json?.['DATABASE_URL']) });
    user.on('error', () => undefined);
    await user.connect();
    try {
      const removed = await fixture.run(home, ['uninstall', '--confirm']);
      assert.equal(removed.status, 0, removed.stdout);
      assert.equal(removed.json?.['bundledData'], data);
      await gone(server);
      assert.deepEqual([await exists(data), await exists(home)], [false, false]);
    } finally {
      await user.end().catch(() => undefined);
      if (isAlive(server)) process.kill(server, 'SIGQUIT');
      await gone(server);
      await rm(data, { recursive: true, force: true });
    }
  });
});
