import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import pg from 'pg';
import type { ErrorReport } from '../../../daemon/protocol/registrarError.ts';
import { startStatementSpy, type StatementSpy } from '../../support/statementSpy.ts';
import { testServer } from '../../support/testServer.ts';
import { call, overStdio } from '../mcp/agentProcess.ts';
import { DaemonFixture, type CommandResult } from './daemonFixture.ts';
import { FakeWindow } from './fakeWindow.ts';

interface Member {
  home: string;
  role: string;
  environment: Record<string, string>;
}

describe('a project that ann dropped, for bob on another machine (X7)', function () {
  this.timeout(120_000);
  const origin = 'https://example.org/acme/shop.git';
  const fixture = new DaemonFixture();
  const suffix = randomBytes(4).toString('hex');
  const team = `team_${suffix}`;
  let admin: pg.Client;
  let spy: StatementSpy;
  let window: FakeWindow | null = null;
  let agent: Client | null = null;
  let ann: Member;
  let bob: Member;

  before(async () => {
    await fixture.open();
    const server = new URL((await testServer()).url);
    admin = new pg.Client({ connectionString: server.href });
    await admin.connect();
    spy = await startStatementSpy({ host: server.hostname || 'localhost', port: Number(server.port || '5432') });
    const address = new URL(await fixture.address());
    await admin.query(`create role ${team} nologin createdb createrole`);
    await admin.query(`create database ${address.pathname.slice(1)} owner ${team}`);
    ann = await member('ann', 'tower', address);
    bob = await member('bob', 'laptop', address);
  });
  after(async () => {
    window?.client.close();
    await agent?.close();
    await fixture.close();
    for (const role of [ann, bob]) await admin.query(`drop role ${role.role}`);
    await admin.query(`drop role ${team}`);
    await admin.end();
    await spy.close();
  });

  /** A state folder with a daemon and a database role of its own, on a machine and with a user of these names. */
  async function member(name: string, machine: string, address: URL): Promise<Member> {
    const role = `${name}_${suffix}`;
    await admin.query(`create role ${role} login password 'x' in role ${team}`);
    await admin.query(`alter role ${role} set role = '${team}'`);
    const url = new URL(address);
    Object.assign(url, { username: role, password: 'x', host: `127.0.0.1:${String(spy.port)}` });
    url.searchParams.set('sslmode', 'disable');
    const names = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
      const own = os.userInfo(); os.userInfo = () => ({ ...own, username: '${name}' }); os.hostname = () => '${machine}';
      syncBuiltinESMExports();`;
    const home = await fixture.home(name);
    const environment = {
      REGISTRAR_DATABASE_URL: url.href,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(names)}`,
    };
    const { status, stderr } = await fixture.run(home, ['serve'], environment);
    assert.equal(status, 0, stderr);
    return { home, role, environment };
  }

  async function clone(folder: string, from: string): Promise<string> {
    const path = join(fixture.folder, 'clones', folder);
    await mkdir(join(path, '.git'), { recursive: true });
    await mkdir(join(path, '.codebase-mcp'));
    await writeFile(join(path, '.git', 'HEAD'), 'ref: refs/heads/main\n');
    await writeFile(join(path, '.git', 'config'), `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${from}\n`);
    const config = { version: '1.0', project: { name: 'shop' } };
    await writeFile(join(path, '.codebase-mcp', 'config.json'), JSON.stringify(config));
    return path;
  }

  const run = ({ home, environment }: Member, ...args: string[]): Promise<CommandResult> =>
    fixture.run(home, args, environment);

  /** The statements that made a database since the last call. */
  const creations = (): string[] => spy.take().filter((sql) => /^\s*create\s+database/i.test(sql));

  const databases = async (): Promise<string[]> => {
    const { rows } = await admin.query<{ datname: string }>(
      `select datname from pg_database where datdba = '${team}'::regrole and datname like 'cb\\_proj\\_%'`,
    );
    return rows.map(({ datname }) => datname);
  };

  function assertSaysWho(error: ErrorReport | null | undefined): void {
    assert.equal(error?.code, 'PROJECT_DROPPED', JSON.stringify(error));
    assert.match(
      error.message,
      /^ann dropped shop \(\d+ [kM]B, 0 tables\) on \d+ \w{3}, \d\d:\d\d, from tower\. Nothing was made\.$/,
    );
    assert.deepEqual(
      [error.details?.['by'], error.details?.['host'], error.details?.['actor']],
      ['ann@tower', 'tower', ann.role],
    );
  }

  it('is so by his command, his window and his agent, none of which makes a database; another repository takes the name', async () => {
    const [anns, bobs] = [await clone('ann', origin), await clone('bob', origin)];
    const made = (await run(ann, 'resolve', '--directory', anns)).json?.['project'] as { databaseName: string };
    assert.deepEqual([creations().length, await databases()], [1, [made.databaseName]]);
    const drop = await run(ann, 'projects', 'drop', 'shop', '--confirm', made.databaseName);
    assert.equal(drop.status, 0, drop.stdout + drop.stderr);

    const resolve = await run(bob, 'resolve', '--directory', bobs);
    assert.equal(resolve.status, 1, resolve.stderr);
    assertSaysWho(resolve.json?.['error'] as ErrorReport);

    const endpoint = await fixture.endpoint(bob.home);
    assert.ok(endpoint);
    window = new FakeWindow(endpoint.pipe, endpoint.token, [{ path: bobs, trusted: true }], {});
    await window.client.connect();
    await window.until(({ folders }) => folders[0]?.resolution?.outcome !== undefined);
    assertSaysWho(window.folder?.resolution?.error);

    agent = await overStdio(fixture, bob.home, ['--directory', bobs], bob.environment);
    const heard = await call(agent, 'resolve_project');
    assert.equal(heard.isError, true);
    assert.equal((heard.structured['error'] as ErrorReport).code, 'PROJECT_DROPPED');
    assert.match(heard.text, /Dropped by a person\..*Make nothing; tell your user\./s);
    assert.doesNotMatch(heard.text + JSON.stringify(heard.structured), /\bann\b|tower|cb_proj_/);

    assert.deepEqual([creations(), await databases()], [[], []]);

    const other = await clone('other', 'https://example.org/globex/shop.git');
    const { json } = await run(bob, 'resolve', '--directory', other);
    assert.equal(json?.['created'], true, JSON.stringify(json));
    const theirs = json['project'] as { name: string; databaseName: string };
    assert.equal(theirs.name, 'shop');
    assert.deepEqual(await databases(), [theirs.databaseName]);
    assert.equal(creations().length, 1);
    assert.equal((await run(bob, 'resolve', '--directory', bobs)).status, 1);
    assert.deepEqual([creations(), await databases()], [[], [theirs.databaseName]]);
  });
});
