import assert from 'node:assert/strict';
import { DaemonClient, type DaemonClientOptions } from '../../../daemon/client/daemonClient.ts';
import { isNewer } from '../../../daemon/client/versionOrder.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { resolved } from '../cli/fakeCli.ts';
import { ControlFixture } from '../control/controlFixture.ts';

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

  it('dials once for all who find the daemon lost', async () => {
    await fixture.serve();
    const client = clientWith();
    await client.call('resolve', {});
    await fixture.end();
    const control = await fixture.serve();
    await Promise.all(Array.from({ length: 5 }, () => client.call('resolve', {})));
    assert.equal(control.clients().length, 1);
  });

  it('knows which version is newer; a checkout’s is neither', () => {
    assert.equal(isNewer('1.10.0', '1.9.9'), true);
    assert.equal(isNewer('1.9.9', '1.10.0'), false);
    assert.equal(isNewer('1.0.0', '1.0.0'), false);
    assert.equal(isNewer('development', '1.0.0'), false);
    assert.equal(isNewer('2.0.0', 'development'), false);
  });
});
