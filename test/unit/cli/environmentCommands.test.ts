import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { commandNotRun } from '../../../daemon/cli/exec/commandNotRun.ts';
import { dotenvText, shellText } from '../../../daemon/cli/environmentText.ts';
import { libpqVariables } from '../../../daemon/protocol/libpqVariables.ts';
import { cli, path, refused, resolved } from './fakeCli.ts';

const mismatch = refused({ code: 'PROJECT_MISMATCH', message: 'This is $(reboot).', hint: 'Check.' });
const refusing = { connection: async () => ({ resolution: mismatch, environment: null }) };

describe('registrar env', () => {
  it('prints lines for a shell, a .env file, or a JSON object', async () => {
    const shell = await cli(['env']);
    assert.equal(shell.status, 0);
    const kept = { databaseUrl: null, bundledUnlessChosen: false, ownDaemon: false };
    assert.deepEqual(shell.calls[0], ['open', kept]);
    assert.deepEqual(shell.stdout.split('\n'), [
      'export PGHOST=localhost',
      'export PGDATABASE=cb_proj_shop_1f2e3d4c',
      String.raw`export PGPASSWORD='it'\''s $5'`,
      '',
    ]);
    const dotenv = await cli(['env', '--dotenv']);
    assert.match(dotenv.stdout, /^PGHOST="localhost"\nPGDATABASE="cb_proj_shop_1f2e3d4c"\nPGPASSWORD="it's \\\$5"\n$/);
    const json = await cli(['env', '--json']);
    assert.equal((JSON.parse(json.stdout) as Record<string, string>)['PGPASSWORD'], "it's $5");
  });

  it('unsets what the calling shell would send a client elsewhere with', async () => {
    const environment = { PGSERVICE: 'other', PGHOSTADDR: '10.0.0.1', PGAPPNAME: 'x' };
    const run = await cli(['env'], { context: { environment } });
    assert.match(run.stdout, /^unset PGHOSTADDR PGSERVICE\nexport PGHOST=/);
  });

  it('prints a refusal where no shell will evaluate it', async () => {
    const run = await cli(['env', '--expect', 'x'], { api: refusing });
    assert.equal(run.status, 1);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /PROJECT_MISMATCH: This is \$\(reboot\)\.\n {2}next: Check\.\n$/);
    const json = await cli(['env', '--json'], { api: refusing });
    assert.deepEqual(JSON.parse(json.stdout), mismatch);
  });

  it('prints warnings beside the output', async () => {
    const warned = { ...resolved, warnings: [{ code: 'RENAMED' as const, message: 'Now shop.', hint: 'h' }] };
    const connection = async () => ({ resolution: warned, environment: { PGHOST: 'h' } });
    const run = await cli(['env'], { api: { connection } });
    assert.equal(run.stdout, 'export PGHOST=h\n');
    assert.match(run.stderr, /warning: Now shop\./);
  });

  it('quotes so that a shell gives back any value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!value.includes('\0'));
        const script = `${shellText({ V: value }, [])}\nprintf %s "$V"`;
        assert.equal(execFileSync('sh', ['-c', script], { encoding: 'utf8' }), value);
      }),
      { numRuns: 50 },
    );
  });

  it('puts every .env value on one line, except in single quotes, which every reader takes literally', () => {
    assert.equal(
      dotenvText({ A: 'a b', B: 'a"b', C: 'a$b', D: `'"\\$\n` }),
      ['A="a b"', `B='a"b'`, `C='a$b'`, String.raw`D="'\"\\\$\n"`].join('\n'),
    );
  });
});

describe('registrar exec', () => {
  it('runs the command with the environment of the project, and ends with its status', async () => {
    const answering = async () => 42;
    assert.equal((await cli(['exec', '--', 'false'], { context: { run: answering } })).status, 42);
    const environment = { PATH: '/bin', PGHOST: 'elsewhere', OTHER_URL: 'redis://h' };
    const run = await cli(['exec', '--expect', 'shop', '--', 'npm', 'run', '--json', '--version'], {
      context: { environment },
    });
    assert.deepEqual(path(run), ['open', 'connection', 'run', 'close']);
    assert.deepEqual(run.calls[1], ['connection', { directory: '/home/a/shop', project: null, expect: 'shop' }]);
    const [, command, args, given] = run.calls[2] ?? [];
    assert.deepEqual([command, args], ['npm', ['run', '--json', '--version']]);
    assert.deepEqual(JSON.parse(JSON.stringify(given)), {
      PATH: '/bin',
      OTHER_URL: 'redis://h',
      PGHOST: 'localhost',
      PGDATABASE: 'cb_proj_shop_1f2e3d4c',
      PGPASSWORD: "it's $5",
    });
    assert.equal(run.stdout, '');
  });

  it('takes every variable out that another project’s client may have left, and that this one’s connection does not set', async () => {
    const environment = Object.fromEntries(libpqVariables.map((name) => [name, 'other']));
    const run = await cli(['exec', '--', 'psql'], { context: { environment } });
    const given = run.calls[2]?.[3] as Record<string, string | undefined>;
    assert.deepEqual(
      Object.keys(given).filter((name) => given[name] !== undefined),
      ['PGHOST', 'PGDATABASE', 'PGPASSWORD'],
    );
  });

  it('runs nothing when the project is refused', async () => {
    const run = await cli(['exec', '--expect', 'x', '--', 'psql'], { api: refusing });
    assert.equal(run.status, 1);
    assert.deepEqual(path(run), ['open', 'connection', 'close']);
    assert.match(run.stderr, /PROJECT_MISMATCH/);
  });

  it('runs nothing when no connection came with the answer', async () => {
    const connection = async () => ({ resolution: resolved, environment: null });
    const run = await cli(['exec', '--', 'psql'], { api: { connection } });
    assert.equal(run.status, 1);
    assert.ok(!path(run).includes('run'));
  });

  it('wants the command after two dashes, whatever options it has', async () => {
    for (const argv of [
      ['exec', 'psql'],
      ['exec', 'npm', '-v'],
      ['exec', '--expect', 'shop', 'npm', 'run', '--silent', 'x'],
      ['exec', 'psql', '--', '-c', 'select 1'],
    ]) {
      const run = await cli(argv);
      assert.equal(run.status, 2);
      const name = argv.includes('npm') ? 'npm' : 'psql';
      assert.equal(
        run.stderr,
        `INVALID_ARGUMENT: Two dashes (--) are missing before the command to run.\n  next: registrar exec -- ${name} …\n`,
      );
      assert.deepEqual(run.calls, []);
    }
  });

  it('says which of its own options is misspelt', async () => {
    const run = await cli(['exec', '--expct', 'shop', '--', 'psql']);
    assert.equal(run.status, 2);
    assert.match(run.stderr, /^INVALID_ARGUMENT: unknown option '--expct'\n {2}next: Did you mean --expect\?/);
    assert.equal((await cli(['exec', '--'])).status, 2);
  });

  it('ends like a shell when the command could not be run, and says why', async () => {
    for (const [code, status, says] of [
      ['ENOENT', 127, /^INVALID_ARGUMENT: nope was not found; nothing was run\.\n {2}next: Check its spelling/m],
      ['EACCES', 126, /nope may not be run; nothing/],
      ['EISDIR', 126, /nope is a folder; nothing/],
      ['E2BIG', 126, /nope has arguments and variables that are longer than the system takes; nothing/],
      ['EMFILE', 126, /nope cannot be run \(EMFILE\); nothing/],
    ] as const) {
      const fails = () => Promise.reject(commandNotRun('nope', Object.assign(new Error(code), { code })));
      const run = await cli(['exec', '--', 'nope'], { context: { run: fails } });
      assert.equal(run.status, status);
      assert.match(run.stderr, says);
    }
  });
});
