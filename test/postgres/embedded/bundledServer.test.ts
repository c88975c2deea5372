import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

import { startBundledServer } from '../../../daemon/embedded/bundledServer.ts';
import { probe } from '../../support/probe.ts';
import { findPostmasters, isRunning, runsAsRoot, ServerFixture, until } from './serverFixture.ts';

describe('the bundled server', function () {
  this.timeout(60_000);
  let fixture: ServerFixture;

  beforeEach(async () => {
    fixture = await ServerFixture.open();
  });
  afterEach(async () => {
    await fixture.close();
  });

  it('makes its data the first time only, and answers on loopback', async () => {
    const first = await fixture.start();
    assert.equal(first.reused, false);
    assert.equal(first.address.host, '127.0.0.1');
    assert.deepEqual(fixture.progress.slice(1), ['Creating the data folder, once', 'Starting PostgreSQL']);
    const dataFolder = await fixture.data();
    assert.equal(await probe(first.address, 20_000), dataFolder);

    await first.stop();
    fixture.progress.length = 0;
    const later = await fixture.start();
    assert.equal(later.reused, false);
    assert.deepEqual(fixture.progress, ['Starting PostgreSQL']);
    assert.deepEqual(later.address, first.address);

    const again = await fixture.start();
    assert.equal(again.reused, true);
  });

  it('is found and reused while it runs, and stops once for whoever asks', async () => {
    const first = await fixture.start();
    const pid = await fixture.postmasterPid();
    const second = await fixture.start();
    assert.equal(second.reused, true);
    assert.deepEqual(second.address, first.address);
    assert.equal(await fixture.postmasterPid(), pid);
    assert.deepEqual(await findPostmasters(await fixture.data()), [pid]);

    await second.stop();
    assert.equal(await probe(first.address, 1_000), null);
    await until(async () => !(await isRunning(pid)));
    await first.stop();
    const log = await readFile(path.join(fixture.folder, 'server.log'), 'utf8');
    assert.equal(log.match(/received fast shutdown request/g)?.length, 1);
    assert.match(log, /database system is shut down\n$/);
  });

  it('keeps what others must not read closed to them', async () => {
    await fixture.start();
    const home = await fixture.home();
    const me = process.getuid?.();
    const modes = async (file: string): Promise<[number, number]> => {
      const stats = await stat(file);
      return [stats.mode & 0o777, stats.uid];
    };
    assert.deepEqual(await modes(fixture.folder), [0o700, me]);
    assert.deepEqual(await modes(path.join(fixture.folder, 'server.json')), [0o600, me]);
    assert.deepEqual(await modes(path.join(fixture.folder, 'server.log')), [0o600, me]);
    assert.deepEqual(await modes(path.join(home, 'cluster', 'password')), [0o600, me]);
    const [dataMode, dataOwner] = await modes(path.join(home, 'cluster', 'data'));
    assert.equal(dataMode, 0o700);
    assert.equal(dataOwner === 0, false);
    if (runsAsRoot) {
      assert.deepEqual(await modes(home), [0o710, 0]);
      assert.deepEqual(await modes(path.join(home, 'cluster')), [0o710, 0]);
      assert.deepEqual(await modes(path.join(home, 'binaries')), [0o755, 0]);
      const status = await readFile(`/proc/${String(await fixture.postmasterPid())}/status`, 'utf8');
      assert.match(status, new RegExp(`^Uid:\\s+${String(dataOwner)}\\s+${String(dataOwner)}`, 'm'));
      assert.match(status, /^Groups:\s*$/m);
    }
  });

  it('lets in only its password, by SCRAM, and listens on loopback alone', async () => {
    const { address } = await fixture.start();
    assert.equal(await probe({ ...address, password: 'wrong' }, 20_000), null);
    const rules = await fixture.query(address, 'select distinct auth_method from pg_hba_file_rules');
    assert.deepEqual(rules, [{ auth_method: 'scram-sha-256' }]);
    const [settings] = await fixture.query(
      address,
      `select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets,
        current_setting('fsync') as fsync, current_setting('timezone') as timezone,
        current_setting('server_encoding') as encoding, current_setting('log_statement') as log_statement,
        (select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'template1') as locale,
        (select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = current_user) as scram`,
    );
    assert.deepEqual(settings, {
      listen: '127.0.0.1',
      sockets: '',
      fsync: 'on',
      timezone: 'UTC',
      encoding: 'UTF8',
      log_statement: 'none',
      locale: 'b C.UTF-8',
      scram: true,
    });
  });

  it('E1: writes no password and no statement into its log or argv, not even of a statement that fails', async () => {
    const { address } = await fixture.start();
    await fixture.query(address, 'create table secrets (value text unique)');
    await fixture.query(address, "insert into secrets values ('geheim-1')");
    await assert.rejects(fixture.query(address, "insert into secrets values ('geheim-1')"), { code: '23505' });
    await assert.rejects(fixture.query(address, "alter role nobody_there password 'geheim-2'"), { code: '42704' });
    const log = await readFile(path.join(fixture.folder, 'server.log'), 'utf8');
    assert.match(log, /duplicate key value/);
    assert.doesNotMatch(log, /geheim/);
    assert.equal(log.includes(address.password), false);
    const argv = await readFile(`/proc/${String(await fixture.postmasterPid())}/cmdline`, 'utf8');
    assert.equal(argv.includes(address.password), false);
  });

  it('gives the server none of the environment of its starter', async () => {
    process.env['REGISTRAR_EMBEDDED_SECRET'] = 'geheim';
    process.env['PGPORT'] = '1';
    try {
      await fixture.start();
    } finally {
      delete process.env['REGISTRAR_EMBEDDED_SECRET'];
      delete process.env['PGPORT'];
    }
    const environment = await readFile(`/proc/${String(await fixture.postmasterPid())}/environ`, 'utf8');
    assert.match(environment, /LC_ALL=C/);
    assert.doesNotMatch(environment, /geheim|PGPORT/);
  });

  it('L3: chooses another port when a stranger has its own, says so, and keeps the new one', async () => {
    const first = await fixture.start();
    await first.stop();
    const stranger = createServer().listen(first.address.port, '127.0.0.1');
    await once(stranger, 'listening');
    let second;
    try {
      second = await fixture.start();
    } finally {
      stranger.close();
    }
    assert.notEqual(second.address.port, first.address.port);
    assert.equal(second.reused, false);
    assert.ok(fixture.progress.some((message) => message.includes(`Port ${String(first.address.port)} is taken`)));
    await second.stop();
    const third = await fixture.start();
    assert.equal(third.address.port, second.address.port);
  });

  it('finds its port again when server.json is damaged', async () => {
    const first = await fixture.start();
    await writeFile(path.join(fixture.folder, 'server.json'), '{"port": ');
    const second = await fixture.start();
    assert.equal(second.reused, true);
    assert.equal(second.address.port, first.address.port);
    const record = JSON.parse(await readFile(path.join(fixture.folder, 'server.json'), 'utf8')) as { port: number };
    assert.equal(record.port, first.address.port);
  });

  it('sets a large log aside when it starts', async () => {
    const first = await fixture.start();
    await first.stop();
    const log = path.join(fixture.folder, 'server.log');
    await truncate(log, 6 * 1024 * 1024);
    await fixture.start();
    assert.equal((await stat(`${log}.1`)).size, 6 * 1024 * 1024);
    assert.match(await readFile(log, 'utf8'), /ready to accept connections/);
  });

  it('says so when the running server no longer takes the password', async () => {
    const { address } = await fixture.start();
    await fixture.query(address, "alter role registrar password 'changed by hand'");
    await assert.rejects(fixture.start({ startTimeoutMs: 5_000 }), {
      code: 'PROVISION_FAILED',
      message: /is running, but does not accept Registrar's password/,
    });
  });

  it('reports what PostgreSQL said when it refuses to start, at once', async () => {
    const first = await fixture.start();
    await first.stop();
    const config = path.join(await fixture.data(), 'postgresql.conf');
    await writeFile(config, `${await readFile(config, 'utf8')}\nshared_buffers = 'banana'\n`);
    // What was tried until the time limit would say that it did not become ready in time.
    await assert.rejects(fixture.start(), { message: /does not start: .*(shared_buffers|configuration file)/ });
  });

  it('reports a folder that cannot be made as a fault with a next step', async () => {
    const file = path.join(fixture.root, 'file');
    await writeFile(file, '');
    await assert.rejects(startBundledServer({ folder: path.join(file, 'postgres'), probe }), {
      code: 'PROVISION_FAILED',
      hint: /can be written/,
    });
  });

  it('makes no second cluster beside the one of an ordinary user when root starts it', async function () {
    if (!runsAsRoot) this.skip();
    await mkdir(path.join(fixture.folder, 'cluster'), { recursive: true });
    await assert.rejects(fixture.start(), { code: 'PROVISION_FAILED', message: /created by an ordinary user/ });
  });

  it('makes no second cluster beside the one of root when an ordinary user starts it', async function () {
    if (runsAsRoot) this.skip();
    await mkdir(fixture.folder, { recursive: true });
    await writeFile(path.join(fixture.folder, 'server.json'), '{"home": "/elsewhere", "port": 20000}');
    await assert.rejects(fixture.start(), { code: 'PROVISION_FAILED', message: /created by root/ });
  });
});
