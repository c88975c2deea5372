import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { mountTinyDisk, type TinyDisk } from '../../support/tinyDisk.ts';
import { DaemonFixture, gone, isAlive, type CommandResult } from './daemonFixture.ts';

describe('around the daemon,', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  const errorOf = ({ json }: CommandResult): { code?: string; message?: string; hint?: string } =>
    (json?.['error'] as { code?: string; message?: string; hint?: string } | undefined) ?? {};
  const secret = { REGISTRAR_DATABASE_URL: 'postgresql://a:secret@localhost' };

  /** Somebody else has the socket; gives what the commands said and what that one heard. */
  const squat = async (name: string, answer: (socket: Socket, request: string) => void): Promise<[string, string]> => {
    const home = await fixture.home(name);
    let heard = '';
    const sockets = new Set<Socket>();
    const squatter = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.on('data', (bytes) => {
        heard += bytes.toString();
        answer(socket, bytes.toString());
      });
    }).listen(join(home, 'daemon.sock'));
    await once(squatter, 'listening');
    const refused = await fixture.run(home, ['sync'], secret);
    assert.equal(refused.status, 3);
    assert.equal(errorOf(refused).code, 'DAEMON_UNREACHABLE');
    squatter.close();
    for (const socket of sockets) socket.destroy();
    assert.match(heard, /registrar\/hello/);
    assert.doesNotMatch(heard, /secret|initialize/);
    assert.equal(await fixture.endpoint(home), null);
    return [String(errorOf(refused).message), heard];
  };

  it('who squats the socket is told nothing, whether silent, garbled or pretending', async () => {
    const pretend = (socket: Socket, request: string): void => {
      const id = /"id":(\d+)/.exec(request)?.[1] ?? '0';
      const reply = `{"jsonrpc":"2.0","id":${id},"result":{"nonce":"x","proof":"y","version":"1.0.0"}}`;
      socket.write(`Content-Length: ${reply.length}\r\n\r\n${reply}`);
    };
    const [[silent], [garbled], [halved], [pretending]] = await Promise.all([
      squat('silent', () => undefined),
      squat('garbled', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      squat('halved', (socket) => socket.write('Content-Length: 1000\r\n\r\n{')),
      squat('pretending', pretend),
    ]);
    assert.match(silent, /accepts connections at .* and sends nothing/);
    assert.match(halved, /accepts connections at .* and sends nothing/);
    assert.match(garbled, /is not Registrar's daemon: .*does not speak the protocol/);
    assert.match(pretending, /is not Registrar's daemon/);
  });

  it('the pid of somebody else in endpoint.json is believed by nobody', async () => {
    const home = await fixture.home('pid');
    const victim = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e9)'], { stdio: 'ignore' });
    const { pid = 0 } = victim;
    try {
      await fixture.run(home, ['serve']);
      const daemon = await fixture.pid(home);
      const before = await fixture.endpoint(home);
      await writeFile(join(home, 'endpoint.json'), JSON.stringify({ ...before, pid }));
      assert.equal((await fixture.run(home, ['status'])).json?.['pid'], daemon);
      // Whoever asks makes the daemon put it right.
      assert.deepEqual(await fixture.endpoint(home), before);
      await writeFile(join(home, 'endpoint.json'), JSON.stringify({ ...before, pid }));
      assert.deepEqual((await fixture.run(home, ['stop'])).json, { stopped: true });
      await gone(daemon);
      await writeFile(join(home, 'endpoint.json'), JSON.stringify({ ...before, pid }));
      assert.deepEqual((await fixture.run(home, ['stop'])).json, { stopped: false });
      await fixture.run(home, ['serve']);
      assert.notEqual(await fixture.pid(home), pid);
      assert.ok(isAlive(pid));
      await fixture.run(home, ['stop']);
    } finally {
      victim.kill('SIGKILL');
      await once(victim, 'exit');
    }
  });

  it('a state folder that others may write into, or that is another’s, is refused, and nothing is made in it', async () => {
    const home = await fixture.home('shared');
    const refuse = async (message: RegExp): Promise<void> => {
      for (const command of ['sync', 'serve', 'stop']) {
        const refused = await fixture.run(home, [command], secret);
        assert.equal(errorOf(refused).code, 'INVALID_ARGUMENT', refused.stdout);
        assert.match(String(errorOf(refused).message), message);
      }
      assert.deepEqual(await readdir(home), []);
    };
    await chmod(home, 0o770);
    await refuse(/^Others may write to the state folder/);
    await chmod(home, 0o700);
    if (process.getuid?.() !== 0) return;
    await chown(home, 12_345, 12_345);
    await refuse(/belongs to user 12345, not to you/);
    await chown(home, 0, 0);
  });

  describe('a disk', () => {
    let disk: TinyDisk | null = null;
    beforeEach(async function () {
      disk = await mountTinyDisk(2048, null);
      // Mounting takes root on Linux, and not every container allows it.
      if (!disk) this.skip();
    });
    afterEach(() => disk?.close());

    it('that nobody may write to is a clear error, at the start', async () => {
      await disk?.lock();
      const refused = await fixture.run(disk?.folder ?? '', ['sync'], secret);
      assert.equal(refused.status, 3, refused.stdout);
      assert.equal(errorOf(refused).code, 'DAEMON_UNREACHABLE');
      assert.match(String(errorOf(refused).message), /EROFS/);
      assert.match(String(errorOf(refused).hint), /writable/);
    });

    it('that is full is a clear error at the start, and no longer when there is room', async () => {
      const home = disk?.folder ?? '';
      await disk?.fill();
      const refused = await fixture.run(home, ['serve']);
      assert.equal(refused.status, 3, refused.stdout);
      assert.equal(errorOf(refused).code, 'DAEMON_UNREACHABLE');
      assert.match(String(errorOf(refused).message), /ENOSPC/);
      await disk?.free();
      assert.equal((await fixture.run(home, ['serve'])).status, 0);
      await fixture.run(home, ['stop']);
    });

    it('that fills up does not end a daemon that runs, nor keeps its successor from starting', async () => {
      const home = disk?.folder ?? '';
      const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
      const directory = await fixture.workspace('full');
      await fixture.run(home, ['resolve', '--directory', directory], environment);
      const pid = await fixture.pid(home);
      await disk?.fill();
      assert.equal((await fixture.run(home, ['resolve', '--directory', directory], environment)).status, 0);
      assert.equal((await fixture.run(home, ['status'])).json?.['pid'], pid);
      process.kill(pid, 'SIGKILL');
      await gone(pid);
      const next = await fixture.run(home, ['resolve', '--directory', directory], environment);
      assert.equal(next.status, 0, next.stdout);
      assert.notEqual((await fixture.run(home, ['status'])).json?.['pid'], pid);
      await fixture.run(home, ['stop']);
      await disk?.free();
    });
  });
});
