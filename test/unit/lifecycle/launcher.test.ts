import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isNewer } from '../../../daemon/client/versionOrder.ts';
import { launcherPath, refreshLauncher } from '../../../daemon/lifecycle/launcher.ts';

const execute = promisify(execFile);

describe('the launcher', () => {
  let folder: string;
  let state: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-launcher-'));
    state = join(folder, 'state');
    await mkdir(state);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A runtime that prints its name, what it was told to run, and the variable that Electron needs. */
  async function runtime(name: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "by $(basename "$0")" "$ELECTRON_RUN_AS_NODE" "$@"\n`, {
      mode: 0o755,
    });
    return path;
  }

  async function script(name: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, '');
    return path;
  }

  const refresh = (version: string, file: string, node: string): Promise<void> =>
    refreshLauncher(state, { version, script: file, node }, isNewer, 'linux');

  /** What the launcher's runtime printed, line by line. */
  const launch = async (args: string[] = [], path = '/usr/bin:/bin'): Promise<string[]> => {
    const { stdout } = await execute(launcherPath(state, 'linux'), args, { env: { PATH: path } });
    return stdout.trimEnd().split('\n');
  };

  it('starts the newest installation, with the arguments as they are', async () => {
    const node = await runtime('node');
    const [old, recent] = [await script('old.cjs'), await script('new.cjs')];
    await refresh('1.10.0', recent, node);
    await refresh('1.9.0', old, node);
    const args = ['resolve', 'two words', '', "it's", '$HOME `x` "q"', '--'];
    assert.deepEqual(await launch(args), ['by node', '1', recent, ...args]);
  });

  it('starts the next when a script or its runtime was removed, whatever is left of both', async () => {
    const [first, second] = [await runtime('first'), await runtime('second')];
    const [old, recent] = [await script('old.cjs'), await script('new.cjs')];
    await refresh('1.0.0', old, first);
    await refresh('2.0.0', recent, second);
    await rm(second);
    assert.deepEqual(await launch(), ['by first', '1', recent]);
    await rm(recent);
    assert.deepEqual(await launch(), ['by first', '1', old]);
    await rm(first);
    await mkdir(join(folder, 'path'));
    await runtime('path/node');
    assert.deepEqual(await launch([], `${join(folder, 'path')}:/usr/bin:/bin`), ['by node', '1', old]);
    await rm(old);
    await assert.rejects(launch(), { code: 3, stdout: '', stderr: /No installation .* Install it again/ });
  });

  it('stands paths with spaces, quotes and what shells interpret', async () => {
    const odd = `it's "odd" $HOME \`x\` ; & \\ é`;
    await mkdir(join(folder, odd));
    const node = await runtime(join(odd, 'no de'));
    const file = await script(join(odd, 'registrar.cjs'));
    await refresh('1.0.0', file, node);
    assert.deepEqual(await launch(['status']), ['by no de', '1', file, 'status']);
  });

  it('prefers the installation that was used last among equals, and forgets the oldest', async () => {
    const node = await runtime('node');
    for (let number = 0; number < 12; number += 1) await refresh('1.0.0', await script(`${number}.cjs`), node);
    await refresh('1.0.0', join(folder, '11.cjs'), node);
    assert.equal((await launch())[2], join(folder, '11.cjs'));
    const list = JSON.parse(await readFile(join(state, 'bin', 'installations.json'), 'utf8')) as unknown[];
    assert.equal(list.length, 8);
  });

  it('is replaced as a whole, is private, and comes back from a damaged list', async () => {
    const node = await runtime('node');
    const file = await script('registrar.cjs');
    await Promise.all(Array.from({ length: 10 }, () => refresh('1.0.0', file, node)));
    assert.deepEqual((await readdir(join(state, 'bin'))).sort(), ['installations.json', 'registrar']);
    assert.equal((await stat(launcherPath(state, 'linux'))).mode & 0o777, 0o700);
    await writeFile(join(state, 'bin', 'installations.json'), '[{"version": 1');
    await refresh('1.0.0', file, node);
    assert.deepEqual(await launch(), ['by node', '1', file]);
  });

  it('is a batch file on Windows', async () => {
    await refreshLauncher(
      state,
      { version: '1.0.0', script: String.raw`C:\a 100%\registrar.cjs`, node: String.raw`C:\node.exe` },
      isNewer,
      'win32',
    );
    const lines = (await readFile(launcherPath(state, 'win32'), 'utf8')).split('\r\n');
    assert.ok(
      lines.includes(
        String.raw`if exist "C:\a 100%%\registrar.cjs" if exist "C:\node.exe" set "script=C:\a 100%%\registrar.cjs" & set "node=C:\node.exe" & goto start`,
      ),
    );
    assert.deepEqual(lines.slice(-5), [
      ':start',
      'set ELECTRON_RUN_AS_NODE=1',
      '"%node%" "%script%" %*',
      'exit /b %errorlevel%',
      '',
    ]);
  });
});
