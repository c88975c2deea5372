import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import type { DaemonClient } from '../../../daemon/client/daemonClient.ts';
import { DaemonFixture, gone } from './daemonFixture.ts';

describe('fifty who start the daemon at once', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  const startAtOnce = async (home: string): Promise<void> => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => fixture.client(home)));
    const ask = (client: DaemonClient): Promise<number> => client.call('status', undefined).then(({ pid }) => pid);
    const answers = await Promise.all(clients.map(ask));
    const pid = await fixture.pid(home);
    const started = await fixture.startedPids(home);
    for (const answered of answers) assert.ok(started.includes(answered), `${answered} in ${started.join()}`);
    // Who took a dead socket's place from another finds that out, and the other leaves.
    await fixture.untilAlone(pid);
    assert.deepEqual(new Set(await Promise.all(clients.map(ask))), new Set([pid]));
    // None of them left the name that its socket had before.
    const sockets = (await readdir(home)).filter((name) => name.includes('.sock'));
    assert.deepEqual(sockets, ['daemon.sock']);
    await fixture.run(home, ['stop']);
    await gone(pid, 30_000);
  };

  it('get one, and all are answered', async () => {
    await startAtOnce(await fixture.home('nothing'));
  });

  it('get one where a killed one left its socket, and all are answered', async () => {
    const home = await fixture.home('stale');
    await fixture.run(home, ['serve']);
    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    assert.equal((await readdir(home)).includes('daemon.sock'), true);
    await startAtOnce(home);
  });
});
