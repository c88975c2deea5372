import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { runsAsRoot } from './serverFixture.ts';

/** When root runs the tests, those of this folder run once more as an ordinary user: most people are one. */
describe('the bundled server of an ordinary user', function () {
  this.timeout(300_000);

  it('passes every test of this folder', async function () {
    if (!runsAsRoot) {
      // The tests beside this one already ran as an ordinary user.
      this.skip();
    }
    const here = path.dirname(fileURLToPath(import.meta.url));
    const checkout = path.resolve(here, '../../..');
    const uid = Number.parseInt(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }), 10);
    const gid = Number.parseInt(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }), 10);
    const reach = spawnSync(process.execPath, ['-e', `require('fs').readdirSync(${JSON.stringify(here)})`], {
      uid,
      gid,
      cwd: '/',
    });
    if (reach.status !== 0) {
      console.log(`      (skipped: the user nobody cannot read ${checkout} or run ${process.execPath})`);
      this.skip();
    }
    const temporary = await mkdtemp(path.join(os.tmpdir(), 'registrar-ordinary-'));
    try {
      await chmod(temporary, 0o700);
      await chown(temporary, uid, gid);
      const specs = ['bundledServer', 'crashRecovery', 'twoStarters', 'binaries'].map((name) =>
        path.join(here, `${name}.test.ts`),
      );
      const mocha = path.join(checkout, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const args = [mocha, '--no-config', '--no-package', '--reporter', 'json', ...specs];
      const env = { PATH: process.env['PATH'], TMPDIR: temporary, HOME: temporary };
      const output = await new Promise<string>((resolve, reject) => {
        execFile(
          process.execPath,
          args,
          { uid, gid, cwd: checkout, env, maxBuffer: 10_000_000 },
          (_error, stdout, stderr) => {
            if (stdout.includes('"stats"')) resolve(stdout.slice(stdout.indexOf('{\n')));
            else reject(new Error(`the run gave no result: ${stdout} ${stderr}`));
          },
        );
      });
      const result = JSON.parse(output) as {
        stats: { passes: number; failures: number };
        failures: { fullTitle: string; err: { message?: string } }[];
      };
      assert.deepEqual(
        result.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message ?? ''}`),
        [],
      );
      assert.ok(result.stats.passes > 20, `only ${String(result.stats.passes)} tests ran`);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
});
