import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { canResolveAs } from '../../support/resolveAsUser.ts';
import { DaemonFixture } from '../daemon/daemonFixture.ts';
import { call, overHttp, overStdio, type Called, type HttpAddress } from './agentProcess.ts';

/** The daemon's user; for root every owner counts. */
const user = 65_534;
const stranger = 12_345;
/** The SDK's client starts processes as its own user. */
const become = `process.setgroups([]); process.setgid(${user}); process.setuid(${user})`;
const becomeUser = `--import=data:text/javascript,${encodeURIComponent(become)}`;

describe('agents of a daemon whose user is not root', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  const clients: Client[] = [];
  let home: string;
  let environment: Record<string, string>;
  let address: HttpAddress;
  const kept = (client: Client): Client => {
    clients.push(client);
    return client;
  };
  before(async function () {
    if (!canResolveAs(user)) {
      console.log('      not run: this process may not become another user, or that user may not read the checkout');
      this.skip();
    }
    await fixture.open();
    await fixture.openToAll();
    home = await fixture.home('users');
    await chown(home, user, user);
    environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const started = spawn(process.execPath, [fixture.script(), 'serve'], {
      env: fixture.environment(home, environment),
      ...{ uid: user, gid: user, cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] },
    });
    assert.deepEqual(await once(started, 'close'), [0, null]);
    assert.equal((await stat(join(home, 'endpoint.json'))).uid, user);
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint?.url);
    address = { url: endpoint.url, token: endpoint.token };
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  after(() => fixture.close());

  async function workspaceOf(owner: number, name: string): Promise<{ folder: string; file: string }> {
    const folder = await fixture.workspace(name);
    const file = join(folder, '.codebase-mcp', 'config.json');
    for (const path of [file, dirname(file), folder]) await chown(path, owner, owner);
    return { folder, file };
  }

  it('R13: get nothing out of another user’s directory, however they name it, until the user trusts it', async () => {
    const { folder, file } = await workspaceOf(stranger, 'strangers-secret');
    const own = await workspaceOf(user, 'own-shop');
    const text = await readFile(file, 'utf8');
    const plain = kept(await overHttp(address));
    const header = { 'X-Registrar-Directory': encodeURIComponent(folder) };
    const bound = kept(await overHttp(address));
    const sql = 'select current_database()';
    const answers: [Called, string][] = [
      [await call(plain, 'resolve_project', { directory: folder }), 'argument'],
      [await call(plain, 'resolve_project', { directory: `${own.folder}/../strangers-secret` }), 'way around'],
      [await call(plain, 'resolve_project', { directory: folder, dryRun: true }), 'dry run'],
      [await call(plain, 'describe_database', { directory: folder }), 'description'],
      [await call(plain, 'query_database', { directory: folder, sql }), 'query'],
      [await call(kept(await overHttp(address, header)), 'query_database', { sql }), 'header'],
      [await call(bound, 'set_working_directory', { directory: folder }), 'binding'],
      [await call(bound, 'query_database', { sql }), 'bound session'],
      [
        await call(
          kept(await overStdio(fixture, home, ['--directory', folder], { ...environment, NODE_OPTIONS: becomeUser })),
          'resolve_project',
        ),
        'stdio',
      ],
    ];
    for (const [{ isError, text: said, structured }, way] of answers) {
      assert.equal(isError, true, way);
      assert.equal((structured['error'] as { code: string }).code, 'CONFIG_NOT_TRUSTED', way);
      assert.match(said, /^Refused: the user has not trusted this folder\. .*uid 12345.* Ask them\./, way);
      // What stands in the file is told to nobody; the folder's own name is what was asked for.
      assert.ok(!JSON.stringify(structured).replaceAll(folder, '').includes('strangers-secret'), way);
    }
    assert.deepEqual((await call(plain, 'list_projects')).structured['projects'], []);
    assert.equal(await readFile(file, 'utf8'), text);
    assert.deepEqual(await readdir(dirname(file)), ['config.json']);

    await writeFile(join(home, 'settings.json'), JSON.stringify({ trustedFolders: [folder] }));
    const trusted = await call(plain, 'resolve_project', { directory: folder });
    assert.equal(trusted.project, 'strangers-secret', trusted.text);
  });

  it('R13: write nothing into another user’s config file, also where its mode would let them', async () => {
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.mcp.tools': 'all' }));
    const { folder, file } = await workspaceOf(stranger, 'open-secret');
    const own = await workspaceOf(user, 'own-shop');
    for (const path of [folder, dirname(file)]) await chmod(path, 0o777);
    await chmod(file, 0o666);
    const text = await readFile(file, 'utf8');
    const client = kept(await overHttp(address));
    const resolved = await call(client, 'resolve_project', { directory: own.folder });
    assert.equal(resolved.project, 'own-shop', resolved.text);
    for (const [tool, args] of [
      ['create_project', { name: 'mine' }],
      ['create_project', { name: 'open-secret' }],
      ['use_project', { project: 'own-shop' }],
    ] as const) {
      const { structured } = await call(client, tool, { ...args, directory: folder });
      assert.equal((structured['error'] as { code: string }).code, 'CONFIG_NOT_TRUSTED', tool);
      assert.ok(!JSON.stringify(structured).replaceAll(folder, '').includes('open-secret'), tool);
    }
    assert.equal(await readFile(file, 'utf8'), text);
    const { projects } = (await call(client, 'list_projects')).structured as { projects: { name: string }[] };
    assert.ok(!projects.some(({ name }) => name === 'mine' || name === 'open-secret'));
  });

  it('learn of a directory that their user may not enter that it cannot be read, and no more', async () => {
    const client = kept(await overHttp(address));
    const { folder } = await workspaceOf(0, 'hidden-shop');
    const inside = join(folder, 'src');
    await mkdir(inside);
    await chmod(folder, 0o700);
    const answers = await Promise.all(
      [inside, join(folder, 'missing')].map((directory) => call(client, 'resolve_project', { directory })),
    );
    const errors = answers.map(({ structured }) => structured['error'] as { code: string; message: string });
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['DIRECTORY_INVALID', 'DIRECTORY_INVALID'],
    );
    // The same words whether it is there or not.
    assert.deepEqual(
      errors.map(({ message }) => message.replace(folder, '')),
      ['/src cannot be read (EACCES).', '/missing cannot be read (EACCES).'],
    );
  });
});
