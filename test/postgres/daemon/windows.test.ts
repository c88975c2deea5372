import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DaemonClient } from '../../../daemon/client/daemonClient.ts';
import type { ClientFolder, FolderState, Snapshot } from '../../../daemon/protocol/control.ts';
import { OwnServer, whyNoOwnServer } from '../../support/ownServer.ts';
import { DaemonFixture } from './daemonFixture.ts';

/** A window without an editor: it attaches and keeps the latest snapshot. */
class FakeWindow {
  readonly client: DaemonClient;
  latest: Snapshot | null = null;
  readonly #events = new EventEmitter();

  constructor(pipe: string, token: string, folders: ClientFolder[]) {
    this.client = new DaemonClient({
      pipe,
      token: () => Promise.resolve(token),
      client: {
        kind: 'window',
        version: '1.0.0',
        pid: process.pid,
        folders,
        address: { url: null, source: 'environment', variables: {} },
      },
      onSnapshot: (snapshot) => {
        this.latest = snapshot;
        this.#events.emit('snapshot');
      },
      limits: { handshakeMs: 20_000, silenceMs: 20_000 },
      connectWithinMs: 20_000,
      start: null,
    });
  }

  get folder(): FolderState | undefined {
    return this.latest?.folders[0];
  }

  async until(isSo: (snapshot: Snapshot) => boolean): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    while (!this.latest || !isSo(this.latest)) {
      await once(this.#events, 'snapshot', { signal }).catch(() => {
        throw new Error(`waited in vain; the latest is ${JSON.stringify(this.latest)}`);
      });
    }
  }
}

describe('a window at the daemon', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  async function windowOn(home: string, folders: ClientFolder[]): Promise<FakeWindow> {
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint);
    return new FakeWindow(endpoint.pipe, endpoint.token, folders);
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
});
