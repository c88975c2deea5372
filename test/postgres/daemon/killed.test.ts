import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FileKillPlan } from '../../support/fileKillPoint.ts';
import { DaemonFixture, gone } from './daemonFixture.ts';

describe('a daemon that is killed', function () {
  this.timeout(300_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  const preload = join(import.meta.dirname, '../../support/killedDaemon.ts');

  /** One daemon from its start to its end by SIGTERM, unless it is killed before; then whoever comes next. */
  const live = async (
    home: string,
    address: string,
    directory: string,
    plan: FileKillPlan | null,
  ): Promise<{ calls: string[]; wasKilled: boolean; id: unknown }> => {
    const callsFile = join(home, 'calls.json');
    const environment = fixture.environment(home, {
      REGISTRAR_DATABASE_URL: address,
      REGISTRAR_TEST_KILL: JSON.stringify(plan),
      ...(plan === null ? { REGISTRAR_TEST_CALLS: callsFile } : {}),
    });
    const args = ['--import', preload, fixture.script(), 'serve', '--foreground', '--json'];
    const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    // The first line says that it serves; without one it was killed on its way there.
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
    const client = await fixture.client(home, { REGISTRAR_DATABASE_URL: address });
    // Answered by this daemon or, when it is killed in between, by the next.
    assert.equal((await client.call('resolve', { directory })).outcome, 'resolved');
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    const left = await fixture.endpoint(home);
    const { project } = await client.call('resolve', { directory });
    const next = await fixture.endpoint(home);
    if (left) assert.equal(next?.token, left.token);
    await client.call('drain', { stopServer: true, reason: 'the test ends it' });
    if (next) await gone(next.pid, 30_000);
    client.close();
    const calls = plan === null ? (JSON.parse(await readFile(callsFile, 'utf8')) as string[]) : [];
    return { calls, wasKilled: signal === 'SIGKILL', id: project?.id };
  };

  it('at any change of a file, from its start to its end, loses nothing and hinders nobody', async () => {
    const address = await fixture.address();
    const directory = await fixture.workspace('killed');
    // From here on the project is there, and every life has the same steps.
    await live(await fixture.home('first'), address, directory, null);
    const learned = await live(await fixture.home('learning'), address, directory, null);
    assert.equal(learned.wasKilled, false);
    for (const call of ['linkSync daemon.sock', 'open .endpoint.json', 'unlinkSync daemon.sock']) {
      assert.ok(
        learned.calls.some((each) => each.startsWith(call)),
        `${call} in ${learned.calls.join()}`,
      );
    }
    let killed = 0;
    for (const [index, call] of learned.calls.entries()) {
      const home = await fixture.home(`killed-${index}`);
      const lived = await live(home, address, directory, { at: index + 1, when: 'after' });
      if (lived.wasKilled) killed += 1;
      assert.equal(lived.id, learned.id, `killed after ${call}`);
    }
    // What goes on in the background may take another order, and then a life has a step less.
    assert.ok(killed >= learned.calls.length - 3, `${killed} of ${learned.calls.join()}`);
  });
});
