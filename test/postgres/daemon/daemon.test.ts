import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DaemonFixture, gone, type CommandResult } from './daemonFixture.ts';

describe('the daemon', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  const codeOf = ({ json }: CommandResult): unknown => (json?.['error'] as { code?: string } | undefined)?.code;
  const nameOf = ({ json }: CommandResult): unknown =>
    (json?.['project'] as { name?: string } | null | undefined)?.name;

  /** An argument holds no password. */
  const withoutPassword = (address: string): { url: string; environment: Record<string, string> } => {
    const url = new URL(address);
    const environment = { PGPASSWORD: decodeURIComponent(url.password) };
    url.password = '';
    return { url: url.href, environment };
  };

  it('is started by the first command, shared by the next, and ends when told', async () => {
    const home = await fixture.home('shared');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const directory = await fixture.workspace('shared');
    const first = await fixture.run(home, ['resolve', '--directory', directory], environment);
    assert.equal(nameOf(first), 'shared', first.stderr);
    const pid = await fixture.pid(home);
    // The next one brings no address: the daemon has one.
    const second = await fixture.run(home, ['resolve', '--directory', directory]);
    assert.equal(nameOf(second), 'shared');
    assert.equal(await fixture.pid(home), pid);
    assert.equal((await fixture.run(home, ['status'])).json?.['pid'], pid);
    assert.deepEqual((await fixture.run(home, ['stop'])).json, { stopped: true });
    await gone(pid);
    assert.deepEqual((await fixture.run(home, ['status'])).json, { running: false });
    assert.equal((await readdir(home)).includes('daemon.sock'), false);
  });

  it('E4: runs without a PostgreSQL, says that none is chosen, and takes one that is chosen later', async () => {
    const home = await fixture.home('unchosen');
    const directory = await fixture.workspace('unchosen');
    const refused = await fixture.run(home, ['resolve', '--directory', directory]);
    assert.equal(codeOf(refused), 'POSTGRES_NOT_CHOSEN');
    assert.equal(refused.status, 3);
    const pid = await fixture.pid(home);
    assert.equal((await readdir(home)).includes('postgres'), false);
    const { url, environment } = withoutPassword(await fixture.address());
    const chosen = await fixture.run(home, ['postgres', url], environment);
    assert.equal(chosen.status, 0, chosen.stdout);
    assert.equal(nameOf(await fixture.run(home, ['resolve', '--directory', directory])), 'unchosen');
    assert.equal(await fixture.pid(home), pid);
    await fixture.run(home, ['stop']);
  });

  it('X5: serves one address: another is refused, both named, until someone changes it on purpose', async () => {
    const home = await fixture.home('addresses');
    const [first, second] = [await fixture.address(), await fixture.address()];
    const directory = await fixture.workspace('moving');
    await fixture.run(home, ['resolve', '--directory', directory], { REGISTRAR_DATABASE_URL: first });
    const refused = await fixture.run(home, ['resolve', '--directory', directory], { REGISTRAR_DATABASE_URL: second });
    assert.equal(codeOf(refused), 'ADDRESS_MISMATCH');
    for (const named of [first, second]) assert.ok(refused.stdout.includes(new URL(named).pathname));
    const { url, environment } = withoutPassword(second);
    const changed = await fixture.run(home, ['postgres', url], environment);
    assert.equal(changed.status, 0, changed.stdout);
    const [left] = changed.json?.['leftBehind'] as { name: string; command: string }[];
    assert.equal(left?.name, 'moving');
    assert.match(
      left.command,
      /^psql '?[^' ]+\/postgres'? --command 'comment on database "cb_proj_moving_[0-9a-f]{8}" is /,
    );
    const listed = await fixture.run(home, ['projects', 'list'], { REGISTRAR_DATABASE_URL: second });
    assert.deepEqual(listed.json, { projects: [] });
    await fixture.run(home, ['stop']);
  });

  it('trusts a folder from the moment that somebody says so', async () => {
    const home = await fixture.home('trust');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const directory = await fixture.workspace('trusted');
    await fixture.run(home, ['serve'], environment);
    const pid = await fixture.pid(home);
    await fixture.run(home, ['trust', directory]);
    assert.equal(nameOf(await fixture.run(home, ['resolve', '--directory', directory], environment)), 'trusted');
    assert.equal(await fixture.pid(home), pid);
    await fixture.run(home, ['stop']);
  });

  it('writes its endpoint file again when somebody writes garbage into it', async () => {
    const home = await fixture.home('garbage');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    await fixture.run(home, ['serve'], environment);
    const before = await fixture.endpoint(home);
    for (const garbage of ['', '{"pid": 1, "token": "x"}', JSON.stringify({ ...before, token: 'ef'.repeat(32) })]) {
      await writeFile(join(home, 'endpoint.json'), garbage);
      assert.equal((await fixture.run(home, ['sync'], environment)).status, 0);
      assert.deepEqual(await fixture.endpoint(home), before);
    }
    await fixture.run(home, ['stop']);
    await fixture.run(home, ['serve'], environment);
    assert.equal((await fixture.endpoint(home))?.token, before?.token);
    await fixture.run(home, ['stop']);
  });

  it('ends in order at SIGTERM, SIGINT and SIGHUP', async () => {
    const home = await fixture.home('signals');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
      const pid = await fixture.pid(home);
      process.kill(pid, signal);
      await gone(pid);
      assert.equal((await readdir(home)).includes('daemon.sock'), false);
    }
  });

  it('ends when it has been idle, and when its state folder is removed', async () => {
    const home = await fixture.home('idle');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.daemon.idleMinutes': 0.005 }));
    await fixture.run(home, ['serve'], { REGISTRAR_DATABASE_URL: await fixture.address() });
    await gone(await fixture.pid(home));
    assert.match(await readFile(join(home, 'logs', 'registrar.log'), 'utf8'), /daemon ends: no longer needed/);
    const removed = await fixture.home('removed');
    await fixture.run(removed, ['serve']);
    const pid = await fixture.pid(removed);
    // The daemon may still be writing there.
    await rm(removed, { recursive: true, maxRetries: 10 });
    await gone(pid);
  });

  it('works below a state folder whose path is longer than sockets allow', async () => {
    const home = await fixture.home(`${'long'.repeat(20)}/${'er'.repeat(20)}`);
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    assert.equal((await fixture.run(home, ['sync'], environment)).status, 0);
    assert.match((await fixture.endpoint(home))?.pipe ?? '', /^\/tmp\/project-registrar-\d+\/[0-9a-f]{32}\.sock$/);
    await fixture.run(home, ['stop']);
  });

  it('says what prevents it from starting', async () => {
    const home = await fixture.home('file');
    await writeFile(join(home, 'logs'), 'in the way');
    const refused = await fixture.run(home, ['sync']);
    assert.equal(refused.status, 3);
    assert.equal(codeOf(refused), 'DAEMON_UNREACHABLE');
  });
});
