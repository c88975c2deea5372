import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { dotenvText, shellText } from '../../../daemon/cli/environmentText.ts';
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
    const spawn = async () => 42;
    assert.equal((await cli(['exec', '--', 'false'], { context: { spawn } })).status, 42);
    const environment = { PATH: '/bin', PGHOST: 'elsewhere', PGSERVICE: 'other', PGHOSTADDR: '10.0.0.1' };
    const run = await cli(['exec', '--expect', 'shop', '--', 'npm', 'run', '--json', '--version'], {
      context: { environment },
    });
    assert.deepEqual(path(run), ['open', 'connection', 'spawn', 'close']);
    assert.deepEqual(run.calls[1], ['connection', { directory: '/home/a/shop', project: null, expect: 'shop' }]);
    assert.deepEqual(run.calls[2], [
      'spawn',
      'npm',
      ['run', '--json', '--version'],
      {
        PATH: '/bin',
        PGHOST: 'localhost',
        PGDATABASE: 'cb_proj_shop_1f2e3d4c',
        PGPASSWORD: "it's $5",
        PGSERVICE: undefined,
        PGHOSTADDR: undefined,
      },
    ]);
    assert.equal(run.stdout, '');
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
    assert.ok(!path(run).includes('spawn'));
  });

  it('wants the command after two dashes', async () => {
    for (const argv of [
      ['exec', 'psql'],
      ['exec', 'psql', '--', '-c', 'select 1'],
      ['exec', '--'],
    ]) {
      const run = await cli(argv);
      assert.equal(run.status, 2);
      assert.match(run.stderr, /^INVALID_ARGUMENT: /);
      assert.deepEqual(run.calls, []);
    }
  });

  for (const [code, says] of [
    ['ENOENT', /nope was not found; nothing was run/],
    ['EACCES', /nope may not be run/],
  ] as const) {
    it(`says which command could not be run: ${code}`, async () => {
      const spawn = () => Promise.reject(Object.assign(new Error(`spawn nope ${code}`), { code }));
      const run = await cli(['exec', '--', 'nope'], { context: { spawn } });
      assert.equal(run.status, 2);
      assert.match(run.stderr, says);
    });
  }
});
