import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import type { CliContext } from '../../../daemon/cli/cliContext.ts';
import { commandNotRun } from '../../../daemon/cli/exec/commandNotRun.ts';
import { dotenvText } from '../../../daemon/cli/environment/dotenvText.ts';
import { refusedText, shells, shellText } from '../../../daemon/cli/environment/shellText.ts';
import { libpqVariables } from '../../../daemon/protocol/libpqVariables.ts';
import { RegistrarError } from '../../../daemon/protocol/registrarError.ts';
import { cli, path, refused, resolved } from './fakeCli.ts';

const mismatch = refused({ code: 'PROJECT_MISMATCH', message: 'This is $(reboot).', hint: 'Check.' });
const given = {
  PGHOST: 'h',
  PGDATABASE: 'shop',
  PGPASSWORD: 'p$',
  DATABASE_URL: 'postgresql://a:p%24@h:5/shop',
};
const refusing = { connection: async () => ({ resolution: mismatch, environment: null }) };

describe('registrar env', () => {
  it('prints lines for a shell, a .env file, or a JSON object', async () => {
    const shell = await cli(['env']);
    assert.equal(shell.status, 0);
    const kept = { databaseUrl: null, bundledUnlessChosen: false, ownDaemon: false };
    assert.deepEqual(shell.calls[0], ['open', kept]);
    assert.deepEqual(shell.stdout.split('\n').slice(1), [
      'export PGHOST=localhost;',
      'export PGDATABASE=cb_proj_shop_1f2e3d4c;',
      String.raw`export PGPASSWORD='it'\''s $5';`,
      '',
    ]);
    const fish = await cli(['env', '--shell', 'fish']);
    assert.match(fish.stdout, /^set -e .*\nset -gx PGHOST 'localhost';\n[^]*\nset -gx PGPASSWORD 'it\\'s \$5';\n$/);
    const powershell = await cli(['env', '--shell', 'powershell']);
    assert.match(
      powershell.stdout,
      /^Remove-Item .*\n\$env:PGHOST = 'localhost';\n[^]*\n\$env:PGPASSWORD = 'it''s \$5';\n$/,
    );
    const json = await cli(['env', '--json']);
    assert.equal((JSON.parse(json.stdout) as Record<string, string>)['PGPASSWORD'], "it's $5");
  });

  it('says what a .env file cannot hold, and leaves it out', async () => {
    const dotenv = await cli(['env', '--dotenv']);
    assert.equal(dotenv.stdout, "PGHOST='localhost'\nPGDATABASE='cb_proj_shop_1f2e3d4c'\n");
    assert.match(dotenv.stderr, /^warning: PGPASSWORD was left out, because no quoting works/m);
    assert.doesNotMatch(dotenv.stderr, /\$5/);
  });

  it('removes whatever else could send a client elsewhere, in every shell', () => {
    for (const shell of shells) {
      const [first = ''] = shellText({ PGHOST: 'h' }, shell).split('\n');
      const removed = first.match(/\bPG\w+/g) ?? [];
      assert.deepEqual(
        removed,
        libpqVariables.filter((name) => name !== 'PGHOST'),
      );
    }
  });

  it('gives a shell that evaluates a refusal an address that nobody reaches, no password, and a failure', async () => {
    for (const shell of shells) {
      const run = await cli(['env', '--expect', 'x', '--shell', shell], { api: refusing });
      assert.equal(run.status, 1);
      assert.equal(run.stdout, `${refusedText(shell)}\n`);
      assert.match(run.stderr, /PROJECT_MISMATCH: This is \$\(reboot\)\.\n {2}next: Check\.\n$/);
      const lines = run.stdout.trimEnd().split('\n');
      assert.match(lines[0] ?? '', /\bPGPASSWORD\b/);
      assert.match(run.stdout, /^.*DATABASE_URL[ =']+postgresql:\/\/refused\.invalid\/registrar'?;$/m);
      assert.match(lines.at(-1) ?? '', shell === 'powershell' ? /^throw '/ : /^false$/);
    }
    const json = await cli(['env', '--json'], { api: refusing });
    assert.deepEqual(JSON.parse(json.stdout), mismatch);
    const dotenv = await cli(['env', '--dotenv'], { api: refusing });
    assert.deepEqual([dotenv.status, dotenv.stdout], [1, '']);
    // Nothing evaluates what a terminal shows.
    assert.equal((await cli(['env'], { api: refusing, terminal: true })).stdout, '');
  });

  it('fails in the shell also when it could not ask, or was not understood', async () => {
    const open = () =>
      Promise.reject(new RegistrarError({ code: 'DAEMON_UNREACHABLE', message: 'It is gone.', hint: 'Start it.' }));
    const unreachable = await cli(['env', '--shell=fish'], { context: { open } });
    assert.deepEqual([unreachable.status, unreachable.stdout], [3, `${refusedText('fish')}\n`]);
    const misspelt = await cli(['--database-url', 'postgresql://h', 'env', '--expct', 'x']);
    assert.deepEqual([misspelt.status, misspelt.stdout], [2, `${refusedText('sh')}\n`]);
    for (const argv of [
      ['env', '--dotenv', '--expct'],
      ['env', '--write', '.env', '--expct'],
      ['resolve', 'env', 'x'],
    ]) {
      assert.deepEqual([(await cli(argv)).stdout, (await cli(argv)).status], ['', 2]);
    }
  });

  it('prints warnings beside the output', async () => {
    const warned = { ...resolved, warnings: [{ code: 'RENAMED' as const, message: 'Now shop.', hint: 'h' }] };
    const connection = async () => ({ resolution: warned, environment: { PGHOST: 'h' } });
    const run = await cli(['env'], { api: { connection } });
    assert.match(run.stdout, /^unset .*\nexport PGHOST=h;\n$/);
    assert.match(run.stderr, /warning: Now shop\./);
  });

  it('writes to the file that is named, and tells what it wrote without the password', async () => {
    const written: string[] = [];
    const writeEnvironmentFile: CliContext['writeEnvironmentFile'] = async (file, edit) => {
      written.push(file, edit(Buffer.from('PGDATABASE=x\nPGSERVICE=y\nPGPASSWORD=z\n')).toString());
      return 'changed';
    };
    const connection = async () => ({ resolution: resolved, environment: { ...given } });
    const parts = { api: { connection }, context: { writeEnvironmentFile } };
    const run = await cli(['env', '--write', '.env', '--map', 'DB_HOST=PGHOST', '--host', '::1'], parts);
    assert.equal(run.status, 0);
    assert.deepEqual(written, [
      '/home/a/shop/.env',
      "PGDATABASE=shop\nPGSERVICE=y\nPGPASSWORD=''\nDATABASE_URL='postgresql://a:p%24@[::1]:5/shop'\nDB_HOST='::1'\n",
    ]);
    assert.equal(run.stdout, '~/shop/.env: PGDATABASE, PGPASSWORD, DATABASE_URL, DB_HOST set.\n');
    assert.match(run.stderr, /warning: PGPASSWORD was left out/);
    assert.match(run.stderr, /warning: \.env also sets PGSERVICE, /);
    assert.doesNotMatch(run.stderr + run.stdout, /p\$/);
    const json = await cli(['env', '--write', '.env', '--json'], parts);
    assert.deepEqual(JSON.parse(json.stdout), {
      file: '/home/a/shop/.env',
      done: 'changed',
      set: ['PGDATABASE', 'PGPASSWORD', 'DATABASE_URL'],
      leftOut: ['PGPASSWORD'],
    });
    written.length = 0;
    assert.equal((await cli(['env', '--write', '.env'], { ...parts, api: refusing })).status, 1);
    assert.deepEqual(written, []);
  });

  it('quotes so that each shell gives back any value', function () {
    this.timeout(60_000);
    for (const [shell, program] of [
      ['sh', 'sh'],
      ['sh', 'zsh'],
      ['fish', 'fish'],
    ] as const) {
      // The tests of the built command say which shells are missing.
      if (spawnSync(program, ['--version']).error) continue;
      const values = fc.sample(
        fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', '')),
        200,
      );
      const variables = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
      const show = `printf '%s\\0' ${Object.keys(variables)
        .map((name) => `"$${name}"`)
        .join(' ')}`;
      const script = `${shellText(variables, shell)}\n${show}`;
      const shown = execFileSync(program, ['-c', script], { encoding: 'utf8' });
      assert.deepEqual(shown.split('\0').slice(0, -1), values);
    }
  });

  it('quotes so that every reader of .env files gives back any value that it does not leave out', () => {
    for (const [value, quoted] of [
      ['a b', "'a b'"],
      ['a"b', `'a"b'`],
      ["it's", `"it's"`],
      ['a\\b', "'a\\b'"],
      ['a#b', "'a#b'"],
      ['a$b', null],
      ['a\\\\b', null],
      ['a\\', null],
      [`a'b"c`, null],
      ['a\rb', null],
      // direnv ends every value at the end of its line.
      ['two\nlines', null],
    ] as const) {
      assert.deepEqual(dotenvText({ V: value }), {
        text: quoted === null ? '' : `V=${quoted}`,
        leftOut: quoted === null ? ['V'] : [],
      });
    }
    const characters = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', "'", '"', '\\', '#', '$', '`', '=', '\n', '!', '~', 'é'),
    });
    fc.assert(
      fc.property(characters, (value) => {
        const { text, leftOut } = dotenvText({ V: value });
        if (leftOut.length === 0) assert.equal(parseEnv(`A=1\n${text}\nB=2`)['V'], value);
      }),
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
      ['EACCES', 126, /nope cannot be run: permission denied; nothing/],
      ['EISDIR', 126, /nope is a folder; nothing/],
      ['E2BIG', 126, /nope was given more arguments and variables than the system allows; nothing/],
      ['EMFILE', 126, /nope cannot be run \(EMFILE\); nothing/],
    ] as const) {
      const fails = () => Promise.reject(commandNotRun('nope', Object.assign(new Error(code), { code })));
      const run = await cli(['exec', '--', 'nope'], { context: { run: fails } });
      assert.equal(run.status, status);
      assert.match(run.stderr, says);
    }
  });
});
