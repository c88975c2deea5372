import assert from 'node:assert/strict';
import type { OwnDaemon } from '../../../daemon/cli/cliContext.ts';
import { cli, daemonStatus, path } from './fakeCli.ts';

describe('the commands about the daemon', () => {
  it('status says what the daemon does, with the folders of windows', async () => {
    const folders = [{ path: '/home/a/shop', trusted: false }];
    const window = { kind: 'window' as const, version: '0.1.0', pid: 1, folders, since: daemonStatus.started };
    const status = async () => ({ ...daemonStatus, clients: [window] });
    const run = await cli(['status'], { daemon: { status } });
    assert.equal(run.status, 0);
    assert.deepEqual(run.stdout.split('\n'), [
      'daemon: 0.1.0, process 4711, up 5 min, 80 MB',
      'state: ~/.local/state/project-registrar',
      'server: localhost:5432 (bundled)',
      'windows: 1',
      '  ~/shop  restricted',
      'agents: 0',
      'sync: everything is registered',
      'deliveries: 0 delivered, 0 failed',
      'connections: 1 open, 1 idle, 0 waiting',
      '',
    ]);
    const json = JSON.parse((await cli(['status', '--json'], { daemon: { status } })).stdout) as { pid: number };
    assert.equal(json.pid, 4711);
  });

  it('status says in which databases agents may do what a rollback does not undo, and the statement that ends it', async () => {
    const functions = ['pg_logical_emit_message(boolean,text,text)', 'lo_create(oid)'];
    const lastingWrites = ['cb_proj_a_11111111', 'cb_proj_b_22222222'].map((databaseName) => ({
      databaseName,
      functions,
    }));
    const run = await cli(['status'], { daemon: { status: async () => ({ ...daemonStatus, lastingWrites }) } });
    assert.match(run.stdout, /a rollback does not undo, in: cb_proj_a_11111111, cb_proj_b_22222222\n/);
    assert.ok(run.stdout.includes(`REVOKE EXECUTE ON FUNCTION ${functions.join(', ')} FROM PUBLIC;`), run.stdout);
    assert.ok(!(await cli(['status'], { daemon: { status: async () => daemonStatus } })).stdout.includes('rollback'));
  });

  it('status starts nothing, and ends with 3 when nothing runs', async () => {
    const run = await cli(['status']);
    assert.equal(run.status, 3);
    assert.match(run.stdout, /^The daemon is not running\.\nnext: /);
    assert.deepEqual(run.calls, []);
  });

  it('status says why there is no PostgreSQL', async () => {
    const error = {
      code: 'POSTGRES_NOT_CHOSEN' as const,
      message: 'No PostgreSQL is chosen yet.',
      hint: 'Choose one.',
    };
    const run = await cli(['status'], { daemon: { status: async () => ({ ...daemonStatus, server: null, error }) } });
    assert.match(run.stdout, /\nserver: none, No PostgreSQL is chosen yet\.\n {2}next: Choose one\.\n/);
  });

  it('serve says what it started; in the foreground it stays until it is stopped or ends by itself', async () => {
    assert.match((await cli(['serve'])).stdout, /process 4711/);
    let ends = 0;
    const own = (ended: Promise<void>): OwnDaemon => ({
      pid: 4712,
      ended,
      end: async () => {
        ends += 1;
      },
    });
    const stopped = await cli(['serve', '--foreground'], {
      daemon: { become: async () => own(new Promise(() => undefined)) },
    });
    assert.deepEqual(path(stopped), ['untilStopped']);
    assert.equal(ends, 1);
    await cli(['serve', '--foreground'], {
      daemon: { become: async () => own(Promise.resolve()) },
      context: { untilStopped: () => new Promise(() => undefined) },
    });
    assert.equal(ends, 2);
  });

  it('serve --foreground listens for its end before it serves anybody', async () => {
    const order: string[] = [];
    await cli(['serve', '--foreground'], {
      daemon: {
        become: async () => {
          order.push('serves');
          return null;
        },
      },
      context: {
        untilStopped: async () => {
          order.push('listens');
        },
      },
    });
    assert.deepEqual(order, ['listens', 'serves']);
  });

  it('serve --foreground does not wait where another process serves', async () => {
    const run = await cli(['serve', '--foreground', '--json'], {
      context: { untilStopped: () => new Promise(() => undefined) },
    });
    assert.deepEqual(JSON.parse(run.stdout), { running: true, isThisProcess: false });
  });

  it('stop says whether there was anything to stop', async () => {
    assert.equal((await cli(['stop'])).stdout, 'The daemon was not running.\n');
    const run = await cli(['stop', '--json'], { daemon: { stop: async () => true } });
    assert.deepEqual(JSON.parse(run.stdout), { stopped: true });
  });

  it('log prints lines for people, one document as JSON, and JSON lines while it follows', async () => {
    assert.equal((await cli(['log'])).stdout, '2026-11-03T09:00:00.000Z  info  daemon started  pid=4711\n');
    const { entries } = JSON.parse((await cli(['log', '--json'])).stdout) as { entries: { pid: number }[] };
    assert.equal(entries[0]?.pid, 4711);
    const followed = await cli(['log', '-f', '--json']);
    assert.equal((JSON.parse(followed.stdout) as { pid: number }).pid, 4711);
  });
});
