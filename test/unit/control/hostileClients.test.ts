import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { dialDaemon, type DaemonConnection } from '../../../daemon/client/dialDaemon.ts';
import { SocketReader } from '../../../daemon/wire/socketReader.ts';
import { wire, type Snapshot } from '../../../daemon/protocol/control.ts';
import { resolved, shop } from '../cli/fakeCli.ts';
import { ControlFixture, frame } from './controlFixture.ts';

describe('what a client sends, or does not read,', () => {
  const fixture = new ControlFixture();
  let good: DaemonConnection;

  beforeEach(async () => {
    await fixture.open();
    await fixture.serve({ showProject: async () => ({ ...shop, description: 'x'.repeat(1024 * 1024) }) });
    const dialled = await dialDaemon(fixture.dialOptions());
    assert.equal(dialled.kind, 'attached');
    good = dialled.connection;
  });
  afterEach(() => fixture.close());

  const open = (): Socket => connect(fixture.pipe).on('error', () => undefined);

  /** Sends bytes, waits to be sent away, and looks whether somebody else is still served. */
  const endsAlone = async (...writes: (Buffer | string)[]): Promise<void> => {
    const socket = open().resume();
    const closed = once(socket, 'close');
    for (const bytes of writes) socket.write(bytes);
    await closed;
    assert.deepEqual(await good.request('resolve', {}), resolved);
  };

  const headers = {
    'claims terabytes': 'Content-Length: 1000000000000\r\n\r\n',
    'claims one byte more than is allowed': `Content-Length: ${16 * 1024 * 1024 + 1}\r\n\r\n`,
    'claims more than a number holds': `Content-Length: ${'9'.repeat(400)}\r\n\r\n`,
    'claims less than nothing': 'Content-Length: -1\r\n\r\n',
    'claims nothing': 'Content-Length: 0\r\n\r\n',
    'claims a word': 'Content-Length: many\r\n\r\n',
    'has no length': 'Length: 5\r\n\r\nhello',
    'is empty': '\r\n\r\n',
    'never ends': `Content-Length: 5\r\n${'x'.repeat(5000)}`,
    'never ends, in many lines': 'X-Filler: x\r\n'.repeat(500),
  };
  for (const [what, header] of Object.entries(headers)) {
    it(`ends that client when a header ${what}`, () => endsAlone(header));
  }

  for (const content of [
    '{',
    '{}',
    '5',
    'null',
    '[]',
    '"x"',
    '{"id":1}',
    '{"id":null,"method":"registrar/ping"}',
    '\0',
  ]) {
    it(`ends that client when a message is ${JSON.stringify(content)}`, () =>
      endsAlone(`Content-Length: ${content.length}\r\n\r\n${content}`));
  }

  it('ends that client when it cancels nothing in particular', () =>
    endsAlone(frame({ jsonrpc: '2.0', method: '$/cancelRequest' })));

  it('ends that client when it is garbage of any kind, however the system cuts it', async () => {
    const garbage = fc.uint8Array({ minLength: 1, maxLength: 6000 });
    await fc.assert(
      fc.asyncProperty(garbage, garbage, (one, other) =>
        // A filler ends what a random text may have begun.
        endsAlone(Buffer.from(one), Buffer.from(other), Buffer.alloc(5000, 'x')),
      ),
      { numRuns: 30 },
    );
  });

  it('leaves no timer behind when it ends in the middle of a message', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    // The test's own limit is set in the meantime.
    await turn();
    const before = timers();
    for (const half of ['Content-Le', 'Content-Length: 100\r\n\r\n', 'Content-Length: 100\r\n\r\n{"jsonrpc"']) {
      const socket = open();
      socket.end(half);
      await fixture.untilOnly(1);
    }
    assert.equal(timers(), before);
  });

  it('is understood wherever the system cuts it', async () => {
    const socket = open();
    const reply = once(socket, 'data');
    for (const byte of frame({ jsonrpc: '2.0', id: 1, method: wire.ping })) {
      socket.write(Buffer.of(byte));
      await turn();
    }
    assert.match(String((await reply)[0]), /"result":null/);
    socket.destroy();
  });

  it('waits in the system, not in this process, when it is more than can be handled', async () => {
    const message = frame({ jsonrpc: '2.0', method: 'x' });
    const count = 20_000;
    let [waiting, most, seen] = [0, 0, 0];
    let onAll = (): void => undefined;
    const all = new Promise<void>((resolve) => (onAll = resolve));
    await fixture.end();
    await fixture.listen((socket) => {
      // Takes one in a turn, as the library does.
      const take = (): void => {
        waiting -= 1;
        seen += 1;
        if (waiting > 0) setImmediate(take);
        if (seen === count) onAll();
      };
      new SocketReader(socket).listen(() => {
        waiting += 1;
        most = Math.max(most, waiting);
        if (waiting === 1) setImmediate(take);
      });
    });
    const socket = open();
    socket.write(Buffer.concat(Array.from({ length: count }, () => message)));
    await all;
    // What one read gives.
    assert.ok(most <= 65_536 / message.length + 2, `${most} at once`);
    socket.destroy();
  });

  it('ends that client when it asks on and on and reads no answers', async () => {
    const { socket } = await fixture.rawClient('command');
    // Until the reader has rested from the last answer.
    await turn();
    await turn();
    socket.pause();
    for (let id = 100; id < 150; id += 1) {
      socket.write(frame({ jsonrpc: '2.0', id, method: wire.method('showProject'), params: { project: 'shop' } }));
    }
    await fixture.untilOnly(1);
    assert.deepEqual(await good.request('resolve', {}), resolved);
    socket.destroy();
  });

  it('is one snapshot at most, and the latest as soon as a window reads again', async () => {
    const { socket, rpc } = await fixture.rawClient('window');
    const seen: number[] = [];
    let onLatest = (): void => undefined;
    const latest = new Promise<void>((resolve) => (onLatest = resolve));
    rpc.onRequest(wire.snapshot, ({ revision }: Snapshot) => {
      seen.push(revision);
      if (revision === 3000) onLatest();
      return null;
    });
    await turn();
    await turn();
    socket.pause();
    for (let change = 0; change < 3000; change += 1) {
      fixture.control?.changed();
      if (change % 100 === 0) assert.deepEqual(await good.request('resolve', {}), resolved);
    }
    assert.ok(fixture.snapshots <= 2, `${fixture.snapshots} snapshots`);
    socket.resume();
    await latest;
    assert.ok(seen.length <= 3, seen.join());
    socket.destroy();
  });

  it('does not hinder a window that reads from getting the latest', async () => {
    const stuck = await fixture.rawClient('window');
    stuck.socket.pause();
    let onLatest = (): void => undefined;
    const latest = new Promise<void>((resolve) => (onLatest = resolve));
    const folders = [{ path: '/home/a/shop', trusted: true }];
    const seen: Snapshot[] = [];
    await dialDaemon({
      ...fixture.dialOptions({ client: { ...fixture.dialOptions().client, kind: 'window', folders } }),
      onSnapshot: (snapshot) => {
        seen.push(snapshot);
        if (snapshot.revision === 1000) onLatest();
      },
    });
    for (let change = 0; change < 1000; change += 1) fixture.control?.changed();
    await latest;
    assert.ok(seen.length < 10, `${seen.length} snapshots`);
    assert.deepEqual(seen.at(-1)?.folders, [{ ...folders[0], resolution: null, database: null }]);
    stuck.socket.destroy();
  });
});
