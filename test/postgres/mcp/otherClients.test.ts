import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RawAgent } from '../../support/rawAgent.ts';
import { DaemonFixture, gone } from '../daemon/daemonFixture.ts';
import { Inspector, type HttpAddress } from './agentProcess.ts';

const header = (directory: string): Record<string, string> => ({
  'X-Registrar-Directory': encodeURIComponent(directory),
});

describe('agents that do not use the protocol’s library', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  /** Starts a daemon when there is none, and gives its address. */
  async function serve(home: string, environment: Record<string, string>): Promise<HttpAddress> {
    const { status, stderr } = await fixture.run(home, ['serve'], environment);
    assert.equal(status, 0, stderr);
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint?.url);
    return { url: endpoint.url, token: endpoint.token };
  }

  async function newDaemon(name: string): Promise<{ home: string; environment: Record<string, string> }> {
    return { home: await fixture.home(name), environment: { REGISTRAR_DATABASE_URL: await fixture.address() } };
  }

  /** The project that a call worked in, seen from the database that was really queried. */
  async function projectOf(agent: RawAgent, headers: Record<string, string> = {}): Promise<unknown> {
    const resolved = await agent.call('resolve_project', {}, headers);
    assert.equal(resolved.isError, false, JSON.stringify(resolved.structured));
    const project = resolved.structured['project'] as { name: string; databaseName: string };
    const queried = await agent.call('query_database', { sql: 'select current_database()' }, headers);
    assert.equal(queried.isError, false, JSON.stringify(queried.structured));
    const { rows } = queried.structured['result'] as { rows: string[][] };
    assert.deepEqual(rows, [[project.databaseName]]);
    return project.name;
  }

  it('begin, bind, resolve, list and query over HTTP, and start over when the daemon is another', async () => {
    const { home, environment } = await newDaemon('raw');
    const directory = await fixture.workspace('raw-shop');
    const agent = new RawAgent(await serve(home, environment));
    const { serverInfo, protocolVersion } = await agent.begin();
    assert.equal((serverInfo as { name: string }).name, 'project-registrar');
    assert.equal(protocolVersion, '2025-11-25');
    assert.equal((await agent.call('resolve_project')).isError, true, 'nothing is bound yet');

    const use = async (bound: RawAgent): Promise<void> => {
      const { structured } = await bound.call('set_working_directory', { directory });
      assert.equal(structured['sessionId'], bound.sessionId);
      const resolved = await bound.call('resolve_project');
      assert.equal(resolved.structured['directorySource'], 'session');
      assert.equal(await projectOf(bound), 'raw-shop');
      const listed = await bound.call('list_projects');
      const projects = listed.structured['projects'] as { name: string }[];
      assert.deepEqual(
        projects.map(({ name }) => name),
        ['raw-shop'],
      );
    };
    await use(agent);

    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    const again = new RawAgent(await serve(home, environment));
    again.sessionId = agent.sessionId;
    assert.notEqual(await fixture.pid(home), killed);
    const lost = await again.ask('tools/call', { name: 'resolve_project', arguments: {} });
    assert.deepEqual({ status: lost.status, body: lost.body }, { status: 404, body: '' });
    await again.begin();
    assert.notEqual(again.sessionId, agent.sessionId);
    assert.equal((await again.call('resolve_project')).isError, true, 'a session’s binding ends with it');
    await use(again);
    assert.equal(await again.end(), 200);
    assert.equal((await again.ask('tools/list')).status, 404);
  });

  it('work in three directories at once, each named by a header, in sessions of their own and in one', async () => {
    const { home, environment } = await newDaemon('headers');
    const where = await serve(home, environment);
    const names = ['first-shop', 'second-shop', 'third-shop'];
    const folders = await Promise.all(
      names.map(async (name) => {
        const folder = join(await fixture.workspace(name), 'läden % und 店');
        await mkdir(folder);
        return folder;
      }),
    );
    const apart = await Promise.all(
      folders.map(async (folder) => {
        const agent = new RawAgent(where, header(folder));
        await agent.begin();
        return projectOf(agent);
      }),
    );
    assert.deepEqual(apart, names);
    const shared = new RawAgent(where);
    await shared.begin();
    assert.deepEqual(await Promise.all(folders.map((folder) => projectOf(shared, header(folder)))), names);
    const unencoded = await shared.call('resolve_project', {}, { 'X-Registrar-Directory': '/half %' });
    assert.equal((unencoded.structured['error'] as { code: string }).code, 'DIRECTORY_INVALID');
  });

  it('cannot use the session of another daemon’s token, nor end it', async () => {
    const [one, other] = await Promise.all(
      ['one', 'other'].map(async (name) => {
        const { home, environment } = await newDaemon(name);
        return serve(home, environment);
      }),
    );
    assert.ok(one && other);
    const directory = await fixture.workspace('own-shop');
    const owner = new RawAgent(one, header(directory));
    await owner.begin();
    // Where the token is good the session is not known, and where the session is known the token is not good.
    const strangers = [
      { stranger: new RawAgent(other), status: 404 },
      { stranger: new RawAgent({ url: one.url, token: other.token }), status: 401 },
    ];
    for (const { stranger, status } of strangers) {
      stranger.sessionId = owner.sessionId;
      for (const method of ['tools/list', 'initialize']) {
        const refused = await stranger.ask(method);
        assert.deepEqual({ status: refused.status, body: refused.body }, { status, body: '' });
      }
      assert.equal(await stranger.end(), status);
    }
    assert.equal(await projectOf(owner), 'own-shop');
  });

  it('find the project of their entry in the inspector over stdio, which starts the daemon', async () => {
    const { home, environment } = await newDaemon('inspected');
    const directory = await fixture.workspace('stdio-shop');
    const entries = await entriesFor(home, environment, { registrar: directory });
    const inspector = Inspector.overStdio(home, entries, 'registrar');
    assert.equal(await fixture.endpoint(home), null);
    assert.deepEqual(await inspector.tools(), [
      'resolve_project',
      'set_working_directory',
      'list_projects',
      'create_project',
      'describe_database',
      'query_database',
      'sync_status',
    ]);
    const answer = await inspector.call('resolve_project');
    const { project, directorySource } = answer as { project: { name: string }; directorySource: string };
    assert.deepEqual({ name: project.name, directorySource }, { name: 'stdio-shop', directorySource: 'launch' });
  });

  it('work in three directories at once in the inspector, over HTTP and stdio, also at the daemon’s successor', async () => {
    const { home, environment } = await newDaemon('inspected at once');
    const names = ['first-seen', 'second-seen', 'third-seen'];
    const folders = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await fixture.workspace(name)] as const)),
    );
    const entries = await entriesFor(home, environment, folders);
    const where = await serve(home, environment);
    const inspectors = Object.entries(folders).flatMap(([name, folder]) => [
      { name, inspector: Inspector.overHttp(home, where, header(folder)) },
      { name, inspector: Inspector.overStdio(home, entries, name) },
    ]);
    /** Each asks in its own session, which begins in the directory that it was told of, or binds another. */
    const all = (): Promise<unknown[]> =>
      Promise.all(
        inspectors.map(async ({ name, inspector }) => {
          const resolved = await inspector.call('resolve_project');
          const project = resolved['project'] as { name: string; databaseName: string };
          assert.equal(project.name, name);
          const { result } = await inspector.call('query_database', { sql: 'select current_database()' });
          assert.deepEqual((result as { rows: string[][] }).rows, [[project.databaseName]]);
          const other = names.find((one) => one !== name) ?? '';
          const bound = await inspector.call('set_working_directory', { directory: folders[other] });
          assert.equal((bound['project'] as { name: string }).name, other);
          const { projects } = (await inspector.call('list_projects')) as { projects: { name: string }[] };
          assert.deepEqual(projects.map((one) => one.name).sort(), names);
        }),
      );
    // What each makes first is there before the lists are compared.
    await Promise.all(inspectors.map(({ inspector }) => inspector.call('resolve_project')));
    await all();
    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    assert.deepEqual(await serve(home, environment), where);
    assert.notEqual(await fixture.pid(home), killed);
    await all();
  });

  /** A file of servers, as agents have one, each started for a directory. */
  async function entriesFor(
    home: string,
    environment: Record<string, string>,
    folders: Record<string, string>,
  ): Promise<string> {
    const file = join(home, 'inspector.json');
    const env = fixture.environment(home, environment);
    const entry = (directory: string): object => ({
      command: process.execPath,
      args: [fixture.script(), 'mcp', '--directory', directory],
      env,
    });
    const mcpServers = Object.fromEntries(Object.entries(folders).map(([name, folder]) => [name, entry(folder)]));
    await writeFile(file, JSON.stringify({ mcpServers }));
    return file;
  }
});
