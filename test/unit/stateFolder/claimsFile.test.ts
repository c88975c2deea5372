import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClaimsFile } from '../../../daemon/stateFolder/claimsFile.ts';
import type { KeptClaim } from '../../../daemon/registry/model.ts';

describe('the claims of folders on disk', () => {
  let folder: string;
  let file: string;
  let failures: unknown[];
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-claims-'));
    file = join(folder, 'claims.json');
    failures = [];
  });
  afterEach(async () => {
    for (const one of children.splice(0)) {
      if (one.exitCode === null && one.signalCode === null && one.kill('SIGKILL')) await once(one, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });

  function open(perFolder = false): Promise<ClaimsFile> {
    return ClaimsFile.open(file, { perFolder, onFailure: (error) => failures.push(error) });
  }

  function child(folders: string): ChildProcess {
    const args = [join(import.meta.dirname, '../../support/claimsChild.ts'), file, folders];
    const one = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(one);
    return one;
  }

  async function pathsOnDisk(): Promise<string[]> {
    const { claims } = JSON.parse(await readFile(file, 'utf8')) as { claims: KeptClaim[] };
    return claims.map(({ path }) => path);
  }

  it('are read again as they were kept, one for each folder and project', async () => {
    const claims = await open();
    await claims.keep('shop', claimOf('/one', 'shop'));
    await claims.keep('shop', claimOf('/one', 'store'));
    await claims.keep('shop', claimOf('/two', 'shop'));
    await claims.keep('blog', claimOf('/one', 'blog'));
    const again = await open();
    assert.deepEqual(again.of(['shop']), [claimOf('/one', 'store'), claimOf('/two', 'shop')]);
    assert.deepEqual(again.of(['blog', 'wiki']), [claimOf('/one', 'blog')]);
    assert.deepEqual(failures, []);
  });

  it('are one for each folder where a folder has but one, whatever the project', async () => {
    const claims = await open(true);
    await claims.keep('shop', claimOf('/one', 'shop'));
    await claims.keep('blog', claimOf('/one', 'blog'));
    assert.equal((await open(true)).at('host', '/one')?.projectId, 'blog');
    assert.equal(await claims.remove(({ claim }) => claim.path === '/one'), true);
    assert.equal(await claims.remove(({ claim }) => claim.path === '/one'), false);
    assert.equal((await open(true)).at('host', '/one'), null);
  });

  it('are kept beside those that another daemon kept meanwhile', async () => {
    const [one, other] = [await open(), await open()];
    await one.keep('shop', claimOf('/one', 'shop'));
    await other.keep('shop', claimOf('/two', 'shop'));
    await one.keep('shop', claimOf('/three', 'shop'));
    assert.deepEqual(await pathsOnDisk(), ['/one', '/two', '/three']);
  });

  it('are all kept that come at once', async () => {
    const claims = await open();
    const paths = Array.from({ length: 30 }, (_, index) => `/folder-${String(index)}`);
    await Promise.all(paths.map((path) => claims.keep('shop', claimOf(path, 'shop'))));
    assert.deepEqual(await pathsOnDisk(), paths);
  });

  it('are all kept that two processes keep at the same time', async () => {
    const pair = ['/ann', '/bob'].map(child);
    await Promise.all(pair.map(({ stdout }) => once(stdout ?? assert.fail(), 'data')));
    const ends = pair.map((one) => once(one, 'exit'));
    for (const { stdin } of pair) stdin?.write('go\n');
    assert.deepEqual(await Promise.all(ends), [
      [0, null],
      [0, null],
    ]);
    const paths = new Set(await pathsOnDisk());
    const all = ['/ann', '/bob'].flatMap((folders) =>
      Array.from({ length: 50 }, (_, at) => `${folders}/${String(at)}`),
    );
    const lost = all.filter((path) => !paths.has(path));
    assert.deepEqual(lost, []);
    assert.deepEqual(await readdir(folder), ['claims.json']);
  });

  it('are not lost over a file that cannot be read when the next one comes', async () => {
    const claims = await open();
    await claims.keep('shop', claimOf('/one', 'shop'));
    await writeFile(file, '{"version": 1, "claims": [');
    await claims.keep('shop', claimOf('/two', 'shop'));
    assert.deepEqual(await pathsOnDisk(), ['/one', '/two']);
    assert.equal(failures.length, 1);
  });

  it('count until the daemon ends where the disk does not take them, and the next one that it takes brings them', async () => {
    const claims = await open();
    await mkdir(join(file, 'in the way'), { recursive: true });
    await assert.rejects(claims.keep('shop', claimOf('/one', 'shop')));
    assert.deepEqual(claims.of(['shop']), [claimOf('/one', 'shop')]);
    await rm(file, { recursive: true });
    await claims.keep('shop', claimOf('/two', 'shop'));
    assert.deepEqual(await pathsOnDisk(), ['/one', '/two']);
  });

  it('are none in a damaged file, which is said', async () => {
    await writeFile(file, 'null');
    assert.deepEqual((await open()).of(['shop']), []);
    assert.equal(failures.length, 1);
  });
});

function claimOf(path: string, name: string): KeptClaim {
  const identity = { device: '1', inode: path, birth: '2' };
  return {
    hostId: 'host',
    host: 'machine',
    path,
    identity,
    dotGit: null,
    origins: [],
    name,
    at: '2026-11-30T10:00:00.000Z',
  };
}
