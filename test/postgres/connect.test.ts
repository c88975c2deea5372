import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Client } from 'pg';
import type { PostgresAddress } from '../../daemon/postgres/address/address.ts';
import type { HostPort } from '../../daemon/postgres/address/addressParts.ts';
import { connectClient } from '../../daemon/postgres/connection/connect.ts';
import { isConnectionLoss, sqlState } from '../../daemon/postgres/connection/sqlErrors.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { cleartextPasswordRequest, errorResponse, startFakePostgres, welcome } from '../support/fakePostgres.ts';
import { addressOf, serverAddress } from '../support/serverAddress.ts';
import { startTcpProxy } from '../support/tcpProxy.ts';

/** Of what has an answer: a machine may stall for seconds. */
const limits = { timeoutMs: 30_000 };

describe('connecting to PostgreSQL', () => {
  let address: PostgresAddress;
  let real: HostPort;
  let folder: string;
  let cleanups: (() => Promise<unknown>)[] = [];

  before(async () => {
    address = await serverAddress();
    real = address.hosts[0] ?? assert.fail('the test server has no host');
    folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-connect-'));
  });

  afterEach(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
    cleanups = [];
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function connect(to: PostgresAddress, database = 'postgres', timeoutMs = limits.timeoutMs): Promise<Client> {
    const client = await connectClient(to, database, { timeoutMs });
    cleanups.push(() => client.end());
    return client;
  }

  async function failure(
    to: PostgresAddress,
    database = 'postgres',
    timeoutMs = limits.timeoutMs,
  ): Promise<RegistrarError> {
    try {
      await connect(to, database, timeoutMs);
    } catch (error) {
      assert.ok(error instanceof RegistrarError, String(error));
      assert.notEqual(error.hint, '');
      if (address.password !== null) assert.ok(!JSON.stringify(error.toReport()).includes(address.password));
      return error;
    }
    return assert.fail('the connection was made');
  }

  async function proxy(): ReturnType<typeof startTcpProxy> {
    const started = await startTcpProxy(real);
    cleanups.push(() => started.close());
    return started;
  }

  async function fake(answer: Buffer): ReturnType<typeof startFakePostgres> {
    const started = await startFakePostgres(answer);
    cleanups.push(() => started.close());
    return started;
  }

  async function refusingPort(): Promise<number> {
    const { port, close } = await startTcpProxy(real);
    await close();
    return port;
  }

  /** Forwards to the real server from a unix socket or another address; null when this machine cannot listen there. */
  async function forwardFrom(options: net.ListenOptions): Promise<number | null> {
    const server = net.createServer((socket) => {
      const upstream = net.connect(real.port, real.host);
      socket.on('error', () => upstream.destroy()).pipe(upstream);
      upstream.on('error', () => socket.destroy()).pipe(socket);
    });
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false);
      });
      server.listen(options, () => {
        resolve(true);
      });
    });
    if (!listens) return null;
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const bound = server.address();
    return bound === null || typeof bound === 'string' ? 0 : bound.port;
  }

  const local = (port: number): HostPort => ({ host: '127.0.0.1', port });

  it('logs in to the database that is named, as project-registrar', async () => {
    const client = await connect(address, 'template1');
    const { rows } = await client.query(`select current_database() as db, current_setting('application_name') as app`);
    assert.deepEqual(rows, [{ db: 'template1', app: 'project-registrar' }]);
  });

  it('E1: sends the application name and options of the address', async () => {
    const client = await connect({ ...address, applicationName: 'mine', options: '-c work_mem=7MB' });
    const { rows } = await client.query(
      `select current_setting('work_mem') as mem, current_setting('application_name') as app`,
    );
    assert.deepEqual(rows, [{ mem: '7MB', app: 'mine' }]);
  });

  it('sends no startup parameter that was not asked for, whatever the environment says: poolers refuse them', async () => {
    const server = await fake(welcome());
    process.env['PGOPTIONS'] = '-c work_mem=7MB';
    process.env['PGAPPNAME'] = 'other';
    cleanups.push(() => {
      delete process.env['PGOPTIONS'];
      delete process.env['PGAPPNAME'];
      return Promise.resolve();
    });
    await connect(addressOf(`postgres://u@127.0.0.1:${String(server.port)}?sslmode=disable`), 'd');
    assert.deepEqual(server.startups, [
      { user: 'u', database: 'd', application_name: 'project-registrar', client_encoding: 'UTF8' },
    ]);
  });

  it('connects through a unix socket, without TLS whatever sslmode says', async function () {
    if (process.platform === 'win32') this.skip();
    const port = await forwardFrom({ path: path.join(folder, '.s.PGSQL.6001') });
    assert.notEqual(port, null);
    const ssl = { ...address.ssl, sslmode: 'require' as const };
    await connect({ ...address, ssl, hosts: [{ host: folder, port: 6001 }] });
  });

  it('connects over IPv6', async function () {
    const port = await forwardFrom({ host: '::1', port: 0 });
    if (port === null) this.skip();
    await connect({ ...address, hosts: [{ host: '::1', port }] });
  });

  it('dials hostaddr and not the name', async () => {
    const { address: hostaddr } = await lookup(real.host);
    await connect({ ...address, hosts: [{ host: 'no.such.host.invalid', hostaddr, port: real.port }] });
  });

  it('goes on to the next host when one refuses, has no name, or is starting up', async () => {
    const starting = await fake(errorResponse('57P03', 'the database system is starting up'));
    const hosts = [local(await refusingPort()), { host: 'no.such.host.invalid', port: 1 }, local(starting.port), real];
    await connect({ ...address, hosts });
    assert.ok(starting.startups.length > 0);
  });

  it('gives hosts that drop packets only their share of the limit', async () => {
    const hole = await proxy();
    hole.pause();
    // Had one of them used up the limit, nothing would be left for the real one.
    const client = await connect({ ...address, hosts: [local(hole.port), local(hole.port), real] }, 'postgres', 9000);
    assert.equal(hole.accepted(), 2);
    await client.query('select 1');
  });

  it('says for every host why it does not serve, within the limit', async () => {
    const hole = await proxy();
    hole.pause();
    const closed = await refusingPort();
    const hosts = [local(closed), local(hole.port), { host: 'no.such.host.invalid', port: 1 }];
    const error = await failure({ ...address, hosts }, 'postgres', 9000);
    assert.equal(error.code, 'REGISTRY_UNREACHABLE');
    assert.ok(error.message.includes(`127.0.0.1:${String(closed)} (refused)`), error.message);
    assert.match(error.message, /\(timeout after \d+ ms\), no\.such\.host\.invalid:1 \((?:DNS|timeout)/);
    assert.ok(isConnectionLoss(error));
  });

  it('keeps to the connect_timeout of the address', async () => {
    const hole = await proxy();
    hole.pause();
    const error = await failure({ ...address, connectTimeoutMs: 100, hosts: [local(hole.port)] }, 'postgres', 60_000);
    assert.match(error.message, /timeout after 100 ms/);
  });

  it('reports a server that hangs up during login', async () => {
    const server = await proxy();
    const accepted = server.nextConnection();
    const pending = failure({ ...address, hosts: [local(server.port)] });
    await accepted;
    server.cut();
    assert.match((await pending).message, /closed the connection/);
  });

  it('names a wrong password CREDENTIALS_REQUIRED and does not ask the next host', async () => {
    const next = await proxy();
    const error = await failure({ ...address, password: 'wrong', hosts: [real, local(next.port)] });
    assert.equal(error.code, 'CREDENTIALS_REQUIRED');
    assert.equal(sqlState(error), '28P01');
    assert.equal(next.accepted(), 0);
  });

  it('names a missing password CREDENTIALS_REQUIRED and says how to give one', async () => {
    const error = await failure({ ...address, password: null, passfile: path.join(folder, 'none') });
    assert.equal(error.code, 'CREDENTIALS_REQUIRED');
    assert.match(error.hint, /pgpass/);
  });

  it('takes the password from a password file, for each host its own', async () => {
    const passfile = path.join(folder, 'pgpass');
    const escaped = (address.password ?? '').replaceAll(/[\\:]/g, '\\$&');
    const other = await fake(errorResponse('57P03', 'starting up'));
    await writeFile(
      passfile,
      `127.0.0.1:${String(other.port)}:*:*:wrong\n*:${String(real.port)}:postgres:${address.user}:${escaped}\n`,
      { mode: 0o600 },
    );
    await connect({ ...address, password: null, passfile, hosts: [local(other.port), real] });
  });

  it('ignores a password file that others may read, and says so', async function () {
    if (process.platform === 'win32') this.skip();
    const passfile = path.join(folder, 'open');
    await writeFile(passfile, `*:*:*:*:${address.password ?? ''}\n`);
    await chmod(passfile, 0o640);
    const error = await failure({ ...address, password: null, passfile });
    assert.equal(error.code, 'CREDENTIALS_REQUIRED');
    assert.ok(error.hint.includes(`${passfile} was ignored`), error.hint);
  });

  it('passes on that a database does not exist, so that it can be made', async () => {
    const error = await failure(address, 'no_such_database');
    assert.equal(error.code, 'DATABASE_MISSING');
    assert.equal(sqlState(error), '3D000');
    assert.equal(isConnectionLoss(error), false);
  });

  it('names the missing CONNECT privilege REGISTRY_FORBIDDEN', async () => {
    const name = `connect_${randomBytes(4).toString('hex')}`;
    const admin = await connect(address);
    await admin.query(`create database ${name}`);
    await admin.query(`create role ${name} login password 'x'`);
    await admin.query(`revoke connect on database ${name} from public`);
    cleanups.push(async () => {
      await admin.query(`drop database ${name}`);
      await admin.query(`drop role ${name}`);
    });
    const error = await failure({ ...address, user: name, password: 'x' }, name);
    assert.equal(error.code, 'REGISTRY_FORBIDDEN');
    assert.equal(sqlState(error), '42501');
    assert.ok(error.hint.includes(`GRANT CONNECT ON DATABASE "${name}"`), error.hint);
  });

  it('names a server whose pg_hba.conf refuses, and the reason', async () => {
    const server = await fake(errorResponse('28000', 'no pg_hba.conf entry for host'));
    const error = await failure(addressOf(`postgres://u@127.0.0.1:${String(server.port)}`));
    assert.equal(error.code, 'CREDENTIALS_REQUIRED');
    assert.match(error.message, /no pg_hba\.conf entry/);
  });

  it('refuses to give a password in clear to a server when channel_binding=require', async () => {
    const server = await fake(cleartextPasswordRequest());
    const url = `postgres://u:secret@127.0.0.1:${String(server.port)}?channel_binding=require`;
    const error = await failure(addressOf(url));
    assert.match(error.message, /channel_binding=require/);
    assert.equal(server.bytesAfterStartup(), 0);
    const silent = await fake(welcome());
    await failure(addressOf(`postgres://u:secret@127.0.0.1:${String(silent.port)}?channel_binding=require`));
  });

  describe('with target_session_attrs', () => {
    let reader: string;

    before(async () => {
      reader = `reader_${randomBytes(4).toString('hex')}`;
      const admin = await connectClient(address, 'postgres', limits);
      await admin.query(`create role ${reader} login password 'x'`);
      await admin.query(`alter role ${reader} set default_transaction_read_only = on`);
      await admin.end();
    });

    after(async () => {
      const admin = await connectClient(address, 'postgres', limits);
      await admin.query(`drop role ${reader}`);
      await admin.end();
    });

    it('accepts a session that fits', async () => {
      await connect({ ...address, targetSessionAttrs: 'read-write' });
      await connect({ ...address, targetSessionAttrs: 'primary' });
      await connect({ ...address, user: reader, password: 'x', targetSessionAttrs: 'read-only' });
    });

    it('refuses one that does not, says what it is, and leaves no connection behind', async () => {
      const between = await proxy();
      const to = { ...address, hosts: [local(between.port)] };
      const standby = await failure({ ...to, targetSessionAttrs: 'standby' });
      assert.match(standby.message, /is the primary, but standby is required/);
      await failure({ ...to, targetSessionAttrs: 'read-only' });
      const readOnly = await failure({ ...to, user: reader, password: 'x', targetSessionAttrs: 'read-write' });
      assert.match(readOnly.message, /is the primary, read-only, but read-write is required/);
      await between.empty();
    });

    for (const [setting, state] of [
      ['statement_timeout', '57014'],
      ['lock_timeout', '55P03'],
    ] as const) {
      it(`says that the server is busy when the role’s ${setting} ends the question`, async () => {
        const name = `busy_${randomBytes(4).toString('hex')}`;
        const admin = await connect(address);
        await admin.query(`create database ${name}`);
        await admin.query(`create role ${name} login password 'x'`);
        await admin.query(`alter role ${name} set ${setting} = '20ms'`);
        const locker = await connectClient(address, name, limits);
        cleanups.push(async () => {
          await locker.end();
          await admin.query(`drop database ${name} with (force)`);
          await admin.query(`drop role ${name}`);
        });
        // Whoever looks up a function in this database waits from now on.
        await locker.query('begin; lock table pg_catalog.pg_proc in access exclusive mode');
        const to: PostgresAddress = { ...address, user: name, password: 'x', targetSessionAttrs: 'read-write' };
        const error = await failure(to, name);
        assert.equal(error.code, 'REGISTRY_BUSY', error.message);
        assert.match(error.message, new RegExp(`^\\S+ is busy \\(.*${state}\\)$`));
        assert.equal(error.details?.['sqlState'], state);
        assert.match(error.hint, new RegExp(setting));
        const starting = await fake(errorResponse('57P03', 'the database system is starting up'));
        const both = await failure({ ...to, hosts: [local(starting.port), real] }, name);
        assert.equal(both.code, 'REGISTRY_BUSY', both.message);
      });
    }

    it('prefers a standby and takes the primary when there is none', async () => {
      const between = await proxy();
      const ssl = { ...address.ssl, sslmode: 'disable' as const };
      await connect({ ...address, ssl, hosts: [local(between.port)], targetSessionAttrs: 'prefer-standby' });
      assert.equal(between.accepted(), 2);
    });
  });
});
