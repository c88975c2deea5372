import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import type { PostgresAddress } from '../../daemon/postgres/address/address.ts';
import { borrowClient, closePool, createPool, runQuery } from '../../daemon/postgres/connection/pool.ts';
import { isConnectionLoss, isRetryable, sqlState } from '../../daemon/postgres/connection/sqlErrors.ts';
import { inTransaction } from '../../daemon/postgres/connection/transaction.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { serverAddress } from '../support/serverAddress.ts';
import { startTcpProxy } from '../support/tcpProxy.ts';
import type { TcpProxy } from '../support/tcpProxy.ts';

/** Of what is to succeed: a machine may stall for seconds. */
const limitMs = 30_000;

/** Unlike `once` of node:events it lets an `error` event pass, which is what these tests are about. */
function emitted(emitter: EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => {
      resolve();
    });
  });
}

describe('a pool of connections', () => {
  let proxy: TcpProxy;
  let address: PostgresAddress;
  let pools: Pool[] = [];

  before(async () => {
    const direct = await serverAddress();
    proxy = await startTcpProxy(direct.hosts[0] ?? assert.fail());
    const ssl = { ...direct.ssl, sslmode: 'disable' as const };
    address = { ...direct, ssl, hosts: [{ host: '127.0.0.1', port: proxy.port }] };
  });

  afterEach(async () => {
    proxy.resume();
    await Promise.all(pools.map((pool) => pool.end()));
    pools = [];
    await proxy.empty();
  });

  after(async () => {
    await proxy.close();
  });

  function open(limits: Partial<Parameters<typeof createPool>[2]> = {}): Pool {
    const pool = createPool(address, 'postgres', { max: 3, idleMs: 60_000, connectMs: limitMs, ...limits });
    pools.push(pool);
    return pool;
  }

  async function backend(pool: Pool): Promise<unknown> {
    const [row] = await runQuery(pool, { text: 'select pg_backend_pid() as pid' }, limitMs);
    return row?.['pid'];
  }

  async function failure(work: Promise<unknown>): Promise<RegistrarError> {
    try {
      await work;
    } catch (error) {
      assert.ok(error instanceof RegistrarError, String(error));
      // Busy where another connection was answered meanwhile, which the short limits here leave open.
      assert.match(error.code, /^REGISTRY_(?:UNREACHABLE|BUSY)$/);
      assert.ok(isConnectionLoss(error));
      return error;
    }
    return assert.fail('nothing failed');
  }

  it('E3: dials nothing before it is used, and no more than its maximum however many ask at once', async () => {
    const before = proxy.accepted();
    const pool = open({ max: 3 });
    assert.equal(proxy.accepted(), before);
    const query = { name: 'echo', text: 'select $1::int as n', values: [7] };
    const answers = await Promise.all(Array.from({ length: 30 }, () => runQuery(pool, query, limitMs)));
    assert.deepEqual(new Set(answers.map((rows) => rows[0]?.['n'])), new Set([7]));
    assert.equal(proxy.accepted() - before, 3);
  });

  it('E3: closes connections that nobody uses', async () => {
    const pool = open({ idleMs: 20 });
    await backend(pool);
    await emitted(pool, 'remove');
    assert.equal(pool.totalCount, 0);
    await proxy.empty();
  });

  it('outlives the death of an idle connection and opens another', async () => {
    const pool = open();
    const first = await backend(pool);
    const removed = emitted(pool, 'remove');
    proxy.cut();
    await removed;
    assert.notEqual(await backend(pool), first);
  });

  it('outlives the death of a connection that is lent out', async () => {
    const pool = open();
    const client = await borrowClient(pool, limitMs);
    const ended = emitted(client, 'end');
    proxy.cut();
    await ended;
    client.release(true);
    await backend(pool);
  });

  it('reports a connection that breaks under a statement as REGISTRY_UNREACHABLE', async () => {
    const pool = open();
    const admin = open();
    const client = await borrowClient(pool, limitMs);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    client.release();
    const sleeping = failure(runQuery(pool, { text: 'select pg_sleep(60)' }, 60_000));
    await runQuery(admin, { text: 'select pg_terminate_backend($1)', values: [rows[0]?.pid] }, limitMs);
    const error = await sleeping;
    assert.equal(error.details?.['reason'], 'connection lost');
    assert.equal(pool.totalCount, 0);
  });

  it('destroys the connection of a statement that takes too long and says timeout', async () => {
    const pool = open({ max: 1 });
    const first = await backend(pool);
    const error = await failure(runQuery(pool, { text: 'select pg_sleep(30)' }, 100));
    assert.equal(error.details?.['reason'], 'timeout');
    assert.notEqual(await backend(pool), first);
    assert.equal(pool.totalCount, 1);
  });

  it('does not hang where the network drops packets, and recovers by itself', async () => {
    const pool = open();
    await backend(pool);
    // One that cannot connect again within its limit is not the one to recover.
    const hasty = open({ connectMs: 200 });
    proxy.pause();
    for (const each of [pool, hasty]) {
      const errors = await Promise.all(
        Array.from({ length: 5 }, () => failure(runQuery(each, { text: 'select 1' }, 300))),
      );
      assert.ok(errors.some((error) => error.details?.['reason'] === 'timeout'));
    }
    proxy.resume();
    await backend(pool);
  });

  it('loses no second limit to idle connections that went silent together with the first', async () => {
    const pool = open();
    const clients = await Promise.all([1, 2, 3].map(() => borrowClient(pool, limitMs)));
    for (const client of clients) client.release();
    assert.equal(pool.idleCount, 3);
    proxy.strand();
    const error = await failure(runQuery(pool, { text: 'select 1' }, 200));
    assert.equal(error.details?.['reason'], 'timeout');
    assert.equal(pool.idleCount, 0);
    await backend(pool);
  });

  it('drops idle connections also when a transaction fell silent', async () => {
    const pool = open();
    const clients = await Promise.all([1, 2].map(() => borrowClient(pool, limitMs)));
    for (const client of clients) client.release();
    proxy.strand();
    await failure(inTransaction(pool, 200, (execute) => execute('select 1')));
    assert.equal(pool.idleCount, 0);
    await backend(pool);
  });

  it('cuts what still runs when it is closed and patience is over', async () => {
    const pool = createPool(address, 'postgres', { max: 2, idleMs: 60_000, connectMs: limitMs });
    const running = failure(runQuery(pool, { text: 'select pg_sleep(60)' }, 60_000));
    await proxy.nextConnection();
    await closePool(pool, 100);
    assert.equal((await running).details?.['reason'], 'connection lost');
    await assert.rejects(runQuery(pool, { text: 'select 1' }, limitMs), { code: 'DAEMON_UNREACHABLE' });
  });

  it('closes its connections when it ends, although the server never confirms', async () => {
    const pool = createPool(address, 'postgres', { max: 1, idleMs: 60_000, connectMs: limitMs });
    const client = await borrowClient(pool, limitMs);
    client.release();
    proxy.pause();
    const ended = emitted(client, 'end');
    await pool.end();
    await ended;
  });

  it('keeps the connection after an error of the statement, which is thrown as the server sent it', async () => {
    const pool = open({ max: 1 });
    const first = await backend(pool);
    await assert.rejects(runQuery(pool, { text: 'select * from no_such_table' }, limitMs), (error) => {
      assert.equal(sqlState(error), '42P01');
      return true;
    });
    assert.equal(await backend(pool), first);
  });

  it('does not lend out a connection that was left inside a transaction', async () => {
    const pool = open({ max: 1 });
    const first = await backend(pool);
    await runQuery(pool, { text: 'begin' }, limitMs);
    assert.notEqual(await backend(pool), first);
  });

  it('loses no connection to a borrower who gave up waiting', async () => {
    const pool = open({ max: 1 });
    const held = await borrowClient(pool, limitMs);
    const error = await failure(runQuery(pool, { text: 'select 1' }, 50));
    assert.equal(error.details?.['reason'], 'timeout');
    held.release();
    await backend(pool);
    // Beside the pool's, the one that asked whether the server is there says goodbye.
    while (proxy.connections() > 1) await new Promise(setImmediate);
    assert.equal(pool.totalCount, 1);
  });
});

describe('the table of states that pass', () => {
  it('holds what time alone can cure and not what needs a person', () => {
    for (const code of ['40001', '40P01', '53100', '53300', '55006', '57P01', '08006', '25006', '57014']) {
      assert.equal(isRetryable(code), true, code);
    }
    for (const code of ['23505', '23514', '42501', '42P01', '3D000', '28P01', '42601', 'P0001']) {
      assert.equal(isRetryable(code), false, code);
    }
  });

  it("does not take Node's five-letter codes for the server's", () => {
    assert.equal(sqlState(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })), null);
    assert.equal(sqlState(Object.assign(new Error('server'), { code: '53100', severity: 'ERROR' })), '53100');
    assert.equal(sqlState('text'), null);
  });
});
