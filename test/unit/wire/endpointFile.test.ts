import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { keptToken, readEndpoint, writeEndpoint } from '../../../daemon/wire/endpointFile.ts';
import { pipePath } from '../../../daemon/wire/pipePath.ts';
import type { Endpoint } from '../../../daemon/protocol/control.ts';

const endpoint: Endpoint = {
  url: null,
  pid: 4711,
  started: '2026-11-03T09:00:00.000Z',
  version: '0.1.0',
  protocol: 1,
  token: 'ab'.repeat(32),
  pipe: '/home/a/.local/state/project-registrar/daemon.sock',
};

describe('endpoint.json', () => {
  let folder = '';
  let path = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-endpoint-'));
    path = join(folder, 'endpoint.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is read as it was written, by its user only, and its token is kept', async () => {
    await writeEndpoint(path, endpoint);
    assert.deepEqual(await readEndpoint(path), endpoint);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await keptToken(path), endpoint.token);
  });

  it('is written again only when it says something else', async () => {
    await writeEndpoint(path, endpoint);
    const { ino } = await stat(path);
    await writeEndpoint(path, { ...endpoint });
    assert.equal((await stat(path)).ino, ino);
    await writeEndpoint(path, { ...endpoint, pid: 4712 });
    assert.equal((await readEndpoint(path))?.pid, 4712);
  });

  it('counts for nothing when it is missing, garbage or open to others, and gets another token', async () => {
    assert.equal(await readEndpoint(path), null);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.json(), fc.constant(JSON.stringify({ ...endpoint, token: 'x' }))),
        async (text) => {
          await writeFile(path, text, { mode: 0o600 });
          assert.equal(await readEndpoint(path), null);
        },
      ),
      { numRuns: 50 },
    );
    await writeFile(path, 'x'.repeat(100_000));
    assert.equal(await readEndpoint(path), null);
    await rm(path);
    await writeEndpoint(path, endpoint);
    await chmod(path, 0o644);
    assert.equal(await readEndpoint(path), null);
    assert.notEqual(await keptToken(path), endpoint.token);
    assert.match(await keptToken(path), /^[0-9a-f]{64}$/);
  });
});

describe('the daemon’s path', () => {
  it('is in the state folder while it fits, else in a private folder of the user', () => {
    assert.deepEqual(pipePath('/home/a/state', 'linux', 1000), {
      path: '/home/a/state/daemon.sock',
      runtimeFolder: null,
    });
    const long = pipePath(`/home/${'é'.repeat(40)}`, 'linux', 1000);
    assert.equal(long.runtimeFolder, '/tmp/project-registrar-1000');
    assert.match(long.path, /^\/tmp\/project-registrar-1000\/[0-9a-f]{32}\.sock$/);
    assert.notEqual(long.path, pipePath(`/home/${'é'.repeat(41)}`, 'linux', 1000).path);
  });

  it('never comes near the limit of the systems', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 300 }), (name) => {
        const { path } = pipePath(`/${name.replaceAll('\0', '')}`, 'darwin', 501);
        assert.ok(Buffer.byteLength(`${path}.01234567`) <= 100, path);
      }),
    );
  });

  it('is a named pipe on Windows', () => {
    assert.match(
      pipePath(String.raw`C:\Users\a`, 'win32', null).path,
      /^\\\\\.\\pipe\\project-registrar-[0-9a-f]{32}$/,
    );
  });
});
