import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { parseEnv } from 'node:util';
import { editEnvironmentFile } from '../../daemon/cli/environment/editEnvironmentFile.ts';
import { refusedText, shellText } from '../../daemon/cli/environment/shellText.ts';
import { libpqVariables } from '../../daemon/protocol/libpqVariables.ts';
import { RegistrarError } from '../../daemon/protocol/registrarError.ts';

import { psqlEnvironment, terminalVariables } from '../../extension/terminalVariables.ts';
import { testServer } from '../support/testServer.ts';

const url = 'postgresql://ann@localhost:5433/cb_proj_shop_1f2e3d4c';
const environment = { PGHOST: 'localhost', PGPORT: '5433', PGUSER: 'ann', PGDATABASE: 'shop', DATABASE_URL: url };

function edited(before: string): string {
  return editEnvironmentFile(Buffer.from(before), environment, new Map()).bytes.toString();
}

describe('a .env file of a stranger’s', () => {
  it('cannot lead elsewhere by a parameter that only one client knows, or that is written in code', () => {
    for (const parameter of [
      // postgres.js, pgx and SQLAlchemy with asyncpg let it win over the path.
      'database=other',
      'DataBase=other',
      'db=other',
      // libpq and the readers of URLs decode names, too.
      'ho%73t=elsewhere.example',
      '%68ostaddr=192.0.2.1',
      'ssl%6dode=disable',
      // Postgrex, pg8000 and psycopg2.
      'hostname=elsewhere.example',
      'socket=/tmp/x',
      'socket_dir=/tmp',
      'unix_sock=/tmp/x',
      'endpoints=elsewhere.example',
      'dsn=host%3Delsewhere.example',
      // What cannot be decoded is not understood.
      'h%zzst=elsewhere.example',
    ]) {
      assert.equal(edited(`DATABASE_URL=postgresql://h/x?${parameter}&schema=s\n`), `DATABASE_URL='${url}?schema=s'\n`);
    }
  });

  it('may have keys that JavaScript’s objects have', () => {
    const before = 'constructor=a\n__proto__=b\ntoString=c\n';
    assert.equal(edited(before), `${before}DATABASE_URL='${url}'\n`);
  });

  it('is left alone where programs would not read in it what is written', () => {
    for (const before of [
      // A quotation mark that nobody closes swallows it.
      "NOTE='tis mine\n",
      "NOTE='tis mine\nDATABASE_URL=postgresql://h/x\n",
      'A="x\nDATABASE_URL="postgresql://h/x?a=$b"\n',
      // Ends of lines, spaces and signs that only some take for such, and a later one wins.
      'DATABASE_URL=a\nA=a\rDATABASE_URL=postgresql://other/x\n',
      'DATABASE_URL=a\n# x\u2028DATABASE_URL=postgresql://other/x\n',
      'DATABASE_URL=a\n\u00a0DATABASE_URL=postgresql://other/x\n',
      'DATABASE_URL=a\nDATABASE_URL: postgresql://other/x\n',
      'DATABASE_URL=a\nDATABASE_URL\n=postgresql://other/x\n',
    ]) {
      assert.throws(
        () => edited(before),
        (error) =>
          error instanceof RegistrarError &&
          error.code === 'INVALID_ARGUMENT' &&
          error.message.includes('quotation mark'),
        before,
      );
    }
    // Closed on its line, or further down; and one in the middle of a value is a letter.
    for (const before of [
      'A="b\n',
      'A=`b\n',
      "A='b'c\n",
      "A='b\nc'\n",
      "A=it's\n",
      '# don’t, "\nA=b\n',
      `A='b' # it's\n`,
    ]) {
      const { A, DATABASE_URL } = parseEnv(edited(before));
      assert.deepEqual([A, DATABASE_URL], [parseEnv(before)['A'], url], before);
    }
  });

  it('keeps a parameter that ends with a backslash from escaping the quotation mark', () => {
    assert.equal(parseEnv(edited('DATABASE_URL=postgresql://h/x?a=b\\\nB=1\n'))['B'], '1');
    const text = edited('DATABASE_URL=postgresql://h/x?a=b\\\nB=1\n');
    assert.doesNotMatch(text, /\\'/);
  });

  it('takes no longer for a megabyte of spaces or empty lines', () => {
    const spaces = ' '.repeat(1_000_000);
    assert.equal(edited(`A=x${spaces}y\n`), `A=x${spaces}y\nDATABASE_URL='${url}'\n`);
    for (const end of ['\n', '\r', '\u2028']) {
      const ends = end.repeat(300_000);
      assert.ok(edited(`${ends}\n`).trimEnd().endsWith(`\nDATABASE_URL='${url}'`));
    }
  });
});

describe('a shell that evaluates variables', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  /** Evaluates `text` and prints variables. */
  function evaluate(shell: string, text: string, how: string, print: string): string | null {
    const args = { zsh: ['-f'], bash: ['--norc'], fish: ['--no-config'] }[shell] ?? [];
    const done = spawnSync(shell, [...args, '-c', `${how}; ${print}`], {
      env: { PATH: process.env['PATH'], text, DATABASE_URL: 'own', PGPASSWORD: 'own', PGSERVICE: 'own' },
      encoding: 'utf8',
    });
    return done.error ? null : done.stdout;
  }

  const odd = ['=ls', '==ls', 'a:=ls', '~', 'a:~', '%', "it's", '$(id)', '`id`', 'two\nlines', '-n', 'a b', '*', '!!'];

  for (const shell of ['sh', 'bash', 'zsh', 'fish'] as const) {
    it(`gets a password as it is: ${shell}`, function () {
      for (const PGPASSWORD of odd) {
        const text = shellText({ PGPASSWORD }, shell === 'fish' ? 'fish' : 'sh');
        const got = evaluate(shell, text, 'eval "$text"', 'printf "[%s]" "$PGPASSWORD"');
        if (got === null) this.skip();
        assert.equal(got, `[${PGPASSWORD}]`);
      }
    });
  }

  for (const shell of ['sh', 'bash'] as const) {
    it(`gets them without quotation marks, too, as many type it: ${shell}`, () => {
      const print = 'echo "$? $DATABASE_URL $PGHOST [$PGPASSWORD$PGSERVICE]"';
      const good = evaluate(shell, shellText(environment, 'sh'), 'eval $(printf %s "$text")', print);
      assert.equal(good, `0 ${url} localhost []\n`);
      const refused = evaluate(shell, refusedText('sh'), 'eval $(printf %s "$text")', print);
      assert.equal(refused, '1 postgresql://refused.invalid/registrar refused.invalid []\n');
    });
  }
});

describe('a terminal that inherits a caller’s variables', function () {
  this.timeout(60_000);

  it('X4: leads psql to the project’s database, or, where only a service would, nowhere', async function () {
    if (spawnSync('psql', ['--version']).error) this.skip();
    const server = new URL((await testServer()).url);
    const given = {
      PGHOST: server.hostname === '' ? (server.searchParams.get('host') ?? 'localhost') : server.hostname,
      PGPORT: server.port || '5432',
      PGUSER: decodeURIComponent(server.username),
      PGDATABASE: 'template1',
      PGPASSWORD: decodeURIComponent(server.password),
    };
    const psql = (variables: Record<string, string>) =>
      spawnSync('psql', ['-XAtc', 'select current_database()'], {
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...variables },
        encoding: 'utf8',
      });
    const spoilt = Object.fromEntries(libpqVariables.map((name) => [name, 'x']));
    const { PGSERVICE, ...inherited } = spoilt;
    const done = psql({ ...inherited, ...terminalVariables(given, inherited) });
    assert.equal(done.stdout, 'template1\n', done.stderr);
    // A service has precedence over all variables, and none can take it back: psql then says that there is none.
    const service = { PGSERVICE: PGSERVICE ?? '' };
    assert.match(
      psql({ ...service, ...terminalVariables(given, service) }).stderr,
      /definition of service "" not found/,
    );
  });

  it('keeps what the project says, and adds nothing where nothing is inherited', () => {
    assert.deepEqual(terminalVariables(environment, { PATH: '/bin', PGOPTIONS: undefined }), environment);
    assert.deepEqual(
      terminalVariables({ PGSSLMODE: 'require' }, { PGSSLMODE: 'disable', PGTZ: 'x', PGHOSTADDR: '::1' }),
      {
        PGHOSTADDR: '',
        PGTZ: 'default',
        PGSSLMODE: 'require',
      },
    );
  });

  it('X4: is psql’s for the project that was chosen: all of libpq’s is that project’s', () => {
    const spoilt = Object.fromEntries(libpqVariables.map((name) => [name, 'x']));
    const given = psqlEnvironment(environment, { ...spoilt, PATH: '/bin', HOME: undefined, DATABASE_URL: 'other' });
    assert.deepEqual(given, { PATH: '/bin', ...environment });
  });
});
