import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { libpqVariables } from '../../../daemon/protocol/libpqVariables.ts';
import { DaemonFixture, isAlive } from './daemonFixture.ts';

/** What the child says of itself: its arguments, the variables of PostgreSQL, and the database that it reaches with them. */
const witness = `
  const pg = require(${JSON.stringify(join(import.meta.dirname, '../../../node_modules/pg'))});
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  client.connect().then(() => client.query('select current_database() as name')).then(async ({ rows }) => {
    const variables = Object.entries(process.env).filter(([name]) => name.startsWith('PG') || name === 'DATABASE_URL');
    console.log(JSON.stringify({ pid: process.pid, name: rows[0].name, variables: Object.fromEntries(variables) }));
    await client.end();
    process.stdin.resume().on('data', (text) => { if (String(text).includes('end')) process.exit(9); });
  });`;

describe('X3: registrar exec, the built command', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  let home = '';
  let directory = '';

  before(async function () {
    if (process.platform === 'win32') {
      console.log('      not run: these are the rules of POSIX systems');
      this.skip();
    }
    await fixture.open();
    home = await fixture.home('exec');
    directory = await fixture.workspace('exec');
    // Kept, so that no terminal's variables count.
    const url = new URL(await fixture.address());
    const PGPASSWORD = decodeURIComponent(url.password);
    url.password = '';
    const made = await fixture.run(home, ['postgres', url.href], { PGPASSWORD });
    assert.equal(made.status, 0, made.stdout);
    const first = await fixture.run(home, ['resolve', '--directory', directory], { PGPASSWORD });
    assert.equal(first.status, 0, first.stdout);
  });
  const started: ChildProcess[] = [];
  after(async () => {
    // Whatever a failed test left waiting for its input.
    for (const run of started) run.stdin?.destroy();
    await fixture.close();
  });

  function exec(command: string[], environment: Record<string, string> = {}) {
    const run = spawn(process.execPath, [fixture.script(), 'exec', '--directory', directory, '--', ...command], {
      env: fixture.environment(home, environment),
      stdio: 'pipe',
      cwd: directory,
    });
    started.push(run);
    const output = { stdout: '', stderr: '' };
    run.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    run.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    return { run, output };
  }

  it('gives the command the database, its input and its status, and nothing of the caller’s own PostgreSQL', async () => {
    const others = Object.fromEntries(
      libpqVariables.filter((name) => !['PGPASSWORD', 'PGPASSFILE'].includes(name)).map((name) => [name, 'other']),
    );
    const { run, output } = exec([process.execPath, '-e', witness], others);
    while (!output.stdout.includes('\n')) await once(run.stdout, 'data');
    const said = JSON.parse(output.stdout) as { pid: number; name: string; variables: Record<string, string> };
    assert.match(said.name, /^cb_proj_exec_[0-9a-f]{8}$/);
    assert.equal(said.variables['PGDATABASE'], said.name);
    const ours = ['DATABASE_URL', 'PGDATABASE', 'PGHOST', 'PGPASSWORD', 'PGPORT', 'PGUSER'];
    assert.deepEqual(Object.keys(said.variables).sort(), ours);
    run.stdin.end('end\n');
    assert.deepEqual(await once(run, 'close'), [9, null]);
    assert.equal(output.stderr, '');
  });

  it('becomes the command where Node can, and the daemon stays as long as that runs', async function () {
    if (process.platform !== 'linux' || !('execve' in process)) {
      console.log('      not run: only Linux, with a newer Node, does it');
      this.skip();
    }
    // By way of the shell, since a Node that was installed this minute is not run in the command's place.
    const { run, output } = exec(['sh', '-c', 'exec "$0" -e "$1"', process.execPath, witness]);
    while (!output.stdout.includes('\n')) await once(run.stdout, 'data');
    assert.equal((JSON.parse(output.stdout) as { pid: number }).pid, run.pid);
    // Nothing of the command's is left open in it, least of all the daemon's socket, which knows every project.
    const open = readdirSync(`/proc/${run.pid}/fd`).map((name) => readlinkOrNone(`/proc/${run.pid}/fd/${name}`));
    assert.deepEqual(
      open.filter((target) => target.includes(home)),
      [],
    );
    run.stdin.end('end\n');
    await once(run, 'close');
    assert.ok(isAlive(await fixture.pid(home)));
  });

  it('lets each signal arrive once and tells its end', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const { run, output } = exec([process.execPath, join(import.meta.dirname, '../../support/signalCounter.cjs')]);
      while (!/ready \d+\n/.test(output.stdout)) await once(run.stdout, 'data');
      run.kill(signal);
      while (!output.stdout.endsWith(`${signal.slice(3)}\n`)) await once(run.stdout, 'data');
      run.stdin.end('end\n');
      assert.deepEqual(await once(run, 'close'), [7, null]);
      assert.match(output.stdout, new RegExp(`^ready \\d+\n${signal.slice(3)}\n$`));
    }
  });

  it('says with 127 and 126 what could not be run', async () => {
    for (const [command, status, says] of [
      ['no-such-command', 127, 'INVALID_ARGUMENT: no-such-command was not found; nothing was run.\n'],
      [directory, 126, `INVALID_ARGUMENT: ${directory} is a folder; nothing was run.\n`],
    ] as const) {
      const { run, output } = exec([command]);
      const [code] = (await once(run, 'close')) as [number];
      assert.equal(code, status, output.stderr);
      assert.ok(output.stderr.startsWith(says), output.stderr);
    }
  });

  it('runs nothing in a folder that has no project, or is gone', async () => {
    const bare = await fixture.workspace('bare');
    const { run, output } = exec(['sh', '-c', 'echo ran']);
    await once(run, 'close');
    assert.equal(output.stdout, 'ran\n');
    await rm(join(bare, '.codebase-mcp'), { recursive: true });
    const refused = spawn(process.execPath, [fixture.script(), 'exec', '--', 'echo', 'ran'], {
      env: fixture.environment(home),
      cwd: bare,
    });
    let stdout = '';
    refused.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    assert.deepEqual(await once(refused, 'close'), [1, null]);
    assert.equal(stdout, '');
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "${process.execPath}" "${fixture.script()}" exec -- echo ran`;
    const lost = spawn('sh', ['-c', script], { env: fixture.environment(home), cwd: bare });
    let stderr = '';
    lost.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    assert.deepEqual(await once(lost, 'close'), [1, null]);
    assert.match(stderr, /^DIRECTORY_INVALID: The working directory has been deleted\.\n/);
  });
});

function readlinkOrNone(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return '';
  }
}
