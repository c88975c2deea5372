import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { findPlatformPackage, keepBinaries } from '../../../daemon/embedded/binaries.ts';
import { stopPostmaster } from '../../../daemon/embedded/postmaster.ts';
import { openServerHome } from '../../../daemon/embedded/serverHome.ts';
import { probe } from '../../support/probe.ts';
import { findPostmasters, isRunning, ServerFixture, until } from './serverFixture.ts';

describe('the bundled server after a crash', function () {
  this.timeout(60_000);
  let fixture: ServerFixture;

  beforeEach(async () => {
    fixture = await ServerFixture.open();
  });
  afterEach(async () => {
    await fixture.close();
  });

  it('has every acknowledged row after kill -9 of the server', async () => {
    const first = await fixture.start();
    await fixture.query(first.address, 'create table kept (n int); insert into kept values (1)');
    await fixture.killPostmaster();
    const second = await fixture.start();
    assert.equal(second.reused, false);
    assert.deepEqual(second.address, first.address);
    assert.deepEqual(await fixture.query(second.address, 'select n from kept'), [{ n: 1 }]);
    assert.match(await readFile(path.join(fixture.folder, 'server.log'), 'utf8'), /was not properly shut down/);
  });

  it('ends a backend that still computes for the killed server', async () => {
    const first = await fixture.start();
    await fixture.query(first.address, 'create table kept (n int); insert into kept values (1)');
    const busy = await fixture.connect(first.address);
    const { rows } = await busy.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = rows[0]?.pid ?? 0;
    const endless = busy.query('do $$ begin loop perform 1; end loop; end $$').catch((error: unknown) => error);
    const activity = `select 1 from pg_stat_activity where pid = ${String(backend)} and state = 'active'`;
    await until(async () => (await fixture.query(first.address, activity)).length === 1);
    await fixture.killPostmaster();
    assert.equal(await isRunning(backend), true);

    const second = await fixture.start();
    assert.ok(fixture.progress.includes('Waiting for an earlier server to be gone'));
    assert.equal(await isRunning(backend), false);
    assert.deepEqual(await fixture.query(second.address, 'select n from kept'), [{ n: 1 }]);
    assert.ok((await endless) instanceof Error);
  });

  it('runs on after kill -9 of the process that started it, and is reused', async () => {
    const { child, nextEvent } = fixture.startChild();
    const { address } = await nextEvent((event) => event.address !== undefined);
    assert.ok(address);
    await fixture.query(address, 'create table kept (n int); insert into kept values (1)');
    const pid = await fixture.postmasterPid();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const second = await fixture.start();
    assert.equal(second.reused, true);
    assert.deepEqual(second.address, address);
    assert.equal(await fixture.postmasterPid(), pid);
    assert.deepEqual(await fixture.query(second.address, 'select n from kept'), [{ n: 1 }]);
  });

  it('starts although the process id in the left-over lock now belongs to another process', async () => {
    const first = await fixture.start();
    const lock = await readFile(path.join(await fixture.data(), 'postmaster.pid'), 'utf8');
    await first.stop();
    // PostgreSQL would take a process of its own user for a running server, so the stand-in belongs to that user.
    const { uid, gid } = await stat(await fixture.data());
    const stranger = spawn('sleep', ['600'], { uid, gid, cwd: '/', stdio: 'ignore' });
    fixture.keep(stranger);
    await once(stranger, 'spawn');
    const stale = lock.replace(/^\d+/, String(stranger.pid));
    await writeFile(path.join(await fixture.data(), 'postmaster.pid'), stale);
    const second = await fixture.start();
    assert.equal(second.reused, false);
    assert.equal(await isRunning(stranger.pid ?? 0), true);
  });

  it('does not take the server of another folder that its left-over lock happens to name', async () => {
    const other = await ServerFixture.open();
    try {
      const strange = await other.start();
      const lock = await readFile(path.join(await other.data(), 'postmaster.pid'), 'utf8');
      const first = await fixture.start();
      await first.stop();
      await writeFile(path.join(await fixture.data(), 'postmaster.pid'), lock);
      const second = await fixture.start();
      assert.equal(second.reused, false);
      assert.notEqual(second.address.port, strange.address.port);
      assert.equal(await probe(strange.address, 20_000), await other.data());
    } finally {
      await other.close();
    }
  });

  it('starts although a crash left an empty lock', async () => {
    const first = await fixture.start();
    await first.stop();
    const lock = path.join(await fixture.data(), 'postmaster.pid');
    await writeFile(lock, '');
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(lock, minuteAgo, minuteAgo);
    const second = await fixture.start();
    assert.equal(second.reused, false);
    assert.equal(await probe(second.address, 20_000), await fixture.data());
  });

  it('starts over after kill -9 in the middle of making its data', async () => {
    const halfMade = async (): Promise<string[]> =>
      (await readdir(await fixture.home())).filter((name) => name.startsWith('cluster.new-'));
    const hasCluster = async (): Promise<boolean> => isThere(path.join(await fixture.home(), 'cluster'));
    for (;;) {
      const { child, nextEvent } = fixture.startChild();
      await nextEvent((event) => event.progress?.startsWith('Creating') === true);
      await until(async () => {
        const [name] = await halfMade();
        const data = name === undefined ? null : path.join(await fixture.home(), name, 'data');
        return (data !== null && (await isThere(path.join(data, 'PG_VERSION')))) || hasCluster();
      });
      // The group, so that initdb dies with its starter in mid-work.
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
      if (!(await hasCluster())) break;
      // The middle was over before it could be hit.
      await fixture.start();
      await fixture.close();
      fixture = await ServerFixture.open();
    }
    assert.equal((await halfMade()).length, 1);

    const server = await fixture.start();
    assert.equal(server.reused, false);
    assert.equal(await probe(server.address, 20_000), await fixture.data());
  });

  it('removes what killed starters left long ago, and nothing that a starter may be making now', async () => {
    await openServerHome(fixture.folder, fixture.rootBase);
    const home = await fixture.home();
    const old = [path.join(home, 'cluster.new-old'), path.join(home, 'binaries', '.new-old')];
    const young = [path.join(home, 'cluster.new-young'), path.join(home, 'binaries', '.new-young')];
    for (const folder of [...old, ...young]) await mkdir(path.join(folder, 'data'), { recursive: true });
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const folder of old) await utimes(folder, hourAgo, hourAgo);
    await fixture.start();
    assert.deepEqual(await Promise.all(old.map(isThere)), [false, false]);
    assert.deepEqual(await Promise.all(young.map(isThere)), [true, true]);
  });

  it('stops a server that cannot end in order at once, and has its rows at the next start', async () => {
    const first = await fixture.start();
    await fixture.query(first.address, 'create table kept (n int); insert into kept values (1)');
    const client = await fixture.connect(first.address);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // A backend that cannot run cannot obey a fast shutdown; an immediate one kills it after 5 s.
    process.kill(rows[0]?.pid ?? 0, 'SIGSTOP');
    const place = await openServerHome(fixture.folder, fixture.rootBase);
    const binaries = await keepBinaries(place, '18', findPlatformPackage(), () => undefined);
    await stopPostmaster(place.account, binaries, await fixture.data(), { fastS: 1, immediateS: 20 });
    assert.deepEqual(await findPostmasters(await fixture.data()), []);
    const log = await readFile(path.join(fixture.folder, 'server.log'), 'utf8');
    assert.match(log, /received fast shutdown request[\s\S]*received immediate shutdown request/);
    const second = await fixture.start();
    assert.deepEqual(await fixture.query(second.address, 'select n from kept'), [{ n: 1 }]);
  });
});

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
