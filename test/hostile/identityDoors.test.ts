import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { DaemonClient } from '../../daemon/client/daemonClient.ts';
import type { FolderState, Snapshot } from '../../daemon/protocol/control.ts';
import { DaemonFixture } from '../postgres/daemon/daemonFixture.ts';
import { call, overHttp, overStdio, type Called } from '../postgres/mcp/agentProcess.ts';
import { git } from '../unit/git/gitFixture.ts';

const victims = 'https://git.example/victim/payments.git';
const mallorys = 'https://git.example/mallory/evil.git';

/** Two real repositories, through every door of the built command and its daemon. */
describe('the database of victim/payments, asked for by mallory/evil', function () {
  this.timeout(180_000);
  const fixture = new DaemonFixture();
  const clients: Client[] = [];
  let home: string;
  let environment: Record<string, string>;
  let payments: string;
  let id: string;
  const evils: string[] = [];
  before(async () => {
    await fixture.open();
    home = await fixture.home('doors');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.mcp.tools': 'all' }));
    environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    payments = await repository('payments', victims, { name: 'payments' });
    const { json } = await fixture.run(home, ['resolve', '--directory', payments], environment);
    id = (json?.['project'] as { id: string }).id;
    // Younger than a minute, it might be about to get its id into a config: everybody would wait for that.
    const registry = new pg.Client({ connectionString: environment['REGISTRAR_DATABASE_URL'] });
    await registry.connect();
    await registry.query(`update projects set created_at = created_at - interval '1 hour'`);
    await registry.end();
    for (const claimed of [{ name: 'evil', id }, { name: 'payments' }, { name: 'payments', id }])
      evils.push(await repository(`evil-${String(evils.length)}`, mallorys, claimed));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  after(() => fixture.close());

  async function repository(name: string, origin: string, project: object): Promise<string> {
    const folder = join(fixture.folder, 'ws', name);
    git(folder, 'init', '--quiet');
    git(folder, 'remote', 'add', 'origin', origin);
    const path = configOf(folder);
    await mkdir(dirname(path));
    await writeFile(path, JSON.stringify({ version: '1.0', project }));
    git(folder, 'add', '--all');
    git(folder, 'commit', '--quiet', '-m', name);
    return folder;
  }

  function configOf(folder: string): string {
    return join(folder, '.codebase-mcp', 'config.json');
  }

  /** Does it for each repository, whose config stays what it is. */
  async function eachEvil(attack: (folder: string) => Promise<void>): Promise<void> {
    for (const folder of evils) {
      const before = await readFile(configOf(folder), 'utf8');
      await attack(folder);
      assert.equal(await readFile(configOf(folder), 'utf8'), before);
    }
    const { json } = await fixture.run(home, ['projects', 'list'], environment);
    assert.deepEqual(
      (json?.['projects'] as { name: string }[]).map(({ name }) => name),
      ['payments'],
    );
  }

  it('I1: is not resolved: a person reads whose it is, and both ways out', async () => {
    await eachEvil(async (folder) => {
      const { status, json } = await fixture.run(home, ['resolve', '--directory', folder], environment);
      const error = json?.['error'] as { code: string; message: string; hint: string };
      assert.deepEqual([status, error.code], [1, 'PROJECT_CONFLICT']);
      assert.match(
        error.message,
        /"payments" belongs to git\.example\/victim\/payments; this folder is git\.example\/mallory/,
      );
      assert.match(error.hint, /registrar init \S+ --local.*registrar use payments/s);
      assert.doesNotMatch(JSON.stringify(json), /cb_proj_/);
    });
  });

  it('I1: is given to no command, no shell and no file', async () => {
    await eachEvil(async (folder) => {
      const ran = join(folder, '..', 'ran');
      const command = [
        'exec',
        '--directory',
        folder,
        '--',
        process.execPath,
        '-e',
        `fs.writeFileSync(${JSON.stringify(ran)}, '')`,
      ];
      const run = await fixture.run(home, command, environment).catch(() => null);
      if (run) assert.equal(run.status, 1);
      assert.equal(existsSync(ran), false);
      for (const args of [['env'], ['env', '--dotenv']]) {
        const { status, stdout } = await fixture.run(home, [...args, '--directory', folder], environment);
        assert.equal(status, 1);
        assert.doesNotMatch(stdout, /cb_proj_/);
      }
    });
  });

  it('I1: is shown to no window as that folder’s', async () => {
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint);
    const events = new EventEmitter();
    let folders: FolderState[] = [];
    const window = new DaemonClient({
      pipe: endpoint.pipe,
      token: () => Promise.resolve(endpoint.token),
      client: {
        kind: 'window',
        version: endpoint.version,
        pid: process.pid,
        folders: evils.map((path) => ({ path, trusted: true })),
        address: { url: null, source: 'environment', variables: {} },
      },
      onSnapshot: (snapshot: Snapshot) => {
        ({ folders } = snapshot);
        events.emit('snapshot');
      },
      limits: { handshakeMs: 20_000, silenceMs: 20_000 },
      connectWithinMs: 20_000,
      start: null,
    });
    await eachEvil(async (folder) => {
      await window.call('status', undefined);
      const signal = AbortSignal.timeout(20_000);
      const seen = (): FolderState | undefined => folders.find(({ path }) => path === folder);
      while (!seen()?.resolution) await once(events, 'snapshot', { signal });
      const state = seen();
      assert.equal(state?.resolution?.error?.code, 'PROJECT_CONFLICT');
      assert.deepEqual([state.resolution.project, state.database], [null, null]);
      assert.doesNotMatch(JSON.stringify(state), /cb_proj_/);
    });
    window.close();
  });

  it('I1: is open to no agent that was started there, over stdio and HTTP, with any tool', async () => {
    const endpoint = await fixture.endpoint(home);
    assert.ok(endpoint?.url);
    const address = { url: endpoint.url, token: endpoint.token };
    await eachEvil(async (folder) => {
      const header = { 'X-Registrar-Directory': encodeURIComponent(folder) };
      const connected = [
        await overHttp(address, header),
        await overStdio(fixture, home, ['--directory', folder], environment),
        await overHttp(address),
      ];
      clients.push(...connected);
      for (const [index, client] of connected.entries()) {
        const where = index === 2 ? { directory: folder } : {};
        const answers: [string, Called][] = [];
        for (const [tool, args] of [
          ['resolve_project', {}],
          ['resolve_project', { expect: 'payments' }],
          ['query_database', { sql: 'select * from cards' }],
          ['describe_database', {}],
          ['use_project', { project: 'payments', directory: folder }],
          ['create_project', { name: 'payments', directory: folder }],
          ['create_project', { name: 'payments' }],
        ] as const)
          answers.push([tool, await call(client, tool, { ...where, ...args })]);
        for (const [tool, { isError, structured, text }] of answers) {
          assert.equal(isError, true, tool);
          assert.match(text, /user/, tool);
          const told = JSON.stringify([structured['error'], text]).replaceAll(folder, '');
          assert.doesNotMatch(told, /cb_proj_|victim|git\.example|cards/, tool);
          assert.ok(!told.includes(id), tool);
        }
      }
    });
  });

  it('I1: is shared once a person typed whose it is, and every door is open then', async () => {
    const [folder] = evils;
    assert.ok(folder);
    const use = ['use', 'payments', '--directory', folder];
    assert.equal((await fixture.run(home, use, environment)).status, 1);
    const wrong = await fixture.run(home, [...use, '--confirm', mallorys], environment);
    assert.equal((wrong.json?.['error'] as { code: string }).code, 'CONFIRMATION_REQUIRED');
    const { status, stdout } = await fixture.run(home, [...use, '--confirm', victims], environment);
    assert.equal(status, 0, stdout);
    await fixture.run(home, ['stop']);
    const again = await fixture.run(home, ['resolve', '--directory', folder], environment);
    assert.deepEqual([again.status, again.json?.['warnings']], [0, []]);
    assert.match((await fixture.run(home, ['env', '--directory', folder], environment)).stdout, /cb_proj_payments/);
  });
});
