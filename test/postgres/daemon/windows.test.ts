import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientFolder } from '../../../daemon/protocol/control.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { DaemonFixture } from './daemonFixture.ts';
import { FakeWindow, type Brought } from './fakeWindow.ts';

describe('a window at the daemon', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  async function windowOn(home: string, folders: ClientFolder[], brought: Partial<Brought> = {}): Promise<FakeWindow> {
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint);
    return new FakeWindow(endpoint.pipe, endpoint.token, folders, brought);
  }

  /** An address, and the password that is not in it. */
  async function secretAddress(): Promise<{ url: string; password: string }> {
    const url = new URL(await fixture.address());
    const password = decodeURIComponent(url.password);
    url.password = '';
    return { url: url.href, password };
  }

  function withPassword(url: string, password: string): string {
    const address = new URL(url);
    address.password = encodeURIComponent(password);
    return address.href;
  }

  it('is shown what its folders resolve to; nothing is made until it asks', async () => {
    const home = await fixture.home('asking');
    const path = await fixture.workspace('asking');
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    const window = await windowOn(home, [{ path, trusted: true }]);
    await window.client.connect();
    await window.until(({ folders }) => folders[0]?.resolution?.wouldDo?.length !== undefined);
    assert.equal(window.latest?.folders[0]?.resolution?.project, null);
    const answer = await window.client.call('resolve', { directory: path });
    assert.equal(answer.created, true);
    await window.until(({ folders, projects }) => folders[0]?.database?.tables === 0 && projects === 1);
    assert.equal(window.folder?.resolution?.project?.name, 'asking');
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('sees an edited config when it asks for a look, and that nothing was made for it', async () => {
    const home = await fixture.home('editing');
    const path = await fixture.workspace('editing');
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    const window = await windowOn(home, [{ path, trusted: true }]);
    await window.client.call('resolve', { directory: path });
    const config = join(path, '.codebase-mcp', 'config.json');
    const text = await readFile(config, 'utf8');
    await writeFile(config, '{ "version": "1.0", "project": { "name": "a/b" } }');
    await window.client.call('look', undefined);
    await window.until(({ folders }) => folders[0]?.resolution?.error?.code === 'NAME_INVALID');
    await writeFile(config, text);
    await window.client.call('look', undefined);
    await window.until(({ folders }) => folders[0]?.resolution?.project?.name === 'editing');
    const { json } = await fixture.run(home, ['projects', 'list']);
    assert.deepEqual(
      (json?.['projects'] as { name: string }[]).map(({ name }) => name),
      ['editing'],
    );
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('hears what is wrong with a config that is not saved yet; nothing is made, written or remembered for it', async () => {
    const home = await fixture.home('typing');
    const [mine, theirs] = [await fixture.workspace('typing'), await fixture.workspace('taken')];
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    const window = await windowOn(home, [{ path: mine, trusted: true }]);
    await window.client.call('resolve', { directory: theirs });
    await window.client.call('resolve', { directory: mine });
    const path = join(mine, '.codebase-mcp', 'config.json');
    const text = await readFile(path, 'utf8');
    const codesOf = async (edited: string): Promise<string[]> =>
      (await window.client.call('checkConfig', { path, text: edited })).map(({ code }) => code);
    assert.deepEqual(await codesOf(text), []);
    assert.deepEqual(await codesOf(text.replace('"typing"', '"a/b"')), ['NAME_INVALID']);
    const withoutId = (name: string): string => JSON.stringify({ version: '1.0', project: { name } });
    assert.deepEqual(await codesOf(withoutId('taken')), ['PROJECT_CONFLICT']);
    assert.deepEqual(await codesOf(withoutId('new')), []);
    assert.equal(await readFile(path, 'utf8'), text);
    const { json } = await fixture.run(home, ['projects', 'list']);
    assert.deepEqual((json?.['projects'] as { name: string }[]).map(({ name }) => name).sort(), ['taken', 'typing']);
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('hears by itself that the server has stopped, and that it is back', async function () {
    const why = whyNoOwnServer();
    if (why !== null) this.skip();
    const server = await OwnServer.start();
    try {
      const home = await fixture.home('outage');
      const path = await fixture.workspace('outage');
      await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: server.url });
      const window = await windowOn(home, [{ path, trusted: true }]);
      await window.client.call('resolve', { directory: path });
      await window.until(({ folders }) => folders[0]?.resolution?.stale === false);
      await server.stop('fast');
      await window.until(({ folders }) => folders[0]?.resolution?.stale === true);
      assert.equal(window.folder?.resolution?.project?.name, 'outage');
      await server.start();
      await window.until(({ folders }) => folders[0]?.resolution?.stale === false);
      window.client.close();
      await fixture.run(home, ['stop']);
    } finally {
      await server.close();
    }
  });

  it('hears that no PostgreSQL is chosen, and of the one that is chosen later', async () => {
    const home = await fixture.home('later');
    const path = await fixture.workspace('later');
    await fixture.run(home, ['serve']);
    const window = await windowOn(home, [{ path, trusted: true }]);
    await window.client.connect();
    await window.until(({ error }) => error?.code === 'POSTGRES_NOT_CHOSEN');
    const address = new URL(await fixture.address());
    const password = decodeURIComponent(address.password);
    address.password = '';
    await window.client.call('changeAddress', {
      postgres: { kind: 'url', url: address.href },
      password: password === '' ? null : password,
    });
    await window.until(({ server, folders }) => server !== null && folders[0]?.resolution !== null);
    assert.equal(window.latest?.error, null);
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('brings its address with the password, and nobody has to ask first', async () => {
    const home = await fixture.home('password');
    const path = await fixture.workspace('password');
    const { url, password } = await secretAddress();
    await writeFile(join(home, 'settings.json'), JSON.stringify({ postgres: { kind: 'url', url } }));
    await fixture.run(home, ['serve']);
    const without = await windowOn(home, [{ path, trusted: true }]);
    await without.client.connect();
    await without.until(({ folders }) => folders[0]?.resolution?.error?.code === 'CREDENTIALS_REQUIRED');
    await assert.rejects(without.client.call('tryAddress', { url: null, password: 'wrong' }), {
      code: 'CREDENTIALS_REQUIRED',
    });
    const tried = await without.client.call('tryAddress', { url: withPassword(url, password), password: null });
    assert.deepEqual([tried.url, tried.password, tried.mayCreateDatabases], [url, password, true]);
    const address = { url, source: 'setting', variables: { PGPASSWORD: password } } as const;
    const window = await windowOn(home, [{ path, trusted: true }], { address });
    await window.client.connect();
    await without.until(({ folders }) => folders[0]?.resolution?.wouldDo?.length !== undefined);
    without.client.close();
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('has a password put where terminals find it, in the place of a former one', async () => {
    const home = await fixture.home('passfile');
    await fixture.run(home, ['serve']);
    const file = join(home, 'pass:file');
    const address = { url: null, source: 'environment', variables: { PGPASSFILE: file } } as const;
    const window = await windowOn(home, [], { address });
    const url = 'postgresql://me@db.example:5433';
    await window.client.call('savePassword', { url: 'postgresql://me@other', password: 'kept' });
    await window.client.call('savePassword', { url, password: 'old' });
    const { path } = await window.client.call('savePassword', { url, password: String.raw`n:e\w` });
    assert.equal(path, file);
    const lines = [String.raw`db.example:5433:*:me:n\:e\\w`, 'other:5432:*:me:kept', ''];
    assert.equal(await readFile(file, 'utf8'), lines.join('\n'));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('hears that it means another server than the daemon, and is not shown that one’s answers', async () => {
    const home = await fixture.home('another');
    const path = await fixture.workspace('another');
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    const address = { url: 'postgresql://me@127.0.0.1:1/other', source: 'setting', variables: {} } as const;
    const window = await windowOn(home, [{ path, trusted: true }], { address });
    await window.client.connect();
    await window.until(({ error }) => error?.code === 'ADDRESS_MISMATCH');
    assert.match(window.latest?.error?.message ?? '', /the setting names 127\.0\.0\.1:1\/other/);
    assert.deepEqual([window.latest?.server, window.folder?.resolution], [null, null]);
    window.client.close();
    await fixture.run(home, ['stop']);
  });

  it('brings settings that count before what it asks, and that stay', async () => {
    const home = await fixture.home('settings');
    const path = await fixture.workspace('settings');
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    const settings = { 'registrar.config.writeId': 'never', 'registrar.daemon.idleMinutes': 3 } as const;
    const window = await windowOn(home, [{ path, trusted: true }], { settings });
    assert.equal((await window.client.call('resolve', { directory: path })).created, true);
    assert.doesNotMatch(await readFile(join(path, '.codebase-mcp', 'config.json'), 'utf8'), /"id"/);
    assert.equal((await window.client.call('status', undefined)).idleExitAfterMs, 180_000);
    window.client.close();
    const kept = JSON.parse(await readFile(join(home, 'settings.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(kept['registrar.config.writeId'], 'never');
    await fixture.run(home, ['stop']);
  });
});
