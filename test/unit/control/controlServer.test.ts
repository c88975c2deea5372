import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { dialDaemon, NoAnswer, type DaemonConnection, type DialOptions } from '../../../daemon/client/dialDaemon.ts';
import type { Snapshot } from '../../../daemon/protocol/control.ts';
import { emptySync, resolved } from '../cli/fakeCli.ts';
import { ControlFixture } from './controlFixture.ts';

describe('the control protocol', () => {
  const fixture = new ControlFixture();
  beforeEach(() => fixture.open());
  afterEach(() => fixture.close());

  const attach = async (changes: Partial<DialOptions> = {}): Promise<DaemonConnection> => {
    const dialled = await dialDaemon(fixture.dialOptions(changes));
    assert.equal(dialled.kind, 'attached');
    return dialled.connection;
  };

  it('answers what handlers answer, and carries their refusals whole', async () => {
    await fixture.serve();
    const connection = await attach();
    assert.deepEqual(await connection.request('resolve', { directory: '/x' }), resolved);
    await assert.rejects(connection.request('forgetProject', { project: 'x' }), {
      code: 'PROJECT_NOT_FOUND',
      hint: 'List them.',
    });
    connection.close();
  });

  it('refuses malformed parameters before any handler sees them', async () => {
    let asked = 0;
    await fixture.serve({
      showProject: () => {
        asked += 1;
        throw new Error('never');
      },
    });
    const connection = await attach();
    await assert.rejects(connection.request('showProject', { project: 5 as unknown as string }), {
      code: 'INVALID_ARGUMENT',
    });
    assert.equal(asked, 0);
    assert.deepEqual(await connection.request('syncStatus', undefined), emptySync);
  });

  it('says nothing to a daemon that does not know the token, and serves no client that does not', async () => {
    await fixture.serve({}, '1.0.0', 'cd'.repeat(32));
    const dialled = await dialDaemon(fixture.dialOptions());
    assert.equal(dialled.kind, 'stranger');
    assert.equal(fixture.control?.clients().length, 0);
  });

  it('does not serve who skips the proof', async () => {
    await fixture.serve();
    const socket = connect(fixture.pipe);
    const reply = await ask(socket, frame({ jsonrpc: '2.0', id: 1, method: 'registrar/resolve', params: {} }));
    assert.match(reply, /"code":-32052/);
    const bare = await ask(socket, frame({ jsonrpc: '2.0', id: 2, method: 'registrar/initialize', params: {} }));
    assert.match(bare, /"error"/);
    assert.equal(fixture.control?.clients().length, 0);
    socket.destroy();
  });

  it('ends a client that sends an enormous message, and nobody else', async () => {
    await fixture.serve();
    const good = await attach();
    const socket = connect(fixture.pipe);
    socket.on('error', () => undefined).write(`Content-Length: ${17 * 1024 * 1024}\r\n\r\n`);
    await once(socket, 'close');
    assert.deepEqual(await good.request('resolve', {}), resolved);
  });

  it('ends a client whose bytes are no messages, and nobody else', async () => {
    await fixture.serve();
    const good = await attach();
    const garbage = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 6000 }).map((bytes) => Buffer.concat([bytes, Buffer.alloc(5000, 'x')])),
      fc.string().map((text) => Buffer.from(`Content-Length: ${Buffer.byteLength(`{${text}`)}\r\n\r\n{${text}`)),
      fc
        .constantFrom('Content-Length: -1\r\n\r\n', 'Content-Length: 0\r\n\r\n', 'Length: 5\r\n\r\nhello')
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const socket = connect(fixture.pipe);
        socket.on('error', () => undefined).resume();
        socket.write(bytes);
        socket.write(frame(5));
        await once(socket, 'close');
        assert.deepEqual(await good.request('resolve', {}), resolved);
      }),
      { numRuns: 60 },
    );
  });

  it('finds messages wherever the system cuts them', async () => {
    await fixture.serve();
    const socket = connect(fixture.pipe);
    const message = frame({ jsonrpc: '2.0', id: 1, method: 'registrar/ping' });
    const reply = once(socket, 'data');
    for (const byte of message) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(String((await reply)[0]), /"result":null/);
    socket.destroy();
  });

  it('sends a window the latest state, not every one', async () => {
    const control = await fixture.serve();
    const seen: Snapshot[] = [];
    let onLatest = (): void => undefined;
    const latest = new Promise<void>((resolve) => (onLatest = resolve));
    const folders = [{ path: '/home/a/shop', trusted: true }];
    const connection = await attach({
      client: { ...fixture.dialOptions().client, kind: 'window', folders },
      onSnapshot: (snapshot) => {
        seen.push(snapshot);
        if (snapshot.revision === 1000) onLatest();
      },
    });
    for (let change = 0; change < 1000; change += 1) control.changed();
    await latest;
    assert.ok(seen.length < 10, `${seen.length} snapshots`);
    assert.ok(fixture.snapshots < 10);
    assert.deepEqual(seen.at(-1)?.folders, [{ ...folders[0], resolution: null, database: null }]);
    connection.close();
  });

  it('finishes what runs when it drains, and refuses the new', async () => {
    let finish = (): void => undefined;
    const begun = new Promise<void>((onBegun) => {
      void fixture.serve({
        resolve: () =>
          new Promise((resolve) => {
            finish = () => {
              resolve(resolved);
            };
            onBegun();
          }),
      });
    });
    const connection = await attach();
    const running = connection.request('resolve', {});
    await begun;
    const drained = fixture.control?.drain(10_000);
    await assert.rejects(connection.request('syncStatus', undefined), (error) => {
      return error instanceof NoAnswer && error.kind === 'draining';
    });
    assert.equal((await dialDaemon(fixture.dialOptions())).kind, 'draining');
    finish();
    assert.deepEqual(await running, resolved);
    await drained;
  });

  it('gives up waiting for what never ends', async () => {
    let onBegun = (): void => undefined;
    const begun = new Promise<void>((resolve) => (onBegun = resolve));
    await fixture.serve({
      resolve: () => {
        onBegun();
        return new Promise(() => undefined);
      },
    });
    const connection = await attach();
    const answer = assert.rejects(connection.request('resolve', {}), NoAnswer);
    await begun;
    await fixture.control?.drain(20);
    fixture.control?.close();
    await fixture.end();
    await answer;
  });

  it('says that a daemon which accepts and says nothing is silent', async () => {
    await fixture.listen(() => undefined);
    const limits = { handshakeMs: 50, silenceMs: 50 };
    assert.equal((await dialDaemon(fixture.dialOptions({ limits }))).kind, 'silent');
  });

  it('tells a daemon that is busy with a request from one that is suspended', async () => {
    let isAnswering = true;
    let finish = (): void => undefined;
    await fixture.serve({
      resolve: () =>
        new Promise((resolve) => {
          finish = () => {
            resolve(resolved);
          };
        }),
    });
    const connection = await attach({ limits: { handshakeMs: 30_000, silenceMs: 2000 } });
    setTimeout(() => {
      isAnswering = false;
      finish();
      // After one sign of life was asked for and the time for it is over.
    }, 5000);
    assert.deepEqual(await connection.request('resolve', {}), resolved);
    assert.equal(isAnswering, false);
  });
});

function frame(message: unknown): Buffer {
  const text = JSON.stringify(message);
  return Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

async function ask(socket: ReturnType<typeof connect>, message: Buffer): Promise<string> {
  const reply = once(socket, 'data');
  socket.write(message);
  return String((await reply)[0]);
}
