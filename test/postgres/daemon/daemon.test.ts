import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DaemonFixture, gone, type CommandResult } from './daemonFixture.ts';

describe('the daemon', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open(['1.0.0', '1.1.0']));
  after(() => fixture.close());

  const codeOf = ({ json }: CommandResult): unknown => (json?.['error'] as { code?: string } | undefined)?.code;
  const nameOf = ({ json }: CommandResult): unknown =>
    (json?.['project'] as { name?: string } | null | undefined)?.name;

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

  it('R9: answers two directories independently, and refuses a project that was not expected', async () => {
    const home = await fixture.home('two');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const [one, other] = [await fixture.workspace('one'), await fixture.workspace('other')];
    const answers = await Promise.all([
      fixture.run(home, ['resolve', '--directory', one], environment),
      fixture.run(home, ['resolve', '--directory', other], environment),
    ]);
    assert.deepEqual(answers.map(nameOf), ['one', 'other']);
    const refused = await fixture.run(home, ['resolve', '--directory', one, '--expect', 'other'], environment);
    assert.equal(codeOf(refused), 'PROJECT_MISMATCH');
    await fixture.run(home, ['stop']);
  });

  it('E4: runs without a PostgreSQL, says that none is chosen, and takes one that is chosen later', async () => {
    const home = await fixture.home('unchosen');
    const directory = await fixture.workspace('unchosen');
    const refused = await fixture.run(home, ['resolve', '--directory', directory]);
    assert.equal(codeOf(refused), 'POSTGRES_NOT_CHOSEN');
    assert.equal(refused.status, 3);
    const pid = await fixture.pid(home);
    assert.equal((await readdir(home)).includes('postgres'), false);
    const chosen = await fixture.run(home, ['postgres', await fixture.address()]);
    assert.equal(chosen.status, 0, chosen.stdout);
    assert.equal(nameOf(await fixture.run(home, ['resolve', '--directory', directory])), 'unchosen');
    assert.equal(await fixture.pid(home), pid);
    await fixture.run(home, ['stop']);
  });

  it('serves one address: another is refused, both named, until someone changes it on purpose', async () => {
    const home = await fixture.home('addresses');
    const [first, second] = [await fixture.address(), await fixture.address()];
    const directory = await fixture.workspace('moving');
    await fixture.run(home, ['resolve', '--directory', directory], { REGISTRAR_DATABASE_URL: first });
    const refused = await fixture.run(home, ['resolve', '--directory', directory], { REGISTRAR_DATABASE_URL: second });
    assert.equal(codeOf(refused), 'ADDRESS_MISMATCH');
    for (const url of [first, second]) assert.ok(refused.stdout.includes(new URL(url).pathname));
    const changed = await fixture.run(home, ['postgres', second]);
    assert.equal(changed.status, 0, changed.stdout);
    const [left] = changed.json?.['leftBehind'] as { name: string; command: string }[];
    assert.equal(left?.name, 'moving');
    assert.match(left.command, /^pg_dump --create '[^' ]+\/cb_proj_moving_[0-9a-f]{8}' \| psql '[^' ]+\/postgres'$/);
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

  it('is one however many commands start it at once, also on what a killed one left', async () => {
    const home = await fixture.home('many');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    await fixture.run(home, ['serve'], environment);
    const killed = await fixture.pid(home);
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    assert.equal((await readdir(home)).includes('daemon.sock'), true);
    const answers = await Promise.all(Array.from({ length: 12 }, () => fixture.run(home, ['sync'], environment)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([0]));
    const log = await readFile(join(home, 'logs', 'registrar.log'), 'utf8');
    const pid = await fixture.pid(home);
    const started = [...log.matchAll(/"pid":(\d+),"msg":"daemon started"/g)].map((match) => Number(match[1]));
    assert.ok(started.includes(pid));
    for (const other of started) if (other !== pid) await gone(other);
    await fixture.run(home, ['stop']);
  });

  it('is told from a suspended one, which is not killed and serves again when it goes on', async () => {
    const home = await fixture.home('suspended');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    await fixture.run(home, ['serve'], environment);
    const pid = await fixture.pid(home);
    process.kill(pid, 'SIGSTOP');
    const refused = await fixture.run(home, ['sync'], environment);
    assert.equal(codeOf(refused), 'DAEMON_UNREACHABLE');
    assert.equal(refused.status, 3);
    assert.equal(codeOf(await fixture.run(home, ['stop'])), 'DAEMON_UNREACHABLE');
    process.kill(pid, 'SIGCONT');
    assert.equal((await fixture.run(home, ['sync'], environment)).status, 0);
    assert.equal(await fixture.pid(home), pid);
    await fixture.run(home, ['stop']);
  });

  it('is not believed to be whoever squats its socket, and nothing is told to that one', async () => {
    const home = await fixture.home('squatted');
    let heard = '';
    const squatter = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (bytes) => {
          heard += bytes.toString();
          const id = /"id":(\d+)/.exec(bytes.toString())?.[1] ?? '0';
          const reply = `{"jsonrpc":"2.0","id":${id},"result":{"nonce":"x","proof":"y","version":"1.0.0"}}`;
          socket.write(`Content-Length: ${reply.length}\r\n\r\n${reply}`);
        });
    }).listen(join(home, 'daemon.sock'));
    await once(squatter, 'listening');
    const refused = await fixture.run(home, ['sync'], { REGISTRAR_DATABASE_URL: 'postgresql://a:secret@localhost' });
    assert.equal(codeOf(refused), 'DAEMON_UNREACHABLE');
    assert.match(heard, /registrar\/hello/);
    assert.doesNotMatch(heard, /secret|initialize/);
    squatter.close();
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

  it('gives its place to a newer version without a failed call, and serves an older client', async () => {
    const home = await fixture.home('versions');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    await fixture.run(home, ['serve'], environment);
    const old = await fixture.pid(home);
    const load = Array.from({ length: 4 }, async () => {
      const statuses: (number | null)[] = [];
      for (let call = 0; call < 5; call += 1) statuses.push((await fixture.run(home, ['sync'], environment)).status);
      return statuses;
    });
    const newer = await fixture.run(home, ['sync'], environment, '1.1.0');
    assert.equal(newer.status, 0, newer.stdout);
    assert.deepEqual(new Set((await Promise.all(load)).flat()), new Set([0]));
    await gone(old);
    assert.equal((await fixture.run(home, ['status'])).json?.['version'], '1.1.0');
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
    assert.match(await readFile(join(home, 'logs', 'registrar.log'), 'utf8'), /daemon ends: nobody needs it/);
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
