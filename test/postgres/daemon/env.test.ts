import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { libpqVariables } from '../../../daemon/protocol/libpqVariables.ts';
import { DaemonFixture } from './daemonFixture.ts';

/** Prints the database that an app reaches by DATABASE_URL, and the one by the PG… variables alone; or why it reaches none. */
const app = `
  const pg = require(${JSON.stringify(join(import.meta.dirname, '../../../node_modules/pg'))});
  const reach = async (options) => {
    const client = new pg.Client({ connectionTimeoutMillis: 20000, ...options });
    try {
      await client.connect();
      return (await client.query('select current_database() as name')).rows[0].name;
    } catch (error) { return error.code ?? error.message; } finally { await client.end().catch(() => {}); }
  };
  (async () => console.log('reached', await reach({ connectionString: process.env.DATABASE_URL }), await reach({})))();`;

interface ShellCase {
  name: string;
  arguments: string[];
  /** Gets the variables, and puts the status of that into $got. */
  evaluate: (options: string) => string;
}

const posix = (options: string): string => `eval "$(registrar env ${options})"; got=$?`;
const shells: ShellCase[] = [
  { name: 'sh', arguments: ['-c'], evaluate: posix },
  { name: 'dash', arguments: ['-c'], evaluate: posix },
  { name: 'bash', arguments: ['--norc', '-c'], evaluate: posix },
  { name: 'zsh', arguments: ['-f', '-c'], evaluate: posix },
  {
    name: 'fish',
    arguments: ['--no-config', '-c'],
    evaluate: (options) => `registrar env --shell fish ${options} | source; set got $status`,
  },
];

describe('X2: registrar env, the built command', function () {
  this.timeout(120_000);
  const fixture = new DaemonFixture();
  let home = '';
  let directory = '';
  let database = '';
  let environment: Record<string, string> = {};

  before(async function () {
    if (process.platform === 'win32') {
      console.log('      not run: these are shells of POSIX systems');
      this.skip();
    }
    await fixture.open();
    home = await fixture.home('env');
    directory = await fixture.workspace('env');
    const url = new URL(await fixture.address());
    const PGPASSWORD = decodeURIComponent(url.password);
    // The app's own, which answers, and which no refusal may let it reach.
    const own = new URL(url.href);
    own.pathname = '/postgres';
    url.password = '';
    assert.equal((await fixture.run(home, ['postgres', url.href], { PGPASSWORD })).status, 0);
    const first = await fixture.run(home, ['resolve', '--directory', directory], { PGPASSWORD });
    assert.equal(first.status, 0, first.stdout);
    ({ databaseName: database } = first.json?.['project'] as { databaseName: string });
    const bin = join(fixture.folder, 'bin');
    mkdirSync(bin);
    const script = `exec "${process.execPath}" "${fixture.script()}" "$@"`;
    writeFileSync(join(bin, 'registrar'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    writeFileSync(join(fixture.folder, 'app.cjs'), app);
    environment = fixture.environment(home, {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      DATABASE_URL: own.href,
      PGHOST: own.hostname,
      PGPORT: own.port || '5432',
      PGUSER: decodeURIComponent(own.username),
      PGPASSWORD,
      PGDATABASE: 'postgres',
      PGAPPNAME: 'of the caller',
      PGSERVICE: 'of the caller',
      XDG_DATA_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
      XDG_STATE_HOME: home,
    });
  });
  after(() => fixture.close());

  const node = `"${process.execPath}"`;
  const application = (): string => `${node} "${join(fixture.folder, 'app.cjs')}"`;

  function run(command: string, args: string[], cwd = directory) {
    const done = spawnSync(command, args, { cwd, env: environment, encoding: 'utf8' });
    assert.ifError(done.error);
    return done;
  }

  /** Where machines run the tests, every shell has to be there; only Linux can be relied on to have them all. */
  function isInstalled(
    name: string,
    isNeeded = process.env['CI'] !== undefined && process.platform === 'linux',
  ): boolean {
    if (isNeeded || spawnSync(name, name === 'dash' ? ['-c', ''] : ['--version']).error === undefined) return true;
    console.log(`      not run: ${name} is not installed`);
    return false;
  }

  for (const shell of shells) {
    it(`gives ${shell.name} the project’s database, and nothing of the caller’s own`, function () {
      if (!isInstalled(shell.name)) this.skip();
      const script = `${shell.evaluate('')}; echo "status $got"; ${application()}; env`;
      const { stdout } = run(shell.name, [...shell.arguments, script]);
      assert.match(stdout, new RegExp(`^status 0\nreached ${database} ${database}$`, 'm'));
      const left = libpqVariables.filter((name) => new RegExp(`^${name}=`, 'm').test(stdout));
      assert.deepEqual(left.sort(), ['PGDATABASE', 'PGHOST', 'PGPASSWORD', 'PGPORT', 'PGUSER']);
    });

    it(`fails in ${shell.name} when refused, and lets no client reach any database`, function () {
      if (!isInstalled(shell.name)) this.skip();
      for (const options of ['--expect other', '--no-such-option', '--database-url postgresql://other.invalid/x']) {
        const script = `${shell.evaluate(options)}; echo "status $got"; ${application()}; env`;
        const { stdout, stderr } = run(shell.name, [...shell.arguments, script]);
        assert.match(
          stdout,
          /^status 1\nreached (?:ENOTFOUND|EAI_AGAIN) (?:ENOTFOUND|EAI_AGAIN)$/m,
          `${options}\n${stdout}${stderr}`,
        );
        assert.match(stderr, /^[A-Z_]+: /m);
        assert.match(stdout, /^DATABASE_URL=postgresql:\/\/refused\.invalid\/registrar$/m);
        const left = libpqVariables.filter((name) => new RegExp(`^${name}=`, 'm').test(stdout));
        assert.deepEqual(left, ['PGHOST']);
      }
    });
  }

  it('fills direnv’s variables, or fails with the line that the guide shows', async function () {
    if (!isInstalled('direnv')) this.skip();
    for (const [options, status, shows] of [
      ['', 0, new RegExp(`^reached ${database} ${database}$`, 'm')],
      ['--expect other', 1, /^$/],
    ] as const) {
      writeFileSync(join(directory, '.envrc'), `eval "$(registrar env ${options})" || exit 1\n`);
      run('direnv', ['allow', directory]);
      const done = run('direnv', ['exec', directory, 'sh', '-c', application()]);
      assert.equal(done.status, status, done.stderr);
      assert.match(done.stdout, shows);
      if (status === 1) assert.match(done.stderr, /PROJECT_MISMATCH/);
    }
  });

  it('fills mise’s variables, or fails with the lines that the guide shows', function () {
    // It is in no Linux distribution's packages.
    if (!isInstalled('mise', false)) this.skip();
    for (const [options, status] of [
      ['', 0],
      ['--expect other', 1],
    ] as const) {
      writeFileSync(
        join(directory, 'mise.toml'),
        '[env]\n_.source = "database.sh"\nPGSERVICE = false\nPGHOSTADDR = false\n',
      );
      writeFileSync(join(directory, 'database.sh'), `eval "$(registrar env ${options})" || exit 1\n`);
      run('mise', ['trust', '--quiet', directory]);
      const done = run('mise', ['exec', '--', 'sh', '-c', application()]);
      assert.equal(done.status, status, done.stderr);
      assert.equal(done.stdout, status === 0 ? `reached ${database} ${database}\n` : '');
    }
  });

  it('prints nothing for a .env file when refused, and the reason as JSON', () => {
    const dotenv = run('registrar', ['env', '--dotenv', '--expect', 'other']);
    assert.deepEqual([dotenv.status, dotenv.stdout], [1, '']);
    assert.match(dotenv.stderr, /^PROJECT_MISMATCH: /);
    const json = run('registrar', ['env', '--json', '--expect', 'other']);
    assert.equal(json.status, 1);
    assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'PROJECT_MISMATCH');
  });

  it('writes a .env file that an app reads, once, and keeps it when refused', () => {
    const file = join(directory, '.env');
    writeFileSync(file, '# mine\nexport SECRET=\'a$b\'\nDATABASE_URL="postgres://me@h/x?schema=public"\nPGHOST=x\n');
    const first = run('registrar', ['env', '--write', '.env']);
    assert.deepEqual([first.status, first.stderr], [0, '']);
    assert.match(first.stdout, /^.*\.env: DATABASE_URL, PGHOST set\.\n$/);
    const text = readFileSync(file, 'utf8');
    assert.match(
      text,
      new RegExp(
        `^# mine\nexport SECRET='a\\$b'\nDATABASE_URL='postgres://[^']*/${database}[?]schema=public'\nPGHOST=\\S+\n$`,
      ),
    );
    const { ino } = statSync(file);
    assert.match(run('registrar', ['env', '--write', '.env']).stdout, /is already up to date\.\n$/);
    assert.equal(statSync(file).ino, ino);
    const refused = run('registrar', ['env', '--write', '.env', '--expect', 'other']);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.equal(readFileSync(file, 'utf8'), text);

    const made = run('registrar', [
      'env',
      '--write',
      'new.env',
      '--map',
      'DB_HOST=PGHOST',
      '--host',
      'host.docker.internal',
    ]);
    assert.equal(made.status, 0, made.stderr);
    assert.match(
      readFileSync(join(directory, 'new.env'), 'utf8'),
      /^DATABASE_URL='postgresql:\/\/[^']*@host\.docker\.internal:\d+\/[^']*'\nDB_HOST='host\.docker\.internal'\n$/,
    );
    assert.equal(statSync(join(directory, 'new.env')).mode & 0o777, 0o600);
  });

  it('fails when what it prints cannot be written, and not when nobody reads on', function () {
    if (process.platform !== 'linux') {
      console.log('      not run: only Linux has /dev/full');
      this.skip();
    }
    for (const command of ['resolve', 'env --json', '--help']) {
      const full = run('sh', ['-c', `registrar ${command} > /dev/full`]);
      assert.equal(full.status, 1, command);
      assert.match(full.stderr, /^registrar: the output could not be written: ENOSPC: [^\n]*\n$/);
    }
    const closed = run('bash', ['-c', 'registrar projects list | true; echo "${PIPESTATUS[0]}"']);
    assert.deepEqual([closed.stdout, closed.stderr], ['0\n', '']);
  });

  it('refuses options that go with no file, and maps of what there is not', () => {
    for (const args of [
      ['--host', 'h'],
      ['--map', 'A=PGHOST'],
      ['--write', 'x', '--map', 'A=HOME'],
      ['--write', 'x', '--host', 'a b'],
      ['--write', 'x', '--dotenv'],
    ]) {
      assert.equal(run('registrar', ['env', ...args]).status, 2, args.join(' '));
    }
  });
});
