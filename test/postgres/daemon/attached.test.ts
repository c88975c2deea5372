import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { testServer } from '../../support/testServer.ts';
import { DaemonFixture, gone, isAlive } from './daemonFixture.ts';

describe('those who are attached to the daemon', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  before(() => fixture.open());
  after(() => fixture.close());

  /** Another process's look at its clients sends no event. */
  const untilNoWindow = async (home: string): Promise<void> => {
    const client = await fixture.client(home);
    const giveUpAt = performance.now() + 20_000;
    while ((await client.call('status', undefined)).clients.some(({ kind }) => kind === 'window')) {
      if (performance.now() > giveUpAt) throw new Error('the window is still attached');
      await delay(10);
    }
    client.close();
  };

  it('R13: an untrusted window vetoes commands and agents in its folder, and nobody when it has gone', async () => {
    const home = await fixture.home('veto');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const [restricted, free] = [await fixture.workspace('restricted'), await fixture.workspace('free')];
    const command = await fixture.client(home, environment);
    await command.call('status', undefined);
    const agent = await fixture.attach(home, 'forwarder');
    const window = await fixture.attach(home, 'window', [{ path: restricted, trusted: false }]);
    for (const caller of [command.call.bind(command), agent.request.bind(agent)]) {
      const refused = await caller('resolve', { directory: restricted });
      assert.equal(refused.outcome, 'refused');
      assert.equal(refused.error?.code, 'CONFIG_NOT_TRUSTED');
      assert.equal((await caller('resolve', { directory: free })).outcome, 'resolved');
    }
    const { projects } = await command.call('listProjects', {});
    assert.deepEqual(
      projects.map(({ name }) => name),
      ['free'],
    );
    assert.equal(await configId(restricted), undefined);
    // Trusted from now on, in the same window; then not, and then it leaves.
    await window.request('setFolders', { folders: [{ path: restricted, trusted: true }] });
    assert.equal((await agent.request('resolve', { directory: restricted, dryRun: true })).error, null);
    await window.request('setFolders', { folders: [{ path: restricted, trusted: false }] });
    assert.equal((await agent.request('resolve', { directory: restricted })).error?.code, 'CONFIG_NOT_TRUSTED');
    window.close();
    await untilNoWindow(home);
    const answer = await agent.request('resolve', { directory: restricted });
    assert.equal(answer.outcome, 'resolved', JSON.stringify(answer.error));
    assert.equal(answer.created, true);
    await fixture.run(home, ['stop']);
  });

  it('R9: two of them resolve two directories at once, each its own, and expect refuses the other’s', async () => {
    const home = await fixture.home('two');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address() };
    const [first, second] = [await fixture.workspace('one'), await fixture.workspace('other')];
    const starter = await fixture.client(home, environment);
    await starter.call('status', undefined);
    const one = await fixture.attach(home, 'forwarder');
    const other = await fixture.attach(home, 'forwarder');
    const askBoth = (): Promise<(string | undefined)[]> =>
      Promise.all([
        one.request('resolve', { directory: first }).then(({ project }) => project?.name),
        other.request('resolve', { directory: second }).then(({ project }) => project?.name),
      ]);
    const answers = await Promise.all(Array.from({ length: 10 }, askBoth));
    for (const names of answers) assert.deepEqual(names, ['one', 'other']);
    const refused = await one.request('resolve', { directory: first, expect: 'other' });
    assert.equal(refused.error?.code, 'PROJECT_MISMATCH');
    await fixture.run(home, ['stop']);
  });

  it('hear that a suspended daemon does not answer, and go on with it when it does', async () => {
    const home = await fixture.home('suspended');
    const client = await fixture.client(home);
    const { pid } = await client.call('status', undefined);
    process.kill(pid, 'SIGSTOP');
    const [attached, sync, stop] = await Promise.all([
      client.call('status', undefined).then(
        () => 'answered',
        (error: unknown) => (error as { code?: string }).code,
      ),
      fixture.run(home, ['sync']),
      fixture.run(home, ['stop']),
    ]);
    assert.equal(attached, 'DAEMON_UNREACHABLE');
    for (const { json, status } of [sync, stop]) {
      assert.equal((json?.['error'] as { code?: string } | undefined)?.code, 'DAEMON_UNREACHABLE');
      assert.equal(status, 3);
    }
    assert.ok(isAlive(pid));
    process.kill(pid, 'SIGCONT');
    assert.equal((await client.call('status', undefined)).pid, pid);
    await fixture.run(home, ['stop']);
    await gone(pid);
  });

  it('end their statement on the server when they cancel it, and when they go', async () => {
    const home = await fixture.home('cancelling');
    const address = await fixture.address();
    const directory = await fixture.workspace('cancelling');
    const client = await fixture.client(home, { REGISTRAR_DATABASE_URL: address });
    const registry = new pg.Client({ connectionString: (await testServer()).url });
    await registry.connect();
    /** Seen from another session, which no event reaches. */
    const sleepersAre = async (count: number): Promise<void> => {
      const limit = AbortSignal.timeout(60_000);
      const text = `select count(*)::int as count from pg_stat_activity where query = $1`;
      while ((await registry.query<{ count: number }>(text, [sql])).rows[0]?.count !== count) {
        await delay(10, undefined, { signal: limit });
      }
    };
    const sql = `select pg_sleep(600) as "${process.pid}"`;
    const cancel = new AbortController();
    const cancelled = client.call('queryDatabase', { directory, sql }, cancel.signal);
    const rejected = assert.rejects(cancelled, { message: 'enough' });
    await sleepersAre(1);
    cancel.abort(new Error('enough'));
    await rejected;
    await sleepersAre(0);

    const leaver = await fixture.attach(home, 'forwarder');
    const lost = assert.rejects(leaver.request('queryDatabase', { directory, sql }), { kind: 'lost' });
    await sleepersAre(1);
    leaver.close();
    await Promise.all([lost, sleepersAre(0)]);
    await registry.end();
    await fixture.run(home, ['stop']);
    // By its limit of time each would have ended, too.
    const log = await readFile(join(home, 'logs', 'registrar.log'), 'utf8');
    assert.equal(log.match(/"operation":"query".*"msg":"cancelled"/g)?.length, 2, log);
  });

  it('are no longer needed to keep it while a project waits for the registry', async () => {
    const home = await fixture.home('pending');
    const address = await fixture.address();
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.daemon.idleMinutes': 0.01 }));
    const client = await fixture.client(home, { REGISTRAR_DATABASE_URL: address });
    await client.call('resolve', { directory: await fixture.workspace('early') });
    const { pid } = await client.call('status', undefined);
    const registry = new pg.Client({ connectionString: address });
    await registry.connect();
    await registry.query(`
      create function refuse() returns trigger language plpgsql as
        $$ begin raise exception using errcode = '53100', message = 'No space left on device'; end $$;
      create trigger refuse before insert on projects for each row execute function refuse()`);
    const late = await client.call('resolve', { directory: await fixture.workspace('late') });
    assert.equal(late.sync?.state, 'pending');
    client.close();
    // Many times the idle time; its end, if it came, would be in the log before the delivery.
    await registry.query('select pg_sleep(1)');
    await registry.query('drop trigger refuse on projects');
    await registry.end();
    await gone(pid, 30_000);
    const log = await readFile(join(home, 'logs', 'registrar.log'), 'utf8');
    const [synced, ended] = [log.lastIndexOf('"sync":"postgresql"'), log.lastIndexOf('daemon ends: no longer needed')];
    assert.ok(synced > 0 && synced < ended, log);
  });

  it('keep it while they are, whatever the clock says, and it ends when they have gone', async () => {
    const home = await fixture.home('clock');
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'registrar.daemon.idleMinutes': 0.01 }));
    const clock = join(import.meta.dirname, '../../support/jumpingClock.mjs');
    const environment = { REGISTRAR_DATABASE_URL: await fixture.address(), NODE_OPTIONS: `--import=${clock}` };
    const directory = await fixture.workspace('clock');
    const command = await fixture.client(home, environment);
    const { pid } = await command.call('status', undefined);
    const window = await fixture.attach(home, 'window', [{ path: directory, trusted: true }]);
    command.close();
    for (let call = 0; call < 50; call += 1) {
      assert.equal((await window.request('resolve', { directory })).outcome, 'resolved');
    }
    assert.deepEqual((await window.request('syncStatus', undefined)).pending, []);
    window.close();
    await gone(pid, 30_000);
    assert.match(await readFile(join(home, 'logs', 'registrar.log'), 'utf8'), /daemon ends: no longer needed/);
  });
});

async function configId(folder: string): Promise<unknown> {
  const text = await readFile(join(folder, '.codebase-mcp', 'config.json'), 'utf8');
  return (JSON.parse(text) as { project: { id?: string } }).project.id;
}
