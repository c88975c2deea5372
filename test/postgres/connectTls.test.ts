import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, copyFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { PostgresAddress } from '../../daemon/postgres/address/address.ts';
import type { SslSettings } from '../../daemon/postgres/address/addressParts.ts';
import { connectClient } from '../../daemon/postgres/connection/connect.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';
import { errorResponse, startFakePostgres } from '../support/fakePostgres.ts';
import { addressOf, serverAddress } from '../support/serverAddress.ts';
import { makeCertificates, startTlsFront } from '../support/tlsFront.ts';
import type { Certificates, TlsFront } from '../support/tlsFront.ts';

/** A machine may stall for seconds. */
const timeoutMs = 30_000;

describe("E1: sslmode has libpq's meaning", () => {
  let address: PostgresAddress;
  let certificates: Certificates;
  let folder: string;
  let front: TlsFront;

  before(async function () {
    folder = await mkdtemp(path.join(os.tmpdir(), 'registrar-tls-'));
    const made = await makeCertificates(folder);
    if (!made) {
      console.warn('      skipped: there is no openssl here to make certificates with');
      this.skip();
    }
    certificates = made;
    address = await serverAddress();
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    await front.close();
  });

  async function startFront(plain: 'forward' | Buffer = 'forward'): Promise<void> {
    front = await startTlsFront(address.hosts[0] ?? assert.fail(), certificates, plain);
  }

  /** What the server saw of the attempts; throws what the connection threw. */
  async function begin(ssl: Partial<SslSettings>, host = 'localhost'): Promise<string[]> {
    const hosts = [{ host, hostaddr: '127.0.0.1', port: front.port }];
    const defaults = { ...address.ssl, defaultsFolder: path.join(folder, 'nothing') };
    const client = await connectClient({ ...address, hosts, ssl: { ...defaults, ...ssl } }, 'postgres', {
      timeoutMs,
    });
    await client.query('select 1');
    await client.end();
    return front.begun;
  }

  async function refusal(ssl: Partial<SslSettings>, host?: string): Promise<RegistrarError> {
    try {
      await begin(ssl, host);
    } catch (error) {
      assert.ok(error instanceof RegistrarError, String(error));
      return error;
    }
    return assert.fail('the connection was made');
  }

  it('disable never asks for TLS', async () => {
    await startFront();
    assert.deepEqual(await begin({ sslmode: 'disable' }), ['plain']);
  });

  it('allow begins without TLS and takes it where the server insists', async () => {
    await startFront();
    assert.deepEqual(await begin({ sslmode: 'allow' }), ['plain']);
    await front.close();
    await startFront(errorResponse('28000', 'no pg_hba.conf entry for host "127.0.0.1", no encryption'));
    assert.deepEqual(await begin({ sslmode: 'allow' }), ['plain', 'tls']);
  });

  it('prefer takes TLS where there is some, unverified', async () => {
    await startFront();
    assert.deepEqual(await begin({ sslmode: 'prefer' }), ['tls']);
  });

  it('prefer goes on without TLS where the handshake fails', async () => {
    await startFront();
    const onlyOld = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
    assert.deepEqual(await begin({ sslmode: 'prefer', ...onlyOld }), ['tls', 'plain']);
  });

  it('prefer tries without TLS where the server has none, require does not', async () => {
    await startFront();
    const server = await startFakePostgres(errorResponse('57P03', 'starting up'));
    try {
      const url = `postgres://u:p@127.0.0.1:${String(server.port)}`;
      await assert.rejects(connectClient(addressOf(url), 'd', { timeoutMs }), /starting up/);
      assert.deepEqual(
        server.startups.map((startup) => startup['tls'] ?? 'plain'),
        ['requested', 'plain'],
      );
      const required = connectClient(addressOf(`${url}?sslmode=require`), 'd', { timeoutMs });
      await assert.rejects(required, /offers no TLS/);
      assert.equal(server.startups.length, 3);
    } finally {
      await server.close();
    }
  });

  it('require takes any certificate, and none but the named authority once one is named', async () => {
    await startFront();
    assert.deepEqual(await begin({ sslmode: 'require' }), ['tls']);
    await begin({ sslmode: 'require', sslrootcert: certificates.ca });
    const other = path.join(folder, 'other');
    await mkdir(other);
    const stranger = await makeCertificates(other);
    const error = await refusal({ sslmode: 'require', sslrootcert: stranger?.ca ?? assert.fail() });
    assert.equal(error.code, 'REGISTRY_UNREACHABLE');
    assert.match(error.message, /TLS failed/);
    assert.match(error.hint, /sslrootcert/);
  });

  it('verify-ca checks who signed the certificate, not its name', async () => {
    await startFront();
    await begin({ sslmode: 'verify-ca', sslrootcert: certificates.ca }, 'other.name');
  });

  it('verify-full checks the name as well, that of the address even where hostaddr is dialled', async () => {
    await startFront();
    await begin({ sslmode: 'verify-full', sslrootcert: certificates.ca }, 'localhost');
    const error = await refusal({ sslmode: 'verify-full', sslrootcert: certificates.ca }, 'other.name');
    assert.match(error.message, /TLS failed.*other\.name/);
    assert.match((await refusal({ sslmode: 'verify-full', sslrootcert: 'system' })).message, /TLS failed/);
  });

  it("finds the authority in libpq's default place, and without one refuses to verify", async () => {
    await startFront();
    const error = await refusal({ sslmode: 'verify-full' });
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.deepEqual(front.begun, []);
    await copyFile(certificates.ca, path.join(folder, 'root.crt'));
    await begin({ sslmode: 'verify-full', defaultsFolder: folder });
  });

  it('names a TLS file that cannot be read', async () => {
    await startFront();
    const error = await refusal({ sslmode: 'require', sslcert: '/no/such/file' });
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.match(error.message, /sslcert file \/no\/such\/file cannot be read \(ENOENT\)/);
  });
});
