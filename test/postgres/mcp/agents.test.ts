import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { DaemonFixture, gone } from '../daemon/daemonFixture.ts';
import { authorizing, call, Inspector, overHttp, overStdio, runTool, type HttpAddress } from './agentProcess.ts';

describe('agents at a running daemon', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  const clients: Client[] = [];
  const kept = (client: Client): Client => {
    clients.push(client);
    return client;
  };
  before(() => fixture.open());
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  after(() => fixture.close());

  /** A daemon with a registry of its own. */
  async function serve(name: string): Promise<{ home: string; environment: Record<string, string> }> {
    const home = await fixture.home(name);
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    await fixture.run(home, ['serve'], environment);
    return { home, environment };
  }

  async function address(home: string): Promise<HttpAddress> {
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint?.url);
    return { url: endpoint.url, token: endpoint.token };
  }

  it('each work in their own project, from three directories at once, over HTTP and stdio, across a restart', async () => {
    const { home, environment } = await serve('three');
    const names = ['shop', 'pay', 'blog'];
    const folders = await Promise.all(names.map((name) => fixture.workspace(name)));
    const where = await address(home);
    // One says it in a header, one binds its session, one passes it with each call; over stdio all are bound.
    const connect = async (): Promise<[Client, Record<string, unknown>][]> => [
      [
        kept(await overHttp(await address(home), { 'X-Registrar-Directory': encodeURIComponent(folders[0] ?? '') })),
        {},
      ],
      [kept(await overHttp(await address(home))), { directory: folders[1] }],
    ];
    const stdio = await Promise.all(
      folders.map((folder) => overStdio(fixture, home, ['--directory', folder], environment)),
    );
    stdio.forEach(kept);
    const session = kept(await overHttp(where));
    await call(session, 'set_working_directory', { directory: folders[2] });

    const all = async (http: [Client, Record<string, unknown>][]): Promise<void> => {
      const asked = [...http, ...stdio.map((client): [Client, Record<string, unknown>] => [client, {}])];
      const expected = ['shop', 'pay', ...names];
      const answers = await Promise.all(asked.map(([client, args]) => call(client, 'resolve_project', args)));
      assert.deepEqual(
        answers.map(({ project }) => project),
        expected,
      );
      const queries = await Promise.all(
        asked.map(([client, args]) => call(client, 'query_database', { ...args, sql: 'select current_database()' })),
      );
      for (const [index, { structured, text }] of queries.entries()) {
        const { rows } = structured['result'] as { rows: string[][] };
        assert.match(rows[0]?.[0] ?? text, new RegExp(`^cb_proj_${expected[index] ?? ''}_`));
      }
      for (const [client] of asked) {
        const { structured } = await call(client, 'list_projects');
        assert.deepEqual(
          (structured['projects'] as { name: string }[]).map(({ name }) => name).sort(),
          names.toSorted(),
        );
      }
    };
    await all(await connect());
    assert.equal((await call(session, 'resolve_project')).project, 'blog');

    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    // The forwarders start the next, which has the same address and token.
    await Promise.all(stdio.map((client) => call(client, 'sync_status')));
    assert.notEqual(await fixture.pid(home), killed);
    assert.deepEqual(await address(home), where);
    await all(await connect());
    // A session of the daemon before is unknown, as the protocol wants it said.
    await assert.rejects(call(session, 'resolve_project'), { code: 404 });
  });

  it('stay bound when the daemon is killed or gives its place away in the middle of a session', async () => {
    const { home, environment } = await serve('bound');
    const folder = await fixture.workspace('bound-shop');
    const client = kept(await overStdio(fixture, home, [], environment));
    assert.equal((await call(client, 'resolve_project')).isError, true);
    await call(client, 'set_working_directory', { directory: folder });
    for (const end of ['kill', 'stop']) {
      const pid = await fixture.pid(home);
      if (end === 'kill') process.kill(pid, 'SIGKILL');
      else await fixture.run(home, ['stop']);
      await gone(pid);
      const answer = await call(client, 'resolve_project');
      assert.equal(answer.project, 'bound-shop', answer.text);
      assert.equal(answer.structured['directorySource'], 'session');
      await fixture.endpoint(home);
    }
  });

  it('are served by a forwarder that loads neither PostgreSQL’s client nor the protocol’s library', async () => {
    const text = await readFile(fixture.script(), 'utf8');
    assert.match(text, /daemon\/mcp\/forwarder\/forwarder\.ts/);
    assert.doesNotMatch(text, /node_modules\/(pg|ajv|commander|@modelcontextprotocol|zod\/v4\/classic)\//);
  });

  it('work where their directory really is, and in no other', async () => {
    const { home } = await serve('paths');
    const folder = await fixture.workspace('real-shop');
    const other = await fixture.workspace('other-shop');
    const link = join(fixture.folder, 'link-to-other');
    await symlink(other, link);
    const client = kept(await overHttp(await address(home)));
    const of = async (directory: string): Promise<string | undefined> =>
      (await call(client, 'resolve_project', { directory })).project;
    assert.equal(await of(`${folder}/../real-shop/.`), 'real-shop');
    assert.equal(await of(`${folder}/../other-shop`), 'other-shop');
    assert.equal(await of(link), 'other-shop');
    assert.equal(await of(`${folder}/../..`), undefined);
    for (const directory of [`${folder}\0/x`, join(folder, 'missing'), '/proc/self/mem']) {
      const refused = await call(client, 'resolve_project', { directory });
      assert.equal((refused.structured['error'] as { code: string }).code, 'DIRECTORY_INVALID');
    }
    const expected = await call(client, 'resolve_project', { directory: link, expect: 'real-shop' });
    assert.equal((expected.structured['error'] as { code: string }).code, 'PROJECT_MISMATCH');
  });

  it('are seen by people, with the folder that each works in', async () => {
    const { home } = await serve('seen');
    const folder = await fixture.workspace('seen-shop');
    const client = kept(await overHttp(await address(home)));
    await call(client, 'set_working_directory', { directory: folder });
    const { json } = await fixture.run(home, ['status']);
    const agents = json?.['agents'] as { name: string; directory: string }[];
    assert.deepEqual(
      agents.map(({ name, directory }) => ({ name, directory })),
      [{ name: 'http tester', directory: folder }],
    );
  });

  it('get the tools and the endpoint that the settings say, from the moment that they say so', async () => {
    const { home } = await serve('settings');
    const before = await address(home);
    const client = kept(await overHttp(before));
    const changed = new Promise<void>((resolve) => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        resolve();
      });
    });
    // The stream on which it is told may open a moment after the client is connected, so it is changed until it is heard.
    let isAll = false;
    const toggle = setInterval(() => {
      isAll = !isAll;
      void writeFile(
        join(home, 'settings.json'),
        JSON.stringify({ 'registrar.mcp.tools': isAll ? 'all' : 'standard' }),
      );
    }, 200);
    await changed;
    clearInterval(toggle);
    const until = async (isThere: () => Promise<boolean>): Promise<void> => {
      const giveUpAt = performance.now() + 60_000;
      while (!(await isThere())) {
        if (performance.now() > giveUpAt) throw new Error('the settings were not noticed');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.mcp.tools': 'all' }));
    await until(async () => (await client.listTools()).tools.length === 14);
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.mcp.enabled': false }));
    await until(async () => (await fixture.endpoint(home))?.url === null);
    await assert.rejects(fetch(before.url));
    await writeFile(join(home, 'settings.json'), JSON.stringify({}));
    await until(async () => (await fixture.endpoint(home))?.url === before.url);
  });

  it('need the new token from the moment that it is rotated; clients on the pipe go on', async () => {
    const { home, environment } = await serve('rotated');
    const folder = await fixture.workspace('rotated-shop');
    const before = await address(home);
    const http = kept(await overHttp(before));
    const stdio = kept(await overStdio(fixture, home, ['--directory', folder], environment));
    const { status, json } = await fixture.run(home, ['connect', '--rotate-token']);
    assert.deepEqual({ status, json }, { status: 0, json: { url: before.url, outdated: [] } });
    const after = await address(home);
    assert.equal(after.url, before.url);
    assert.notEqual(after.token, before.token);
    await assert.rejects(call(http, 'sync_status'));
    await assert.rejects(overHttp(before));
    assert.equal((await call(kept(await overHttp(after)), 'sync_status')).isError, false);
    assert.equal((await call(stdio, 'resolve_project')).project, 'rotated-shop');
    assert.equal((await fixture.run(home, ['status'])).status, 0);
  });

  it('A1: pass every conformance scenario that applies to any server', async () => {
    const { home } = await serve('conformance');
    const proxy = await authorizing(await address(home));
    const scenarios = [
      'server-initialize',
      'ping',
      'logging-set-level',
      'tools-list',
      'server-sse-multiple-streams',
      'dns-rebinding-protection',
    ];
    try {
      for (const scenario of scenarios) {
        const args = ['server', '--url', proxy.url, '--scenario', scenario];
        const { status, stdout, stderr } = await runTool(
          '@modelcontextprotocol/conformance',
          'dist/index.js',
          args,
          home,
        );
        assert.equal(status, 0, `${scenario}: ${stdout}${stderr}`);
        assert.match(stdout, /Passed: [1-9]\d*\/\d+, 0 failed/, scenario);
      }
    } finally {
      await proxy.close();
    }
  });

  it('find every tool in the inspector, each with portable schemas, and can call it there', async () => {
    const { home } = await serve('inspected');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.mcp.tools': 'all' }));
    const directory = await fixture.workspace('inspected-shop');
    const inspector = Inspector.overHttp(home, await address(home));
    const project = 'inspected-shop';
    const calls: Record<string, Record<string, unknown>> = {
      resolve_project: { directory },
      set_working_directory: { directory },
      list_projects: {},
      create_project: { name: 'inspected-new' },
      describe_database: { directory },
      query_database: { directory, sql: 'select $1::int + 1', params: [1] },
      sync_status: {},
      get_project: { project },
      update_project: { project: 'inspected-new', name: 'inspected-newer' },
      use_project: { project, directory },
      forget_project: { project: 'inspected-newer' },
      sync_now: {},
      check_drift: {},
    };
    assert.deepEqual(await inspector.tools(), [...Object.keys(calls), 'repair_drift']);
    for (const [name, args] of Object.entries(calls)) await inspector.call(name, args);
    const { planId } = await inspector.call('check_drift');
    assert.deepEqual((await inspector.call('repair_drift', { planId }))['failed'], []);
  });
});
