import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dialDaemon, NoAnswer, type DaemonConnection, type DialOptions } from '../../../daemon/client/dialDaemon.ts';
import { maxMessageBytes } from '../../../daemon/protocol/control.ts';
import { emptySync, resolved, shop } from '../cli/fakeCli.ts';
import { ControlFixture, frame } from './controlFixture.ts';

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
    fixture.control?.leave({ hasSuccessor: false });
    const quiet = fixture.calls.quiet(60_000);
    await assert.rejects(connection.request('syncStatus', undefined), (error) => {
      return error instanceof NoAnswer && error.kind === 'draining';
    });
    assert.equal((await dialDaemon(fixture.dialOptions())).kind, 'draining');
    finish();
    assert.deepEqual(await running, resolved);
    await quiet;
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
    fixture.control?.leave({ hasSuccessor: false });
    await fixture.calls.quiet(20);
    fixture.control?.close();
    await fixture.end();
    await answer;
  });

  it('sends everyone away, also who leaves in the same moment', async () => {
    const control = await fixture.serve();
    const connection = await attach();
    await attach();
    control.close();
    connection.close();
    await fixture.untilOnly(0);
    assert.deepEqual(control.clients(), []);
  });

  it('tells progress to who asked, and to nobody when that one has gone', async () => {
    let progress: (message: string) => void = () => undefined;
    const heard: string[] = [];
    await fixture.serve({
      resolve: async (_params, caller) => {
        progress = caller.progress;
        progress('half');
        return resolved;
      },
    });
    const connection = await attach({ onProgress: (message) => heard.push(message) });
    await connection.request('resolve', {});
    assert.deepEqual(heard, ['half']);
    connection.close();
    await fixture.untilOnly(0);
    progress('done');
  });

  it('says that an answer is too long, and goes on', async () => {
    await fixture.serve({ showProject: async () => ({ ...shop, description: 'x'.repeat(17 * 1024 * 1024) }) });
    const connection = await attach();
    await assert.rejects(connection.request('showProject', { project: 'shop' }), {
      code: 'INVALID_ARGUMENT',
      message: /^The message has \d+ bytes/,
    });
    assert.deepEqual(await connection.request('resolve', {}), resolved);
  });

  it('refuses a question that is too long, and asks the next', async () => {
    await fixture.serve();
    const connection = await attach();
    await assert.rejects(connection.request('queryDatabase', { sql: 'x'.repeat(maxMessageBytes) }), {
      code: 'INVALID_ARGUMENT',
      message: /^The message has \d+ bytes, and no more than \d+ can be sent\.$/,
    });
    assert.deepEqual(await connection.request('resolve', {}), resolved);
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
    const connection = await attach({ limits: { handshakeMs: 30_000, silenceMs: 1000 } });
    setTimeout(() => {
      isAnswering = false;
      finish();
      // After one sign of life was asked for and the time for it is over.
    }, 2500);
    assert.deepEqual(await connection.request('resolve', {}), resolved);
    assert.equal(isAnswering, false);
  });
});

async function ask(socket: ReturnType<typeof connect>, message: Buffer): Promise<string> {
  const reply = once(socket, 'data');
  socket.write(message);
  return String((await reply)[0]);
}
