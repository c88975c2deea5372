import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from 'pg';
import type { PostgresAddress } from '../../daemon/postgres/address/address.ts';
import { cancelRequest } from '../../daemon/postgres/connection/cancelRequest.ts';
import { connectClient } from '../../daemon/postgres/connection/connect.ts';
import { serverAddress } from '../support/serverAddress.ts';
import { startTcpProxy } from '../support/tcpProxy.ts';
import { makeCertificates, startTlsFront } from '../support/tlsFront.ts';

describe('a request to cancel', function () {
  this.timeout(60_000);

  /** Runs a statement without an end and cancels it as soon as the server has it. */
  async function assertCancelled(address: PostgresAddress): Promise<void> {
    const limits = { timeoutMs: 10_000 };
    const client = await connectClient(address, 'postgres', limits);
    const watcher = await connectClient(address, 'postgres', limits);
    try {
      const { processID } = client as Client & { processID?: number };
      const asked = client.query('select pg_sleep(1e9)');
      const ended = assert.rejects(asked, { code: '57014' });
      const isRunning = async (): Promise<boolean> => {
        const sql = `select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`;
        return (await watcher.query(sql, [processID])).rowCount === 1;
      };
      while (!(await isRunning()));
      await cancelRequest(client);
      await ended;
    } finally {
      await client.end();
      await watcher.end();
    }
  }

  it('reaches the server', async () => {
    await assertCancelled(await serverAddress());
  });

  it('is encrypted where the connection is', async function () {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-tls-'));
    try {
      const certificates = await makeCertificates(folder);
      if (!certificates) {
        console.warn('      skipped: there is no openssl here to make certificates with');
        this.skip();
      }
      const address = await serverAddress();
      const front = await startTlsFront(address.hosts[0] ?? assert.fail(), certificates, Buffer.from('N'));
      try {
        const hosts = [{ host: 'localhost', hostaddr: '127.0.0.1', port: front.port }];
        const ssl = { ...address.ssl, sslmode: 'verify-full' as const, sslrootcert: certificates.ca };
        await assertCancelled({ ...address, hosts, ssl });
        assert.deepEqual(front.begun, ['tls', 'tls', 'tls']);
      } finally {
        await front.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('gives up where nobody listens any more, or nobody answers', async () => {
    const direct = await serverAddress();
    const proxy = await startTcpProxy(direct.hosts[0] ?? assert.fail());
    try {
      const hosts = [{ host: '127.0.0.1', port: proxy.port }];
      const ssl = { ...direct.ssl, sslmode: 'disable' as const };
      const client = await connectClient({ ...direct, hosts, ssl }, 'postgres', { timeoutMs: 10_000 });
      proxy.pause();
      await cancelRequest(client);
      proxy.refuse();
      await cancelRequest(client);
    } finally {
      await proxy.close();
    }
  });
});
