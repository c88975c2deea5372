import assert from 'node:assert/strict';
import { ResponseError } from 'vscode-jsonrpc/node';
import type { ControlHandlers } from '../../../daemon/control/clientConnection.ts';
import { DaemonClient, type DaemonClientOptions } from '../../../daemon/client/daemonClient.ts';
import { newNonce, proofOf } from '../../../daemon/wire/proof.ts';
import { rpcOver } from '../../../daemon/wire/rpcOver.ts';
import { isNewer } from '../../../daemon/client/versionOrder.ts';
import { wire, wireErrors } from '../../../daemon/protocol/control.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { resolved } from '../cli/fakeCli.ts';
import { ControlFixture, token } from '../control/controlFixture.ts';

describe('a client of the daemon', () => {
  const fixture = new ControlFixture();
  let clients: DaemonClient[] = [];
  beforeEach(() => fixture.open());
  afterEach(async () => {
    for (const client of clients) client.close();
    clients = [];
    await fixture.close();
  });

  const clientWith = (changes: Partial<DaemonClientOptions> = {}): DaemonClient => {
    const client = new DaemonClient({ ...fixture.dialOptions(), start: null, connectWithinMs: 30_000, ...changes });
    clients.push(client);
    return client;
  };

  it('starts a daemon only when none answers, and once', async () => {
    let starts = 0;
    const start = (): { ended: () => null } => {
      starts += 1;
      void fixture.serve();
      return { ended: () => null };
    };
    const client = clientWith({ start });
    assert.deepEqual(await client.call('resolve', {}), resolved);
    assert.deepEqual(await client.call('resolve', {}), resolved);
    assert.equal(starts, 1);
  });

  it('says what prevented the daemon from starting', async () => {
    const error = new RegistrarError({ code: 'DAEMON_UNREACHABLE', message: 'The disk is full.', hint: 'Make room.' });
    await assert.rejects(clientWith({ start: () => ({ ended: () => ({ error }) }) }).connect(), /disk is full/);
  });

  it('does not wait for a daemon that nobody may start', async () => {
    await assert.rejects(clientWith().connect(), { code: 'DAEMON_UNREACHABLE', details: { reason: 'not running' } });
  });

  it('asks the successor what a leaving daemon refused, and repeats only what may be done twice', async () => {
    await fixture.serve();
    const client = clientWith();
    await client.call('resolve', {});
    await fixture.end();
    await fixture.serve();
    assert.deepEqual(await client.call('resolve', {}), resolved);
    let asked = 0;
    await fixture.end();
    await fixture.serve({
      createProject: () => {
        asked += 1;
        void fixture.end();
        return new Promise(() => undefined);
      },
    });
    await client.call('resolve', {});
    await assert.rejects(
      client.call('createProject', { name: 'shop' }),
      /whether "createProject" was done is not known/,
    );
    assert.equal(asked, 1);
  });

  it('asks the successor what a daemon that left in order had not read, also what must not be done twice', async () => {
    const asked: string[] = [];
    const createProject =
      (by: string): ControlHandlers['createProject'] =>
      async ({ name }) => {
        asked.push(`${by}: ${name}`);
        return resolved;
      };
    const control = await fixture.serve({ createProject: createProject('former') });
    const client = clientWith();
    await client.call('createProject', { name: 'read' });
    fixture.stopReading();
    const answer = client.call('createProject', { name: 'unread' });
    control.leave({ hasSuccessor: false });
    control.close();
    await fixture.untilOnly(0);
    await fixture.end();
    await fixture.serve({ createProject: createProject('successor') });
    assert.deepEqual(await answer, resolved);
    assert.deepEqual(asked, ['former: read', 'successor: unread']);
  });

  it('does not ask again what a daemon that left in order had begun', async () => {
    let onBegun = (): void => undefined;
    const begun = new Promise<void>((resolve) => (onBegun = resolve));
    const control = await fixture.serve({
      createProject: () => {
        onBegun();
        return new Promise(() => undefined);
      },
    });
    const answer = assert.rejects(
      clientWith().call('createProject', { name: 'begun' }),
      /whether "createProject" was done is not known/,
    );
    await begun;
    control.leave({ hasSuccessor: false });
    control.close();
    await answer;
  });

  it('dials once for all who find the daemon lost', async () => {
    await fixture.serve();
    const client = clientWith();
    await client.call('resolve', {});
    await fixture.end();
    const control = await fixture.serve();
    await Promise.all(Array.from({ length: 5 }, () => client.call('resolve', {})));
    assert.equal(control.clients().length, 1);
  });

  it('lets the newer daemon come that the older one leaves for, and starts none', async () => {
    let starts = 0;
    const control = await fixture.serve();
    const client = clientWith({
      start: () => {
        starts += 1;
        return { ended: () => null };
      },
    });
    await client.call('resolve', {});
    control.leave({ hasSuccessor: true });
    const answer = client.call('resolve', {});
    control.close();
    await fixture.untilOnly(0);
    await fixture.end();
    await fixture.serve({}, '2.0.0');
    assert.deepEqual(await answer, resolved);
    assert.equal(starts, 0);
  });

  it('starts its daemon at once where it made the older one leave', async () => {
    const control = await fixture.serve({
      drain: async () => {
        control.leave({ hasSuccessor: true });
        control.close();
        void fixture.untilOnly(0).then(() => fixture.end());
        return null;
      },
    });
    let served = '1.0.0';
    const client = clientWith({
      client: { ...fixture.dialOptions().client, version: '2.0.0' },
      start: () => {
        served = '2.0.0';
        void fixture.serve({}, served);
        return { ended: () => null };
      },
    });
    assert.equal((await client.connect()).version, '2.0.0');
    assert.equal(served, '2.0.0');
  });

  it('does not wait for ever for a daemon that hangs while it leaves', async () => {
    await fixture.listen((socket) => {
      const rpc = rpcOver(socket, () => undefined);
      rpc.onRequest(wire.hello, ({ nonce }: { nonce: string }) => {
        const own = newNonce();
        const proof = proofOf(token, 'daemon', nonce, own);
        return { nonce: own, proof, version: '1.0.0', protocol: 1, oldestProtocol: 1 };
      });
      rpc.onRequest(wire.initialize, () => null);
      rpc.onRequest(wire.ping, () => new Promise(() => undefined));
      rpc.onRequest(wire.method('resolve'), () => new ResponseError(wireErrors.draining, 'leaves'));
      rpc.listen();
    });
    const client = clientWith({ limits: { handshakeMs: 10_000, silenceMs: 100 } });
    await assert.rejects(client.call('resolve', {}), { code: 'DAEMON_UNREACHABLE', message: /does not answer/ });
  });

  it('knows which version is newer; a checkout’s is neither', () => {
    assert.equal(isNewer('1.10.0', '1.9.9'), true);
    assert.equal(isNewer('1.9.9', '1.10.0'), false);
    assert.equal(isNewer('1.0.0', '1.0.0'), false);
    assert.equal(isNewer('development', '1.0.0'), false);
    assert.equal(isNewer('2.0.0', 'development'), false);
  });
});
