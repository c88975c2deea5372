import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DaemonFixture } from './daemonFixture.ts';

describe('the launcher that the daemon leaves', function () {
  this.timeout(60_000);
  const fixture = new DaemonFixture();
  before(function () {
    if (process.platform === 'win32') this.skip();
    return fixture.open();
  });
  after(() => fixture.close());

  it('starts the command, which follows the log until Ctrl-C', async () => {
    const home = await fixture.home('launched');
    await fixture.run(home, ['serve']);
    const child = spawn(join(home, 'bin', 'registrar'), ['log', '-f', '--json'], {
      env: { HOME: home, REGISTRAR_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (JSON.parse(String((await lines.next()).value)) as { msg: string }).msg;
    try {
      assert.equal(await next(), 'daemon started');
      await appendFile(join(home, 'logs', 'registrar.log'), '{"msg":"one more"}\n');
      let message: unknown;
      do message = await next();
      while (message !== 'one more');
      child.kill('SIGINT');
      assert.deepEqual(await exit, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
    await fixture.run(home, ['stop']);
  });
});
